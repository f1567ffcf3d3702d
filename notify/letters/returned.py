"""Returned letters (contract: letters 12.5, internal-jobs-billing-platform 13)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

import structlog
from psycopg import Connection
from psycopg.rows import args_row
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify import queues
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.ids import new_id
from notify.infra.queue import Queue, TaskName
from notify.infra.times import utc_now
from notify.letters.models import ReturnedLetter
from notify.messages.hooks import job_files
from notify.messages.metrics import measure_statuses
from notify.webhooks import payloads
from notify.webhooks.outbox import NewCallback, Outbox

logger = structlog.get_logger(__name__)

PROCESS_RETURNED_LETTERS: Final = TaskName("process-returned-letters-list")
AT_A_TIME: Final = 5000
"""Most references in one task."""
COUNTED_DAYS: Final = 7
MOST_LOGGED: Final = 100

_COLUMNS: Final = """
id, service_id, client_reference, created_at, api_key_id, created_by_id, template_id, template_version, job_id,
job_row_number, key_type, reference
"""
# in this order, so that a row that moves to the history in between is found there
_MARK_LIVE: Final = f"""
UPDATE notifications SET notification_status = 'returned-letter', updated_at = %(now)s
WHERE reference = ANY(%(references)s) AND notification_type = 'letter' RETURNING {_COLUMNS}
"""  # noqa: S608
_MARK_OLD: Final = f"""
UPDATE notification_history SET notification_status = 'returned-letter', updated_at = %(now)s
WHERE reference = ANY(%(references)s) AND notification_type = 'letter' RETURNING {_COLUMNS}
"""  # noqa: S608
_RECORD: Final = """
INSERT INTO returned_letters (id, reported_at, service_id, notification_id, created_at)
SELECT r.id, %(on)s, r.service_id, r.notification_id, %(now)s
FROM unnest(%(ids)s::uuid[], %(services)s::uuid[], %(letters)s::uuid[]) AS r(id, service_id, notification_id)
ON CONFLICT (notification_id) DO NOTHING
RETURNING notification_id
"""
_ABOUT: Final = """
SELECT l.id, t.name AS template_name, coalesce(t.hidden, false) AS is_hidden, u.email_address AS sender_email
FROM unnest(%(letters)s::uuid[], %(templates)s::uuid[], %(versions)s::int[], %(users)s::uuid[])
     AS l(id, template_id, template_version, user_id)
