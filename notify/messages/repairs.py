"""Repairs of messages that old faults left incomplete (contract: workers 17). Each may run at any time, and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Self
from uuid import UUID

from psycopg.rows import args_row

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.secrets import Encryptor
from notify.messages.fragments import count_fragments
from notify.services.cache import ServiceCache
from notify.templates.cache import TemplateCache

AT_A_TIME: Final = 1_000
STEP: Final = timedelta(days=10)
"""Days of the history that are repaired in one statement."""
POSTAGE: Final = "second"

# letters are few beside the rest, and only those within their retention are here
_LIVE_POSTAGE: Final = """
UPDATE notifications SET postage = %(postage)s
WHERE notification_type = 'letter' AND postage IS NULL AND created_at >= %(first)s
"""
_OLD_POSTAGE: Final = """
UPDATE notification_history SET postage = %(postage)s
WHERE notification_type = 'letter' AND postage IS NULL AND created_at >= %(first)s AND created_at < %(last)s
"""
_WITHOUT_UNITS: Final = """
SELECT id, service_id, template_id, template_version, _personalisation AS personalisation FROM notifications
WHERE notification_type = 'sms' AND notification_status <> 'created' AND sent_at IS NULL AND billable_units = 0
      AND key_type <> 'test' AND id > %(after)s
ORDER BY id LIMIT %(limit)s
"""
_SET_UNITS: Final = """
UPDATE notifications n SET billable_units = u.units
FROM unnest(%s::uuid[], %s::int[]) AS u(id, units) WHERE n.id = u.id AND n.billable_units = 0
"""


class _WithoutUnits(NamedTuple):
    """A text whose fragments were never counted."""

    id: UUID
    service_id: UUID
    template_id: UUID
    template_version: int
    personalisation: bytes | None


def populate_postage(database: Database, first: datetime, now: datetime) -> int:
    """Give letters without postage second class, those created from a time on; how many. Ten days of the history are a
    transaction.
    """
    values = {"postage": POSTAGE, "first": first}
    with database.connection() as connection:
        number = connection.execute(_LIVE_POSTAGE, values).rowcount
    while first < now:
        with database.connection() as connection:
            number += connection.execute(_OLD_POSTAGE, values | {"first": first, "last": first + STEP}).rowcount
        first += STEP
    return number


class UnitCounter:
    """Counts the fragments of texts that went on without having been counted."""

    def __init__(
        self, database: Database, encryptor: Encryptor, services: ServiceCache, templates: TemplateCache
    ) -> None:
        self._database = database
        self._encryptor = encryptor
        self._services = services
        self._templates = templates

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        parts = container.parts
        return cls(parts.database, parts.encryptor, container.get(ServiceCache), container.get(TemplateCache))

    def count(self) -> int:
        """Count and store them; the number of texts."""
        number = 0
        for rows in self._pages():
            found = [(row.id, count_fragments(row, self._encryptor, self._services, self._templates)) for row in rows]
            counted = [(id_, units) for id_, units in found if units]
            with self._database.connection() as connection:
                ids, units_of = [id_ for id_, _ in counted], [units for _, units in counted]
                number += connection.execute(_SET_UNITS, (ids, units_of)).rowcount
        return number

    def _pages(self) -> Iterator[Sequence[_WithoutUnits]]:
        after = UUID(int=0)
        while True:
            with self._database.connection() as connection:
                cursor = connection.cursor(row_factory=args_row(_WithoutUnits))
                rows = cursor.execute(_WITHOUT_UNITS, {"after": after, "limit": AT_A_TIME}).fetchall()
            if not rows:
                return
            yield rows
            after = rows[-1].id
