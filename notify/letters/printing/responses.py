"""The printer's response files, and its acknowledgements of zip files (contract: letters 11.3, 2020)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import structlog
from psycopg.rows import args_row

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.ids import new_id
from notify.infra.objects import Bucket, ObjectMissingError
from notify.infra.queue import TaskName
from notify.infra.times import local_date, utc_now
from notify.letters.files import LetterFiles
from notify.letters.models import COST_THRESHOLDS
from notify.letters.settings import PrinterSettings
from notify.messages.metrics import measure_statuses

if TYPE_CHECKING:
    from notify.infra.tickets import Tickets

logger = structlog.get_logger(__name__)

UPDATE_STATUSES: Final = TaskName("update-letter-notifications-statuses")
RECORD_SORTED_COUNTS: Final = TaskName("record-daily-sorted-counts")

FIELDS: Final = 4
SENT: Final = "Sent"
ACKNOWLEDGED: Final = "root/dispatch/"
_NAME: Final = re.compile(r"NOTIFY-(?P<time>\d{14})-RSP\.TXT", re.IGNORECASE | re.ASCII)
_RESPONSE_ENDS: Final = ("rs.txt", "rsp.txt")

_UPDATE: Final = """
UPDATE {table} m SET notification_status = u.status, updated_at = %(now)s
FROM unnest(%(references)s::text[], %(statuses)s::text[]) AS u(reference, status)
WHERE m.reference = u.reference AND m.reference = ANY(%(references)s) AND m.notification_type = 'letter'
RETURNING m.reference, m.billable_units, m.key_type, u.status
"""
_COUNT: Final = """
INSERT INTO daily_sorted_letter (id, billing_day, file_name, unsorted_count, sorted_count, updated_at)
VALUES (%(id)s, %(day)s, %(file)s, %(unsorted)s, %(sorted)s, %(now)s)
ON CONFLICT (file_name, billing_day) DO UPDATE
SET unsorted_count = excluded.unsorted_count, sorted_count = excluded.sorted_count, updated_at = excluded.updated_at
"""


class ResponseFileError(Exception):
    """A response file cannot be read, or reports failed letters. The message names the file."""


class ResponseLine(NamedTuple):
    """A line of a response file: the report about a letter."""

    reference: str
    status: str
    page_count: int
    cost_threshold: str


class _Updated(NamedTuple):
    """A letter that a response file changed."""

    reference: str
    billable_units: int
    key_type: str
    status: str


def is_response_file(name: str) -> bool:
    """Whether a file of the bucket is a response, by its name."""
    return name.lower().endswith(_RESPONSE_ENDS)


def parse(name: str, content: str) -> list[ResponseLine]:
    """The lines of a file. Raises `ResponseFileError`."""
    lines = []
    for line in content.splitlines():
        fields = line.split("|")
        if len(fields) != FIELDS or not fields[2].strip().isdigit():
            raise ResponseFileError(f"DVLA response file: {name} has an invalid format")
        reference, status, pages, threshold = fields
        lines.append(ResponseLine(reference, status, int(pages), threshold.strip().lower()))
    return lines


def billing_day(name: str) -> date:
    """The local date of the time in the name of a file; its seconds do not count. Raises `ResponseFileError`."""
    found = _NAME.search(name)
    try:
        moment = datetime.strptime(found.group("time")[:12], "%Y%m%d%H%M") if found else None
    except ValueError:
        moment = None
    if moment is None:
        raise ResponseFileError(f"DVLA response file: {name} has an invalid name")
    return local_date(moment.replace(tzinfo=UTC))


class PrinterResponses:
    """Applies response files."""

    def __init__(
        self,
        database: Database,
        responses: Bucket,
        live: Bucket,
        tickets: Callable[[], Tickets],
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._responses = responses
        self._live = live
        self._tickets = tickets
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""

        def tickets() -> Tickets:
            # imported lazily: a web process only needs names of tasks from here, and no HTTP client
            from notify.infra.tickets import Tickets

            return container.get(Tickets)

        parts = container.parts
        bucket = parts.objects.bucket(parts.settings.part(PrinterSettings).response_bucket)
        return cls(parts.database, bucket, container.get(LetterFiles).live, tickets)

    def _read(self, name: str) -> list[ResponseLine]:
        try:
            return parse(name, self._responses.get(name).decode("utf-8", "replace"))
        except ObjectMissingError:
            raise ResponseFileError(f"DVLA response file: {name} is missing") from None

    def update_statuses(self, name: str) -> int:
        """Set the reported status (`delivered` or `temporary-failure`) of the letters of a file. Returns their number.
        Raises `ResponseFileError`, also after the update if letters have failed.
        """
        lines = {line.reference: line for line in self._read(name)}
        updated: list[_Updated] = []
        with self._database.connection() as connection:
            cursor = connection.cursor(row_factory=args_row(_Updated))
            # in this order, so that a row that moves to the history in between is found there
            for table in ("notifications", "notification_history"):
                missing = lines.keys() - {row.reference for row in updated}
                if missing:
                    updated += cursor.execute(_UPDATE.format(table=table).encode(), self._values(lines, missing))
        measure_statuses(("letter", row.key_type, row.status) for row in updated)
        self._log(name, lines, updated)
        failed = sorted(line.reference for line in lines.values() if line.status != SENT)
        if failed:
            raise ResponseFileError(
                f"DVLA response file: {name} has failed letters with notification.reference {failed}"
            )
        return len(updated)

    def _values(self, lines: dict[str, ResponseLine], references: Collection[str]) -> dict[str, Any]:
        chosen = [lines[reference] for reference in sorted(references)]
        return {
            "references": [line.reference for line in chosen],
            "statuses": ["delivered" if line.status == SENT else "temporary-failure" for line in chosen],
            "now": self._now(),
        }

    @staticmethod
    def _log(name: str, lines: dict[str, ResponseLine], updated: Sequence[_Updated]) -> None:
        unknown = lines.keys() - {row.reference for row in updated}
        if unknown:
            logger.info("response file names letters that we do not know", file=name, number=len(unknown))
        for row in updated:
            if row.billable_units != lines[row.reference].page_count:
                logger.error("the printer counted other sheets than we did", file=name, reference=row.reference)

    def record_sorted_counts(self, name: str) -> None:
        """Count the sorted and unsorted letters of a file. Raises `ResponseFileError`."""
        counts = Counter(line.cost_threshold for line in self._read(name))
        if set(counts) - set(COST_THRESHOLDS):
            raise ResponseFileError(f"DVLA response file: {name} contains unknown Sorted status")
        values = {
            "id": new_id(),
            "day": billing_day(name),
            "file": name,
            "unsorted": counts["unsorted"],
            "sorted": counts["sorted"],
            "now": self._now(),
        }
        with self._database.connection() as connection:
            connection.execute(_COUNT, values)

    def check_acknowledgements(self) -> list[str]:
        """Create a ticket about today's zip files that the printer has not acknowledged. Returns their names."""
        today = local_date(self._now())
        sent = {
            key.rpartition("/")[2].upper().removesuffix(".ZIP.TXT")
            for key in self._live.keys(f"{today.isoformat()}/zips_sent")
        }
        since = self._now() - timedelta(days=1)
        acknowledged = {
            key.rpartition("/")[2].upper().removesuffix(".ACK.TXT").removesuffix(".ZIP")
            for key in self._responses.keys(ACKNOWLEDGED.rstrip("/"))
            if key.upper().endswith(".ACK.TXT") and self._responses.info(key).modified >= since
        }
        missing = sorted(sent - acknowledged)
        if missing:
            logger.error("Letter acknowledge error", missing=missing)
            self._tickets().create(
                "Letter acknowledge error",
                "The printer has not acknowledged these zip files of letters of today: " + ", ".join(missing),
            )
        return missing
