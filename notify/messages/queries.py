"""Reading messages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from psycopg import Connection

from notify.infra.batcher import Batcher
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.secrets import Encryptor

COLUMNS = """
    n.id, n.service_id, n.template_id, n.template_version, n.notification_type, n.notification_status, n.key_type,
    n."to", n._personalisation, n.normalised_to, n.client_reference, n.reference, n.created_at, n.sent_at, n.sent_by,
    n.updated_at, n.billable_units, n.rate_multiplier, n.international, n.phone_prefix, n.postage, n.reply_to_text,
    n.unsubscribe_link, n.api_key_id, u.name
"""
_FROM = "FROM notifications n LEFT JOIN users u ON u.id = n.created_by_id"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as it is in the database, with its personal data in clear."""

    id: UUID
    service_id: UUID
    template_id: UUID
    template_version: int
    notification_type: str
    status: str
    key_type: str
    to: str
    personalisation: dict[str, Any]
    normalised_to: str | None
    client_reference: str | None
    reference: str | None
    created_at: datetime
    sent_at: datetime | None
    sent_by: str | None
    updated_at: datetime | None
    billable_units: int
    rate_multiplier: Decimal | None
    international: bool
    phone_prefix: str | None
    postage: str | None
    reply_to_text: str | None
    unsubscribe_link: str | None
    api_key_id: UUID | None
    created_by_name: str | None


def read_row(row: Sequence[Any], encryptor: Encryptor) -> StoredMessage:
    """A row of `COLUMNS` as a message."""
    values = list(row)
    values[7] = encryptor.decrypt(values[7])
    values[8] = encryptor.decrypt_json(values[8])
    return StoredMessage(*values)


class MessageReader:
    """Looks up messages by id; concurrent look-ups share one query."""

    def __init__(self, database: Database, encryptor: Encryptor) -> None:
        self._database = database
        self._vault = encryptor
        self._batcher: Batcher[UUID, Sequence[Any] | None] = Batcher(self._read, max_size=200, leaders=2)

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        return cls(container.parts.database, container.parts.encryptor)

    def get(self, service_id: UUID, notification_id: UUID) -> StoredMessage | None:
        """The service's message by that id, or null."""
        row = self._batcher.submit(notification_id)
        return None if row is None or row[1] != service_id else read_row(row, self._vault)

    def _read(self, ids: list[UUID]) -> list[Sequence[Any] | None]:
        with self._database.autocommit() as connection:
            rows = connection.execute(f"SELECT {COLUMNS} {_FROM} WHERE n.id = ANY(%s)", (ids,)).fetchall()
        found = {row[0]: row for row in rows}
        return [found.get(id_) for id_ in ids]

    def page(
        self,
        service_id: UUID,
        *,
        key_type: str,
        statuses: Collection[str] | None,
        types: Collection[str],
        client_reference: str | None,
        include_jobs: bool,
        older_than: UUID | None,
        limit: int,
    ) -> list[StoredMessage]:
        """The service's messages made with keys of one type, newest first (public-api 7.2). Those older than an id that
        the service does not have are none.
        """
        conditions = ["n.service_id = %(service_id)s", "n.key_type = %(key_type)s"]
        if statuses is not None:
            conditions.append("n.notification_status = ANY(%(statuses)s)")
        if types:
            conditions.append("n.notification_type = ANY(%(types)s::notification_type[])")
        if client_reference is not None:
            conditions.append("n.client_reference = %(client_reference)s")
        if not include_jobs:
            conditions.append("n.job_id IS NULL")
        if older_than is not None:
            conditions.append(
                # by id too: messages of one batch may have the same time, and none may fall between two pages
                "(n.created_at, n.id) < (SELECT o.created_at, o.id FROM notifications o"
                " WHERE o.id = %(older_than)s AND o.service_id = %(service_id)s)"
            )
        query = (
            f"SELECT {COLUMNS} {_FROM} WHERE {' AND '.join(conditions)}"
            " ORDER BY n.created_at DESC, n.id DESC LIMIT %(limit)s"
        )
        with self._database.autocommit() as connection:
            rows = _all(
                connection,
                query,
                {
                    "service_id": service_id,
                    "key_type": key_type,
                    "statuses": list(statuses or ()),
                    "types": list(types),
                    "client_reference": client_reference,
                    "older_than": older_than,
                    "limit": limit,
                },
            )
        return [read_row(row, self._vault) for row in rows]


def _all(connection: Connection[tuple[Any, ...]], query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode(), values).fetchall()
