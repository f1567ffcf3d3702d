"""Queries for messages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from psycopg import Connection
from psycopg.rows import args_row
from sqlalchemy import text
from sqlalchemy.orm import Session

from notify.infra.batcher import WEB_WAIT_SECONDS, Batcher
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.secrets import Encryptor
from notify.messages.models import OF_ITS_LIST, PERSONALISATION, TO
from notify.vocabulary import NOTIFICATION_TYPES, STATUSES

COLUMNS: Final = """
    n.id, n.service_id, n.template_id, n.template_version, n.notification_type, n.notification_status, n.key_type,
    n."to", n._personalisation, n.normalised_to, n.client_reference, n.reference, n.created_at, n.sent_at, n.sent_by,
    n.updated_at, n.billable_units, n.rate_multiplier, n.international, n.phone_prefix, n.postage, n.reply_to_text,
    n.unsubscribe_link, n.api_key_id, u.name, n.job_id, n.job_row_number, n.scheduled_for
"""
"""The columns of a `MessageRow`: `n` is the message, `u` the user who sent it."""

_BY_ID: Final = """
SELECT {columns} FROM notifications n LEFT JOIN users u ON u.id = n.created_by_id WHERE n.id = ANY(%s)
"""
_CURSOR: Final = "SELECT created_at, id FROM notifications WHERE id = %s AND service_id = %s"
_PAGE: Final = """
SELECT {columns}
FROM (
    SELECT found.id, found.created_at
    FROM unnest(%(types)s::notification_type[]) AS type,
         unnest(%(statuses)s::text[]) AS status,
         unnest(%(in_jobs)s::boolean[]) AS in_job
    CROSS JOIN LATERAL (
        SELECT m.id, m.created_at FROM notifications m
        WHERE m.service_id = %(service_id)s AND m.key_type = %(key_type)s AND m.notification_type = type
              AND m.notification_status = status AND (m.job_id IS NOT NULL) = in_job AND {of_its_list} {conditions}
        ORDER BY m.created_at DESC, m.id DESC LIMIT %(limit)s
    ) AS found
    ORDER BY found.created_at DESC, found.id DESC LIMIT %(limit)s
) AS page
JOIN notifications n ON n.id = page.id
LEFT JOIN users u ON u.id = n.created_by_id
ORDER BY page.created_at DESC, page.id DESC
"""
"""A page of a list: the newest messages of each type, status and origin, merged. Two indexes begin with these columns
and end with the order of the list, so a page costs the same even if its messages are rare among the service's
(docs/decisions/0020).
"""
_WITH_REFERENCE: Final = (
    " AND hashtextextended(m.client_reference, 0) = hashtextextended(%(client_reference)s, 0)"
    " AND m.client_reference = %(client_reference)s"
)
# compare ids too: messages of one batch may have the same time, and none may be lost between two pages
_OLDER: Final = " AND (m.created_at, m.id) < (%(older_created_at)s, %(older_id)s)"

_ORIGIN: Final = text(
    "SELECT service_id, template_id, template_version, notification_type, normalised_to FROM notifications"
    " WHERE id = :id"
    " UNION ALL"
    " SELECT service_id, template_id, template_version, notification_type, NULL FROM notification_history"
    " WHERE id = :id ORDER BY normalised_to NULLS LAST LIMIT 1"
)


class MessageRow(NamedTuple):
    """A row of `COLUMNS`, with its personal data encrypted."""

    id: UUID
    service_id: UUID
    template_id: UUID
    template_version: int
    notification_type: str
    status: str
    key_type: str
    to: bytes
    personalisation: bytes | None
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
    job_id: UUID | None
    job_row_number: int | None
    scheduled_for: datetime | None


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A stored message, with its personal data decrypted."""

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
    job_id: UUID | None = None
    job_row_number: int | None = None
    scheduled_for: datetime | None = None

    @classmethod
    def from_row(cls, row: MessageRow, *, to: str, personalisation: dict[str, Any]) -> Self:
        """The message of a row, with its decrypted values."""
        return cls(**(row._asdict() | {"to": to, "personalisation": personalisation}))


