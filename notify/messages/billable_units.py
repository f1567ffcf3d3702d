"""Counts the fragments of text messages that were sent without being counted (contract: workers 17)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, Self
from uuid import UUID

from psycopg.rows import args_row

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.secrets import Encryptor, UndecipherableError
from notify.messages.models import PERSONALISATION
from notify.services.cache import ServiceCache
from notify.templates.cache import TemplateCache

AT_A_TIME: Final = 1000

_PAGE: Final = """
SELECT id, service_id, template_id, template_version, _personalisation FROM notifications
WHERE id > %(after)s AND notification_type = 'sms' AND notification_status NOT IN ('created', 'validation-failed')
  AND sent_at IS NULL AND billable_units = 0 AND key_type <> 'test'
ORDER BY id LIMIT %(limit)s
"""
_STORE: Final = """
UPDATE notifications n SET billable_units = u.units
FROM unnest(%s::uuid[], %s::int[]) AS u(id, units) WHERE n.id = u.id AND n.billable_units = 0
"""


class _Row(NamedTuple):
    id: UUID
    service_id: UUID
    template_id: UUID
    template_version: int
    personalisation: bytes | None


class Counted(NamedTuple):
    """The numbers of messages checked, and of those fixed. The others lack their template, service or key."""

    seen: int
    fixed: int


class BillableUnits:
    """Counts the fragments of texts that are no longer `created` but have no `sent_at` and no fragments."""

    def __init__(
        self, database: Database, encryptor: Encryptor, services: ServiceCache, templates: TemplateCache
    ) -> None:
        self._database = database
        self._encryptor = encryptor
        self._services = services
        self._templates = templates

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        return cls(parts.database, parts.encryptor, container.get(ServiceCache), container.get(TemplateCache))

    def fix(self) -> Iterator[Counted]:
        """Store the fragments, in batches of one transaction each; yields the result of each batch. Messages of test
        keys, which are free, are skipped. Can be stopped, and run again.
        """
        after = UUID(int=0)
        while True:
            with self._database.connection() as connection:
                values = {"after": after, "limit": AT_A_TIME}
                rows = connection.cursor(row_factory=args_row(_Row)).execute(_PAGE, values).fetchall()
                found = {row.id: units for row in rows if (units := self._fragments(row))}
                if found:
                    connection.execute(_STORE, (list(found), list(found.values())))
            if rows:
                yield Counted(len(rows), len(found))
            if len(rows) < AT_A_TIME:
                return
            after = rows[-1].id

    def _fragments(self, row: _Row) -> int:
        template = self._templates.version(row.service_id, row.template_id, row.template_version)
        service = self._services.get(row.service_id)
        if template is None or service is None:
            return 0
        try:
            values = self._encryptor.decrypt_json(row.personalisation, PERSONALISATION, row.id)
        except UndecipherableError:
            return 0
        return template.sms.render(values, service.name if service.prefix_sms else None).fragments
