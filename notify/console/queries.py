"""Queries of the console: every service's messages, and the messages that the sandbox recorded."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from notify.infra.database import Database
from notify.infra.secrets import Encryptor, UndecipherableError
from notify.messages.queries import COLUMNS, MessageRow, StoredMessage, read_row

UNREADABLE: Final = "(encrypted with another secret)"
"""Shown for a recipient that `SECRET_KEY` does not open."""

# the index on (service, time) gives each service's newest messages without sorting
_PAGE: Final = """
SELECT {columns} FROM (
    SELECT m.* FROM services s CROSS JOIN LATERAL (
        SELECT * FROM notifications n WHERE n.service_id = s.id {conditions}
        ORDER BY n.created_at DESC, n.id DESC LIMIT %(limit)s
    ) m ORDER BY m.created_at DESC, m.id DESC LIMIT %(limit)s
) n LEFT JOIN users u ON u.id = n.created_by_id ORDER BY n.created_at DESC, n.id DESC
"""
# a search uses the indexes of its columns, and sorts
_SEARCH: Final = """
SELECT {columns} FROM (
    SELECT * FROM notifications n WHERE ({found}) {conditions}
    ORDER BY n.created_at DESC, n.id DESC LIMIT %(limit)s
) n LEFT JOIN users u ON u.id = n.created_by_id ORDER BY n.created_at DESC, n.id DESC
"""
_ONE: Final = "SELECT {columns} FROM notifications n LEFT JOIN users u ON u.id = n.created_by_id WHERE n.id = %s"

_SUMMARIES: Final = """
SELECT DISTINCT ON (notification_id) notification_id, subject, left(body, 300) AS start,
       count(*) OVER (PARTITION BY notification_id) AS copies
FROM sandbox_messages WHERE notification_id = ANY(%s) ORDER BY notification_id, id
"""
_SENT: Final = """
SELECT id, recipient, sender, reply_to, subject, body, html, headers, created_at, outcome, receipt_due_at,
       receipt_sent_at
FROM sandbox_messages WHERE notification_id = %s ORDER BY id LIMIT 20
"""
_REACTIONS: Final = """
SELECT 'unsubscribed', created_at FROM unsubscribe_request WHERE notification_id = %(id)s
UNION SELECT 'unsubscribed', created_at FROM unsubscribe_request_history WHERE notification_id = %(id)s
UNION SELECT 'complained', coalesce(complaint_date, created_at) FROM complaints WHERE notification_id = %(id)s
ORDER BY 2 LIMIT 20
"""

_CALLBACKS: Final = """
SELECT attempts, due_at FROM pending_callbacks
WHERE callback_type IN ('delivery_status', 'returned_letter') AND subject_id = %s ORDER BY due_at LIMIT 20
"""

_HAS_CALLBACK: Final = """
SELECT 1 FROM service_callback_api WHERE service_id = %s AND callback_type = 'delivery_status'
"""

_NUMBER: Final = re.compile(r"\+?[\d\s()./-]+")
_ID_START: Final = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}")


class Cursor(NamedTuple):
    """The last message of a page: the next page begins with the next older one."""

    created_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages to show; None or empty excludes nothing."""

    text: str = ""
    type: str | None = None
    statuses: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary of a message in the sandbox: its start, and how often it was sent."""

    notification_id: UUID
    subject: str | None
    start: str
    copies: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as the sandbox recorded it."""

    id: UUID
    recipient: str
    sender: str
    reply_to: str | None
    subject: str | None
    body: str
    html: str | None
    headers: Mapping[str, str]
    created_at: datetime
    outcome: str
    receipt_due_at: datetime
    receipt_sent_at: datetime | None


class Reaction(NamedTuple):
    """A recipient's reaction to a message."""

    what: Literal["unsubscribed", "complained"]
    at: datetime


class WaitingCallback(NamedTuple):
    """A pending callback: the number of attempts, and when the next is due."""

    attempts: int
    due_at: datetime