LEFT JOIN templates_history t ON t.id = l.template_id AND t.version = l.template_version
LEFT JOIN users u ON u.id = l.user_id
"""


class _Letter(NamedTuple):
    """A returned letter."""

    id: UUID
    service_id: UUID
    client_reference: str | None
    created_at: datetime
    api_key_id: UUID | None
    created_by_id: UUID | None
    template_id: UUID
    template_version: int
    job_id: UUID | None
    job_row_number: int | None
    key_type: str
    reference: str


class _About(NamedTuple):
    """Fields of the callback about a letter that are not in its row."""

    id: UUID
    template_name: str | None
    is_hidden: bool
    sender_email: str | None


def publish(queue: Queue, references: Sequence[str]) -> bool:
    """Publish tasks that process these references, some thousands per task. False if the broker did not accept all."""
    for start in range(0, len(references), AT_A_TIME):
        batch = list(references[start : start + AT_A_TIME])
        if not queue.publish(PROCESS_RETURNED_LETTERS, [batch], queue=queues.DATABASE):
            return False
    return True


class ReturnedLetters:
    """Records returned letters, and sends callbacks to their services."""

    def __init__(self, database: Database, outbox: Outbox, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._outbox = outbox
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database, container.get(Outbox))

    def record(self, references: Sequence[str]) -> int:
        """Record the letters with these references as returned. Returns the number of those not reported before.
        Unknown references are logged. All is one transaction, and safe to run twice: the first report counts.
        """
        now = self._now()
        with self._database.transaction() as session:
            connection: Connection[Any] = session.connection().connection.driver_connection  # type: ignore[assignment]
            letters = _mark(connection, list(dict.fromkeys(references)), now)
            new = _record(connection, letters, now)
            fresh = [letter for letter in letters if letter.id in new]
            services = self._call_back(session, connection, fresh)
        self._outbox.publish("returned_letter", services)
        measure_statuses(("letter", letter.key_type, "returned-letter") for letter in fresh)
        return len(fresh)

    def _call_back(self, session: Session, connection: Connection[Any], letters: Sequence[_Letter]) -> Collection[UUID]:
        """Record the callbacks of services that have set one."""
        wanting = self._outbox.wanting(connection, "returned_letter", {letter.service_id for letter in letters})
        wanted = [letter for letter in letters if letter.service_id in wanting]
        if not wanted:
            return ()
        names = job_files.names(session, {letter.job_id for letter in wanted if letter.job_id})
        about = _about(connection, wanted)
        return self._outbox.record(connection, "returned_letter", list(_callbacks(wanted, about, names)))


def _mark(connection: Connection[Any], references: list[str], now: datetime) -> list[_Letter]:
    values = {"references": references, "now": now}
    cursor = connection.cursor(row_factory=args_row(_Letter))
    letters = cursor.execute(_MARK_LIVE, values).fetchall()
    known = {letter.reference for letter in letters}
    left = [reference for reference in references if reference not in known]
    if left:
        letters += cursor.execute(_MARK_OLD, values | {"references": left}).fetchall()
        known = {letter.reference for letter in letters}
        unknown = [reference for reference in left if reference not in known]
        if unknown:
            shown = unknown[:MOST_LOGGED]
            logger.warning("returned letters that we do not know", number=len(unknown), references=shown)
    return letters


def _record(connection: Connection[Any], letters: Sequence[_Letter], now: datetime) -> set[UUID]:
    """Record letters. Returns the ids of those reported for the first time."""
    if not letters:
        return set()
    values = {
        "on": now.date(),
        "now": now,
        "ids": [new_id() for _ in letters],
        "services": [letter.service_id for letter in letters],
        "letters": [letter.id for letter in letters],
    }
    return {id_ for (id_,) in connection.execute(_RECORD, values)}


def _about(connection: Connection[Any], letters: Sequence[_Letter]) -> Mapping[UUID, _About]:
    values = {
        "letters": [letter.id for letter in letters],
        "templates": [letter.template_id for letter in letters],
        "versions": [letter.template_version for letter in letters],
        "users": [letter.created_by_id for letter in letters],
    }
    rows = connection.cursor(row_factory=args_row(_About)).execute(_ABOUT, values).fetchall()
    return {row.id: row for row in rows}


def _callbacks(
    letters: Sequence[_Letter], about: Mapping[UUID, _About], file_names: Mapping[UUID, str]
) -> Iterator[NewCallback]:
    for letter in letters:
        more = about[letter.id]
        by_api = letter.api_key_id is not None
        payload = payloads.returned_letter(
            notification_id=letter.id,
            reference=letter.client_reference if by_api else None,
            created_at=letter.created_at,
            sender_email=more.sender_email,
            template_name=None if more.is_hidden else more.template_name,
            template_id=None if more.is_hidden else letter.template_id,
            template_version=None if more.is_hidden else letter.template_version,
            spreadsheet_file_name=file_names.get(letter.job_id) if letter.job_id else None,
            job_row_number=letter.job_row_number,
            uploaded_file_name=letter.client_reference if more.is_hidden and not by_api else None,
        )
        yield NewCallback(letter.service_id, letter.id, payload)


class Statistics(NamedTuple):
    """The number of a service's letters returned in the last days, and the midnight (UTC) of the latest report."""

    returned_letter_count: int
    most_recent_report: datetime | None


class Summary(NamedTuple):
    """The number of a service's letters in one day's reports."""

    returned_letter_count: int
    reported_at: date


def count(session: Session, service_id: UUID, now: datetime) -> Statistics:
    """Statistics of reports by day (UTC). The seventh day before today is not included (contract: internal-services
    14.1).
    """
    mine = ReturnedLetter.service_id == service_id
    latest = session.scalar(select(func.max(ReturnedLetter.reported_at)).where(mine))
    if latest is None:
        return Statistics(0, None)
    too_old = now.astimezone(UTC).date() - timedelta(days=COUNTED_DAYS)
    counted = select(func.count()).select_from(ReturnedLetter).where(mine, ReturnedLetter.reported_at > too_old)
    return Statistics(session.scalar(counted) or 0, datetime(latest.year, latest.month, latest.day, tzinfo=UTC))


def summarise(session: Session, service_id: UUID) -> list[Summary]:
    """The reports of each day, the newest first."""
    query = (
        select(func.count(), ReturnedLetter.reported_at)
        .where(ReturnedLetter.service_id == service_id)
        .group_by(ReturnedLetter.reported_at)
        .order_by(ReturnedLetter.reported_at.desc())
    )
    return [Summary(*row) for row in session.execute(query)]
