"""Stores the results of sending. They must not be lost: a message without a stored result is sent again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from psycopg.rows import args_row

from notify.infra.database import Database, is_unavailable
from notify.infra.retrying import retry
from notify.messages.callbacks import Changed, MessageCallbacks
from notify.messages.deliver.schedule import NextTry
from notify.messages.metrics import measure_deliveries

logger = structlog.get_logger(__name__)

CALLED_BACK: Final = frozenset({"delivered", "temporary-failure", "permanent-failure"})
"""Statuses that cause a callback if a message gets one when it is sent: those that a receipt could set."""

# keep the status of a receipt that came before this statement
_WRITE: Final = """
UPDATE notifications n
SET notification_status = CASE WHEN n.notification_status = 'created' THEN r.status ELSE n.notification_status END,
    sent_at = coalesce(r.sent_at, n.sent_at), sent_by = coalesce(r.sent_by, n.sent_by),
    reference = coalesce(r.reference, n.reference), billable_units = greatest(r.units, n.billable_units),
    updated_at = CASE WHEN n.notification_status IN ('created', 'sending', 'pending') THEN r.at ELSE n.updated_at END,
    tries = coalesce(r.tries, n.tries), next_try_at = coalesce(r.next_try_at, n.next_try_at)
FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::int[], %s::timestamptz[],
            %s::smallint[], %s::timestamptz[])
     AS r(id, status, sent_at, sent_by, reference, units, at, tries, next_try_at)
WHERE n.id = r.id
RETURNING n.id, n.service_id, n.notification_type::text, n.key_type, r.status, n.notification_status = r.status,
          r.sent_by, extract(epoch FROM r.at - coalesce(n.scheduled_for, n.created_at))::float8
"""
# without values of the provider, which the database could refuse
_WRITE_BARE: Final = """
UPDATE notifications SET notification_status = %s, sent_at = coalesce(%s, sent_at), sent_by = coalesce(%s, sent_by),
                         updated_at = %s
WHERE id = %s AND notification_status = 'created'
"""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of sending a message. Without a status, it is tried again at `next_try`."""

    id: UUID
    status: str | None
    at: datetime
    units: int = 0
    sent_by: str | None = None
    reference: str | None = None
    next_try: NextTry | None = None

    @property
    def is_handed_over(self) -> bool:
        """Whether a provider accepted it."""
        return self.sent_by is not None


class Written(NamedTuple):
    """A message after its result was written. `is_current`: it has the status of the result, not of an earlier receipt.
    `seconds` is the time since it was accepted.
    """

    id: UUID
    service_id: UUID
    notification_type: str
    key_type: str
    status: str
    is_current: bool
    sent_by: str | None
    seconds: float


class ResultWriter:
    """Writes results, and records callbacks about final ones."""

    def __init__(self, database: Database, callbacks: MessageCallbacks) -> None:
        self._database = database
        self._callbacks = callbacks

    def write(self, results: Sequence[Result]) -> None:
        """Write all results, however long that takes: waits while the database is unreachable, and writes a result that
        the database refuses without the provider's values. Raises no error of the database.
        """
        if results:
            # in the order in which receipts lock rows, to avoid deadlocks
            self._write(sorted(results, key=lambda result: result.id))

    def _write(self, results: Sequence[Result]) -> None:
        try:
            retry(lambda: self._write_once(results), on=is_unavailable)
        except Exception as error:
            if len(results) == 1:
                self._write_bare(results[0], error)
                return
            # one refused result must not prevent the others from being written
            middle = len(results) // 2
            self._write(results[:middle])
            self._write(results[middle:])

    def _write_once(self, results: Sequence[Result]) -> None:
        with self._database.connection() as connection:
            written = (
                connection.cursor(row_factory=args_row(Written))
                .execute(
                    _WRITE,
                    (
                        [result.id for result in results],
                        [result.status or "created" for result in results],
                        [result.at if result.is_handed_over else None for result in results],
                        [result.sent_by for result in results],
                        [result.reference for result in results],
                        [result.units for result in results],
                        [result.at for result in results],
                        [result.next_try.tries if result.next_try else None for result in results],
                        [result.next_try.at if result.next_try else None for result in results],
                    ),
                )
                .fetchall()
            )
            # a final status in the provider's answer: no receipt will come
            final = [Changed(one.id, one.service_id) for one in written if one.is_current and one.status in CALLED_BACK]
            services = self._callbacks.record(connection, final)
        self._callbacks.publish(services)
        measure_deliveries(written)

    def _write_bare(self, result: Result, reason: Exception) -> None:
        """Write a refused result without its reference. A receipt by reference will not find the message, but the
        message is not sent again.
        """
        # the error's message may quote the refused value
        logger.error("the database refused a result", id=result.id, error=type(reason).__name__)
        sent_at = result.at if result.is_handed_over else None
        values = (result.status or "created", sent_at, result.sent_by, result.at, result.id)

        def write() -> None:
            with self._database.connection() as connection:
                connection.execute(_WRITE_BARE, values)

        retry(write, on=Exception)