def read_row(row: MessageRow, encryptor: Encryptor) -> StoredMessage:
    """The message of a row. Raises `UndecipherableError`."""
    return StoredMessage.from_row(
        row,
        to=encryptor.decrypt(row.to, TO, row.id),
        personalisation=encryptor.decrypt_json(row.personalisation, PERSONALISATION, row.id),
    )


class MessageFilter(NamedTuple):
    """The messages of a service to list (contract: public-api 7.2): only those of one type of key."""

    service_id: UUID
    key_type: str
    statuses: Collection[str] | None = None
    """`None`: all."""
    types: Collection[str] = ()
    """Empty: all."""
    client_reference: str | None = None
    include_jobs: bool = False
    """Whether to include messages of jobs."""


class MessageOrigin(NamedTuple):
    """The template of a message. `normalised_to` is `None` after its personal data was deleted."""

    service_id: UUID
    template_id: UUID
    template_version: int
    notification_type: str
    normalised_to: str | None


def find_origin(session: Session, notification_id: UUID) -> MessageOrigin | None:
    """The origin of a message, live or in the history; `None` if there is no such message."""
    row = session.execute(_ORIGIN, {"id": notification_id}).first()
    return None if row is None else MessageOrigin(*row)


class MessageReader:
    """Looks up messages. Concurrent look-ups by id share one query."""

    def __init__(self, database: Database, encryptor: Encryptor) -> None:
        self._database = database
        self._encryptor = encryptor
        self._batcher: Batcher[UUID, MessageRow | None] = Batcher(
            self._read, max_size=200, leaders=2, wait_seconds=WEB_WAIT_SECONDS
        )

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database, container.parts.encryptor)

    def get(self, service_id: UUID, notification_id: UUID) -> StoredMessage | None:
        """The service's message with this id, or `None`."""
        row = self._batcher.submit(notification_id)
        return None if row is None or row.service_id != service_id else read_row(row, self._encryptor)

    def get_many(self, service_id: UUID, notification_ids: Sequence[UUID]) -> list[StoredMessage]:
        """Those of these messages that the service has, in this order."""
        rows = self._read(list(notification_ids))
        return [read_row(row, self._encryptor) for row in rows if row is not None and row.service_id == service_id]

    def _read(self, ids: list[UUID]) -> list[MessageRow | None]:
        query = _BY_ID.format(columns=COLUMNS).encode()
        with self._database.autocommit() as connection:
            rows = connection.cursor(row_factory=args_row(MessageRow)).execute(query, (ids,)).fetchall()
        found = {row.id: row for row in rows}
        return [found.get(id_) for id_ in ids]

    def page(self, wanted: MessageFilter, *, older_than: UUID | None, limit: int) -> list[StoredMessage]:
        """The newest messages of a list, at most `limit`, newest first.

        `older_than` is the last id of the page before. Empty if the service has no such message.
        """
        with self._database.autocommit() as connection:
            cursor = None
            if older_than is not None:
                cursor = connection.execute(_CURSOR, (older_than, wanted.service_id)).fetchone()
                if cursor is None:
                    return []
            rows = _page(connection, wanted, cursor, limit)
        return [read_row(row, self._encryptor) for row in rows]


def _page(
    connection: Connection[Any], wanted: MessageFilter, cursor: tuple[Any, ...] | None, limit: int
) -> Sequence[MessageRow]:
    values: dict[str, Any] = {
        "service_id": wanted.service_id,
        "key_type": wanted.key_type,
        "types": list(wanted.types or NOTIFICATION_TYPES),
        "statuses": list(STATUSES if wanted.statuses is None else wanted.statuses),
        "in_jobs": [False, True] if wanted.include_jobs else [False],
        "limit": limit,
    }
    conditions = ""
    if wanted.client_reference is not None:
        conditions += _WITH_REFERENCE
        values["client_reference"] = wanted.client_reference
    if cursor is not None:
        conditions += _OLDER
        values["older_created_at"], values["older_id"] = cursor
    query = _PAGE.format(columns=COLUMNS, of_its_list=OF_ITS_LIST, conditions=conditions).encode()
    return connection.cursor(row_factory=args_row(MessageRow)).execute(query, values).fetchall()