class MessageList:
    """Looks up messages of all services."""

    def __init__(self, database: Database, encryptor: Encryptor) -> None:
        self._database = database
        self._encryptor = encryptor

    def page(
        self, wanted: Filter, older_than: Cursor | None, limit: int
    ) -> tuple[list[StoredMessage], dict[UUID, Summary]]:
        """The newest messages, and their summaries in the sandbox."""
        query, values = page_query(wanted, older_than, limit)
        with self._database.autocommit() as connection:
            rows = connection.execute(query.encode(), values).fetchall()
            messages = [self._read(row) for row in rows]
            cursor = connection.cursor(row_factory=class_row(Summary))
            summaries = cursor.execute(_SUMMARIES, ([message.id for message in messages],)).fetchall()
        return messages, {summary.notification_id: summary for summary in summaries}

    def find(self, notification_id: UUID) -> StoredMessage | None:
        """The message of that id."""
        with self._database.autocommit() as connection:
            row = connection.execute(_ONE.format(columns=COLUMNS).encode(), (notification_id,)).fetchone()
        return None if row is None else self._read(row)

    def sent(self, notification_id: UUID) -> list[Sent]:
        """The copies of a message in the sandbox, in order of arrival: usually one."""
        with self._database.autocommit() as connection:
            return connection.cursor(row_factory=class_row(Sent)).execute(_SENT, (notification_id,)).fetchall()

    def reactions(self, notification_id: UUID) -> list[Reaction]:
        """The recipient's reactions to a message, in order."""
        with self._database.autocommit() as connection:
            return [Reaction(*row) for row in connection.execute(_REACTIONS, {"id": notification_id})]

    def callbacks(self, notification_id: UUID) -> list[WaitingCallback]:
        """The pending callbacks. Those that were delivered, or given up, are not kept."""
        with self._database.autocommit() as connection:
            return [WaitingCallback(*row) for row in connection.execute(_CALLBACKS, (notification_id,))]

    def has_callback(self, service_id: UUID) -> bool:
        """Whether a service has a callback for delivery statuses."""
        with self._database.autocommit() as connection:
            return connection.execute(_HAS_CALLBACK, (service_id,)).fetchone() is not None

    def _read(self, row: Sequence[Any]) -> StoredMessage:
        found = MessageRow(*row)
        try:
            return read_row(found, self._encryptor)
        except UndecipherableError:
            return StoredMessage.from_row(found, to=UNREADABLE, personalisation={})


def page_query(wanted: Filter, older_than: Cursor | None, limit: int) -> tuple[str, dict[str, Any]]:
    """The statement of a page, and its values."""
    values: dict[str, Any] = {"limit": limit}
    conditions = ""
    if wanted.type:
        conditions += " AND n.notification_type = %(type)s::notification_type"
        values["type"] = wanted.type
    if wanted.statuses:
        conditions += " AND n.notification_status = ANY(%(statuses)s)"
        values["statuses"] = list(wanted.statuses)
    if older_than is not None:
        conditions += " AND (n.created_at, n.id) < (%(created_at)s, %(id)s)"
        values |= older_than._asdict()
    text = wanted.text.replace("\0", "").strip()
    if not text:
        return _PAGE.format(columns=COLUMNS, conditions=conditions), values
    found, searched = _search(text)
    return _SEARCH.format(columns=COLUMNS, conditions=conditions, found=found), values | searched


def _search(text: str) -> tuple[str, dict[str, Any]]:
    """The condition of a search; each part has an index. Recipient and client reference match anywhere, the provider's
    reference as a whole, the id by its start.
    """
    lower = text.lower()
    recipient = "".join(lower.split())
    if _NUMBER.fullmatch(text):
        # typed as 07900 900123 or +44 7900 900123; stored as 447900900123
        recipient = re.sub(r"\D", "", text).lstrip("0") or recipient
    values: dict[str, Any] = {
        "recipient": f"%{_escape(recipient)}%",
        "reference": f"%{_escape(text)}%",
        "exact": text,
    }
    conditions = [
        "n.normalised_to LIKE %(recipient)s",
        "n.client_reference ILIKE %(reference)s",
        "n.reference = %(exact)s",
    ]
    if _ID_START.fullmatch(lower):
        digits = lower.replace("-", "")[:32]
        conditions.append("n.id BETWEEN %(first)s AND %(last)s")
        values |= {"first": UUID(digits.ljust(32, "0")), "last": UUID(digits.ljust(32, "f"))}
    return " OR ".join(conditions), values


def _escape(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)
