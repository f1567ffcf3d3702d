"""Tickets about letters that are stuck (contract: letters 12.6, workers 16)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Self
from uuid import UUID

import structlog

from notify.content.letter_timings import (
    DEADLINE,
    LONDON,
    is_printer_working_day,
    offset_by_working_days,
)
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.tickets import Tickets
from notify.infra.times import local_date, local_midnight, utc_now
from notify.letters.settings import PrinterSettings
from notify.letters.virus_scan import VirusScan, find_pending

logger = structlog.get_logger(__name__)

FAILED_DAYS: Final = 3
SLOW_WORKING_DAYS: Final = 2
MOST_NAMED: Final = 100

_CREATED: Final = """
SELECT count(*) FROM notifications
WHERE notification_status = 'created' AND notification_type = 'letter' AND created_at < %s
"""
# of each service by the index of lists (docs/decisions/0020); `m.tries >= 0`: see OF_ITS_LIST in messages/models.py
_FAILED: Final = """
SELECT count(*) FROM services s
CROSS JOIN unnest(ARRAY['normal', 'team']) AS kind CROSS JOIN unnest(ARRAY[false, true]) AS in_job
CROSS JOIN LATERAL (
    SELECT FROM notifications m
    WHERE m.service_id = s.id AND m.key_type = kind AND m.notification_type = 'letter'
          AND m.notification_status = 'technical-failure' AND (m.job_id IS NOT NULL) = in_job AND m.created_at >= %s
          AND m.tries >= 0
) AS found
"""
_SENDING: Final = """
SELECT count(*) FROM notifications
WHERE notification_status = 'sending' AND notification_type = 'letter' AND key_type = 'normal' AND sent_at < %s
"""


class LetterAlerts:
    """Finds letters that have waited too long, and creates tickets."""

    def __init__(
        self,
        database: Database,
        tickets: Tickets,
        scan: VirusScan,
        *,
        copies: Sequence[str],
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._tickets = tickets
        self._scan = scan
        self._copies = tuple(copies)
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        copies = parts.settings.part(PrinterSettings).dvla_email_addresses
        return cls(parts.database, container.get(Tickets), container.get(VirusScan), copies=copies)

    def check_created(self) -> int:
        """Check letters that a print run has missed: those from before yesterday's deadline. Returns their number."""
        yesterday = local_date(self._now()) - timedelta(days=1)
        number = self._count(_CREATED, datetime.combine(yesterday, DEADLINE, LONDON))
        if number:
            self._ticket(
                "Letters still in 'created' status",
                f"{number} letters were created before 17.30 yesterday and still have 'created' status. "
                "They should have gone to the printer. See docs/letters.md, Printing.",
                "notify_task_letters_created_status",
            )
        return number

    def check_failed(self) -> int:
        """Check letters of the last three days with technical failures. Returns their number."""
        number = self._count(_FAILED, self._now() - timedelta(days=FAILED_DAYS))
        if number:
            self._ticket(
                "Letters in 'technical-failure' status",
                f"{number} letters of the last {FAILED_DAYS} days have 'technical-failure' status. "
                "See docs/letters.md, Printing.",
                "notify_task_letters_technical_failure_status",
            )
        return number

    def check_sending(self) -> int:
        """Check letters without news from the print provider for two working days. Returns their number; 0 on weekends
        and holidays.
        """
        today = local_date(self._now())
        if not is_printer_working_day(today):
            return 0
        last_day = offset_by_working_days(today, -SLOW_WORKING_DAYS)
        number = self._count(_SENDING, local_midnight(last_day + timedelta(days=1)))
        if number:
            self._ticket(
                "Letters still sending",
                f"There are {number} letters in the 'sending' state from {_day(last_day)}. "
                "The printer has not said that they were posted.",
                "notify_task_letters_sending",
                cc=self._copies,
            )
        return number

    def check_pending(self, oldest: timedelta) -> list[UUID]:
        """Check letters between ten minutes and `oldest` old that wait for their virus scan. Restarts the scan, or
        creates a ticket if the file is missing. Returns the letters without a file.
        """
        stuck = self._scan.rescan(oldest=oldest)
        if stuck.rescanned:
            logger.warning("letters scanned again", number=len(stuck.rescanned))
        self._pending_ticket(stuck.missing)
        return stuck.missing

    def check_pending_nightly(self, *, oldest: timedelta, rescanned: timedelta) -> list[UUID]:
        """As `check_pending` for letters younger than `rescanned`; for older ones, always creates a ticket. One ticket
        for both. Raises `ValueError` unless `oldest` is longer than `rescanned`.
        """
        if oldest <= rescanned:
            raise ValueError("max_minutes_ago_to_check_only must be greater than max_minutes_ago_to_check_and_rescan")
        with self._database.reading() as session:
            older = [one.id for one in find_pending(session, self._now(), oldest=oldest, youngest=rescanned)]
        stuck = self._scan.rescan(oldest=rescanned)
        found = [*older, *stuck.missing]
        self._pending_ticket(found)
        return found

    def _pending_ticket(self, ids: Sequence[UUID]) -> None:
        if not ids:
            return
        named = ", ".join(map(str, ids[:MOST_NAMED]))
        self._ticket(
            "Letters still pending virus check",
            f"{len(ids)} precompiled letters have been pending-virus-check for too long. Notifications: {named}",
            "notify_task_letters_pending_scan",
        )

    def _ticket(self, subject: str, message: str, task_type: str, *, cc: tuple[str, ...] = ()) -> None:
        logger.error(subject)
        self._tickets.create(subject, message, kind="incident", cc=cc, task_type=task_type)

    def _count(self, query: str, moment: datetime) -> int:
        with self._database.connection() as connection:
            found = connection.execute(query.encode(), (moment,)).fetchone()
        return int(found[0]) if found else 0


def _day(day: date) -> str:
    """`Monday 03 July`."""
    return f"{day:%A %d %B}"
