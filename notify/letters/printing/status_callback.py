"""Callbacks of the printer about single letters (contract: public-api 12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

import structlog
from psycopg import Connection
from psycopg.rows import args_row

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.queue import TaskName
from notify.infra.times import local_date, utc_now
from notify.letters.statuses import LetterFailedError
from notify.messages.metrics import measure_statuses

logger = structlog.get_logger(__name__)

PROCESS_LETTER_CALLBACK: Final = TaskName("process-letter-callback")

STATUSES: Final[Mapping[str, str]] = {"DESPATCHED": "delivered", "REJECTED": "technical-failure"}
SORTED_PRODUCTS: Final = frozenset({"MM", "MM ECONOMY"})
TRANSITION_FORM: Final = "%Y-%m-%dT%H:%M:%SZ"

_LIVE: Final = """
SELECT notification_status AS status, billable_units, key_type FROM notifications
WHERE id = %s AND notification_type = 'letter' FOR UPDATE
"""
_OLD: Final = """
SELECT notification_status AS status, billable_units, key_type FROM notification_history
WHERE id = %s AND notification_type = 'letter' FOR UPDATE
"""
_SET_LIVE: Final = "UPDATE notifications SET notification_status = %(status)s, updated_at = %(now)s WHERE id = %(id)s"
_SET_OLD: Final = (
    "UPDATE notification_history SET notification_status = %(status)s, updated_at = %(now)s WHERE id = %(id)s"
)
_DESPATCH: Final = """
INSERT INTO notifications_letter_despatch (notification_id, despatched_on, cost_threshold)
VALUES (%(id)s, %(on)s, %(threshold)s)
ON CONFLICT (notification_id) DO UPDATE
SET despatched_on = excluded.despatched_on, cost_threshold = excluded.cost_threshold
"""


class UnreadableCallbackError(Exception):
    """A callback that fits the schema but has unknown values."""


@dataclass(frozen=True, slots=True)
class PrinterUpdate:
    """The reported status of a letter. If the printer rejected it, everything else is None."""

    notification_id: UUID
    dvla_status: str
    page_count: int | None
    cost_threshold: str | None
    despatch_date: date | None


def read_update(data: Mapping[str, Any]) -> PrinterUpdate:
    """The `data` of a callback that fits the schema. Raises `UnreadableCallbackError`."""
    notification_id, status = UUID(data["jobId"]), str(data["jobStatus"])
    despatched_on = _day(data["transitionDate"])
    if status == "REJECTED":
        return PrinterUpdate(notification_id, status, None, None, despatched_on)
    properties = {entry["key"]: entry["value"] for entry in data["despatchProperties"]}
    try:
        sheets = int(properties["totalSheets"])
        product, postage = properties["mailingProduct"], properties["postageClass"]
    except (KeyError, ValueError):
        raise UnreadableCallbackError("totalSheets, mailingProduct or postageClass") from None
    is_sorted = postage == "2ND" and product in SORTED_PRODUCTS
    return PrinterUpdate(notification_id, status, sheets, "sorted" if is_sorted else "unsorted", despatched_on)


def _day(text: str) -> date:
    try:
        moment = datetime.strptime(text, TRANSITION_FORM).replace(tzinfo=UTC)
    except ValueError:
        raise UnreadableCallbackError("transitionDate") from None
    return local_date(moment)


class _Row(NamedTuple):
    """The letter that a callback is about."""

    status: str
    billable_units: int
    key_type: str


class LetterCallbacks:
    """Applies callbacks to letters, live or in the history."""

    def __init__(self, database: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database)

    def apply(self, update: PrinterUpdate) -> bool:
        """Set the status of a letter that the printer reports. False for a duplicate, or an unknown letter.

        Raises `LetterFailedError` after setting `technical-failure`, so that people look into rejected letters.
        """
        status = STATUSES[update.dvla_status]
        with self._database.connection() as connection:
            row, change = self._find(connection, update.notification_id)
            if row is None:
                logger.warning("callback about a letter that is not there", id=update.notification_id)
                return False
            if status == "delivered" and row.billable_units != update.page_count:
                logger.error(
                    "the printer counted other sheets than we did",
                    id=update.notification_id,
                    ours=row.billable_units,
                    theirs=update.page_count,
                )
            if row.status in STATUSES.values():
                logger.info("letter callback is a duplicate", id=update.notification_id, status=row.status)
                return False
            connection.execute(change, {"status": status, "now": self._now(), "id": update.notification_id})
            if status == "delivered":
                values = {
                    "id": update.notification_id,
                    "on": update.despatch_date,
                    "threshold": update.cost_threshold,
                }
                connection.execute(_DESPATCH, values)
        measure_statuses([("letter", row.key_type, status)])
        if status != "delivered":
            raise LetterFailedError(update.notification_id, "rejected by the printer")
        return True

    @staticmethod
    def _find(connection: Connection[Any], notification_id: UUID) -> tuple[_Row | None, str]:
        cursor = connection.cursor(row_factory=args_row(_Row))
        row = cursor.execute(_LIVE, (notification_id,)).fetchone()
        if row is not None:
            return row, _SET_LIVE
        return cursor.execute(_OLD, (notification_id,)).fetchone(), _SET_OLD
