"""The daily print run: publishes the delivery of letters, and announces their volumes (contract: letters 8.4, 12.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

import structlog
from psycopg.rows import args_row
from sqlalchemy import text
from sqlalchemy.orm import Session

from notify import queues
from notify.content.letter_timings import DEADLINE
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.queue import Queue, TaskName
from notify.infra.retrying import retry
from notify.infra.times import LONDON, utc_now
from notify.letters.settings import PrinterSettings
from notify.notices import catalogue
from notify.notices.sender import Notices

logger = structlog.get_logger(__name__)

COLLATE: Final = TaskName("collate-letter-pdfs-to-be-sent")
SHATTER: Final = TaskName("shatter-deliver-letters-tasks")
DELIVER_LETTER: Final = TaskName("deliver_letter")

RUN_BEGINS: Final = time(17, 50)
RUN_ENDS: Final = time(18, 50)
"""The run begins between these local times. Beat calls twice a day; summer or winter, one call is in this time."""
IDS_PER_TASK: Final = 100
READ_AT_A_TIME: Final = 10_000
BROKER_SECONDS: Final = 300.0

_WAITING: Final = """
SELECT id, created_at, service_id FROM notifications
WHERE notification_status = 'created' AND notification_type = 'letter' AND key_type = 'normal' AND billable_units > 0
  AND created_at < %(before)s AND (created_at, id) > (%(after)s, %(after_id)s)
ORDER BY created_at, id LIMIT %(limit)s
"""
_VOLUMES: Final = text("""
SELECT coalesce(postage, 'second') AS postage, count(*) AS letters, coalesce(sum(billable_units), 0) AS sheets
FROM notifications
WHERE notification_status = 'created' AND notification_type = 'letter' AND key_type = 'normal' AND billable_units > 0
  AND created_at < :before
GROUP BY 1
""")
_BEGIN: Final = text("""
INSERT INTO letter_print_runs (deadline, created_at) VALUES (:deadline, :now) ON CONFLICT DO NOTHING RETURNING deadline
""")


class BrokerDownError(Exception):
    """The broker is down. Safe to run again: tasks may be published twice."""


class _Waiting(NamedTuple):
    """A letter waiting for the printer."""

    id: UUID
    created_at: datetime
    service_id: UUID


def is_time_to_run(now: datetime) -> bool:
    """Whether it is the local time of the run."""
    return RUN_BEGINS <= now.astimezone(LONDON).time() < RUN_ENDS


def deadline(now: datetime) -> datetime:
    """The latest 17:30 local time before `now` (aware UTC): letters accepted before it are printed now."""
    local = now.astimezone(LONDON)
    day = local.date() if local.time() >= DEADLINE else local.date() - timedelta(days=1)
    return datetime.combine(day, DEADLINE, LONDON).astimezone(UTC)


def iso_deadline(now: datetime) -> str:
    """The deadline as the task's argument: UTC in ISO form without a zone."""
    return deadline(now).replace(tzinfo=None).isoformat()


def parse_deadline(given: str) -> datetime:
    """The deadline from the task's argument; UTC if it has no zone. Raises `ValueError`."""
    moment = datetime.fromisoformat(given)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def volumes(rows: Sequence[tuple[str, int, int]], at: datetime) -> dict[str, Any]:
    """The personalisation of the email about volumes, from (postage, letters, sheets)."""
    kinds = {"first": "first_class", "second": "second_class", "economy": "economy_mail"}
    names = ("first_class", "second_class", "economy_mail", "international")
    letters, sheets = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for postage, number, pages in rows:
        name = kinds.get(postage, "international")
        letters[name] += number
        sheets[name] += pages
    return {
        "total_volume": sum(letters.values()),
        **{f"{name}_volume": number for name, number in letters.items()},
        "total_sheets": sum(sheets.values()),
        **{f"{name}_sheets": number for name, number in sheets.items()},
        "date": f"{at.astimezone(LONDON):%d %B %Y}",
    }


class PrintRun:
    """Announces the volumes of a run, and publishes the delivery of its letters."""

    def __init__(
        self,
        database: Database,
        queue: Queue,
        notices: Callable[[], Notices],
        addresses: Sequence[str],
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._queue = queue
        self._notices = notices
        self._addresses = addresses
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        addresses = parts.settings.part(PrinterSettings).dvla_email_addresses
        return cls(parts.database, parts.queue, lambda: container.get(Notices), addresses)

    def announce(self, before: datetime) -> bool:
        """Email the volumes of the run with this deadline, once. Returns whether this call did."""
        with self._database.transaction() as session:
            if session.execute(_BEGIN, {"deadline": before, "now": self._now()}).first() is None:
                return False
            if self._addresses:
                self._email(session, before)
        return True

    def _email(self, session: Session, before: datetime) -> None:
        rows = [(row.postage, row.letters, int(row.sheets)) for row in session.execute(_VOLUMES, {"before": before})]
        values: Mapping[str, Any] = volumes(rows, before)
        for address in self._addresses:
            self._notices().send(session, catalogue.LETTER_VOLUMES, address, values)

    def publish(self, before: datetime) -> int:
        """Publish the delivery of every waiting letter from before the deadline, oldest first. Returns their number.
        Raises `BrokerDownError`.
        """
        number = 0
        for rows in self._waiting(before):
            for start in range(0, len(rows), IDS_PER_TASK):
                batch = [str(row.id) for row in rows[start : start + IDS_PER_TASK]]
                publish(self._queue, SHATTER, [batch], queues.PERIODIC)
                number += len(batch)
        return number

    def publish_ready(self, before: datetime) -> int:
        """As `publish`, without the run's grouping: for a printer that takes letters at once."""
        number = 0
        for rows in self._waiting(before):
            for row in rows:
                publish(self._queue, DELIVER_LETTER, [str(row.id)], queues.SEND_LETTER, group=str(row.service_id))
            number += len(rows)
        return number

    def _waiting(self, before: datetime) -> Iterator[Sequence[_Waiting]]:
        after, after_id = datetime.min.replace(tzinfo=UTC), UUID(int=0)
        while True:
            values = {"before": before, "after": after, "after_id": after_id, "limit": READ_AT_A_TIME}
            with self._database.connection() as connection:
                rows = connection.cursor(row_factory=args_row(_Waiting)).execute(_WAITING, values).fetchall()
            yield rows
            if len(rows) < READ_AT_A_TIME:
                return
            after, after_id = rows[-1].created_at, rows[-1].id


def publish(queue: Queue, task: TaskName, arguments: Sequence[Any], name: str, *, group: str | None = None) -> None:
    """Publish a task. While the broker is down, retries for some minutes. Raises `BrokerDownError`."""

    def put() -> None:
        if not queue.publish(task, arguments, queue=name, group=group):
            raise BrokerDownError

    retry(put, on=BrokerDownError, seconds=BROKER_SECONDS)
