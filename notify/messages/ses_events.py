"""Applies events of SES about emails, receipts and complaints (contract: public-api 11, workers 8.2).

Events identify emails by SES's reference. Those that arrive together share round trips. An event may come twice, or
before the message's row has the reference: then it is tried again later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

import structlog
from psycopg import Cursor
from psycopg.rows import class_row

from notify import queues
from notify.infra.batcher import WEB_WAIT_SECONDS, Batcher
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.ids import new_id
from notify.infra.queue import Queue, TaskName
from notify.infra.times import utc_now
from notify.messages.callbacks import MessageCallbacks
from notify.messages.complaints import StoredComplaint
from notify.messages.receipts import ReceiptProcessor
from notify.messages.statuses import OPEN_TO_SES
from notify.providers.base import Receipt
from notify.providers.ses.receive import NOT_SPAM, SESEvent, SpamReport, parse_envelope

logger = structlog.get_logger(__name__)

PROCESS_SES_RESULT: Final = TaskName("process-ses-result")
"""The task that applies an envelope of SNS."""

EARLY: Final = timedelta(minutes=5)
"""The reference of an email that SES accepted less than this ago may not be stored yet."""
EARLY_RETRY_SECONDS: Final = 300

_FIND: Final = """
SELECT reference, id, service_id, client_reference, notification_status AS status, false AS is_history
FROM notifications
WHERE reference = ANY(%(references)s) AND reference IS NOT NULL AND notification_type = 'email'
"""
_FIND_ARCHIVED: Final = """
SELECT reference, id, service_id, client_reference, notification_status AS status, true AS is_history
FROM notification_history
WHERE reference = ANY(%(references)s) AND reference IS NOT NULL AND notification_type = 'email'
"""
# repeat the ids: a join alone does not let the planner exclude partitions
_APPLY_TO_HISTORY: Final = """
WITH locked AS (
    SELECT h.id, r.outcome FROM notification_history h
    JOIN unnest(%(ids)s::uuid[], %(outcomes)s::text[]) AS r(id, outcome) ON r.id = h.id
    WHERE h.id = ANY(%(ids)s) AND h.notification_status = ANY(%(open)s) ORDER BY h.id FOR UPDATE OF h
)
UPDATE notification_history h SET notification_status = l.outcome, updated_at = %(now)s
FROM locked l WHERE h.id = l.id AND h.id = ANY(%(ids)s)
"""
# an existing complaint is returned unchanged
_COMPLAIN: Final = """
INSERT INTO complaints (id, notification_id, service_id, ses_feedback_id, complaint_type, complaint_date, created_at)
VALUES (%(id)s, %(notification_id)s, %(service_id)s, %(feedback_id)s, %(type)s, %(date)s, %(now)s)
ON CONFLICT (notification_id, ses_feedback_id) DO UPDATE SET notification_id = excluded.notification_id
RETURNING id, complaint_date
"""


class BrokerDownError(Exception):
    """The broker is down: an event to try again later could not be published."""


class _StoredRow(NamedTuple):
    """Columns of a stored complaint."""

    id: UUID
    complaint_date: datetime | None


@dataclass(frozen=True, slots=True)
class _Message:
    """An email, in the table of messages or in history."""

    reference: str
    id: UUID
    service_id: UUID
    client_reference: str | None
    status: str
    is_history: bool


class SesEvents:
    """Applies events. `complained` is called with each complaint after it was stored, and again if SES repeats it, so
    that none is lost in a crash in between.
    """

    def __init__(
        self,
        database: Database,
        queue: Queue,
        receipts: ReceiptProcessor,
        complained: Callable[[StoredComplaint], None] | None = None,
    ) -> None:
        self._database = database
        self._queue = queue
        self._receipts = receipts
        self._complained = complained
        self._batcher: Batcher[SESEvent, bool] = Batcher(
            self.record_many, max_size=500, leaders=2, wait_seconds=WEB_WAIT_SECONDS
        )

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts, callbacks = container.parts, container.get(MessageCallbacks)
        return cls(parts.database, parts.queue, container.get(ReceiptProcessor), callbacks.complained)

    def take(self, envelope: Any) -> None:
        """Apply the event in a message of SNS, together with those of concurrent callers. When this returns, it is
        committed, or published for another try, or has no effect. Raises `ReceiptError` for an unreadable one, and
        `BrokerDownError`.
        """
        event = parse_envelope(envelope)
        if event is None or self._batcher.submit(event):
            return
        if not self._queue.publish(
            PROCESS_SES_RESULT, [event.envelope], queue=queues.RETRY, countdown=EARLY_RETRY_SECONDS
        ):
            raise BrokerDownError

    def record_many(self, events: Sequence[SESEvent]) -> list[bool]:
        """Apply events, in their order. Returns whether each is settled; try the others again after
        `EARLY_RETRY_SECONDS`.
        """
        if not events:
            return []
        now = utc_now()
        messages = self._find({event.reference for event in events})
        settled: list[bool] = []
        live: list[Receipt] = []
        archived: dict[UUID, str] = {}
        complaints: list[tuple[SpamReport, _Message]] = []
        for event in events:
            message = messages.get(event.reference)
            settled.append(message is not None or not _is_early(event, now))
            if message is None:
                logger.warning("event of SES for no message of ours", will_retry=not settled[-1])
            elif isinstance(event.content, SpamReport):
                complaints.append((event.content, message))
            elif message.status not in OPEN_TO_SES:
                _log_without_effect(event.content, message)
            elif message.is_history:
                archived.setdefault(message.id, event.content.outcome)
            else:
                live.append(replace(event.content, notification_id=message.id))
        if live:
            self._receipts.record_many(live)
        if archived:
            self._apply_to_history(archived, now)
        if complaints:
            self._store(complaints, now)
        return settled

    def _find(self, references: set[str]) -> Mapping[str, _Message]:
        """The messages with these references. The history, where every partition must be searched, is only queried for
        those not found, and last, so that a message that moves there in between is found.
        """
        messages: dict[str, _Message] = {}
        with self._database.connection() as connection, connection.cursor(row_factory=class_row(_Message)) as cursor:
            for query in (_FIND, _FIND_ARCHIVED):
                missing = sorted(references - messages.keys())
                if missing:
                    for message in cursor.execute(query, {"references": missing}):
                        messages.setdefault(message.reference, message)
        return messages

    def _apply_to_history(self, outcomes: Mapping[UUID, str], now: datetime) -> None:
        """Apply outcomes to the history, without callbacks: the recipient's address is no longer stored."""
        values = {
            "ids": list(outcomes),
            "outcomes": list(outcomes.values()),
            "open": list(OPEN_TO_SES),
            "now": now,
        }
        with self._database.connection() as connection:
            connection.execute(_APPLY_TO_HISTORY, values)

    def _store(self, complaints: Sequence[tuple[SpamReport, _Message]], now: datetime) -> None:
        with self._database.connection() as connection, connection.cursor(row_factory=class_row(_StoredRow)) as cursor:
            stored = [
                (report, _stored_complaint(report, message, _insert(cursor, report, message, now)))
                for report, message in complaints
            ]
        for report, complaint in stored:
            logger.info(
                "complaint stored",
                id=complaint.id,
                notification_id=complaint.notification_id,
                service_id=complaint.service_id,
            )
            # a report that the email is not spam is not a complaint for the service
            if self._complained is not None and report.feedback_type != NOT_SPAM:
                self._complained(complaint)


def _insert(cursor: Cursor[_StoredRow], report: SpamReport, message: _Message, now: datetime) -> _StoredRow:
    cursor.execute(
        _COMPLAIN,
        {
            "id": new_id(),
            "notification_id": message.id,
            "service_id": message.service_id,
            "feedback_id": report.feedback_id,
            "type": report.feedback_type,
            "date": report.complained_at,
            "now": now,
        },
    )
    (row,) = cursor.fetchall()
    return row


def _stored_complaint(report: SpamReport, message: _Message, row: _StoredRow) -> StoredComplaint:
    return StoredComplaint(
        id=row.id,
        notification_id=message.id,
        service_id=message.service_id,
        client_reference=message.client_reference,
        recipient=report.recipient,
        complaint_date=row.complaint_date,
    )


def _log_without_effect(receipt: Receipt, message: _Message) -> None:
    """Log an event about a message with a final status, which stays (contract: workers 5.2). A bounce after the
    delivery is a warning: the email did not arrive after all.
    """
    is_late_bounce = message.status == "delivered" and receipt.outcome != "delivered"
    log = logger.warning if is_late_bounce else logger.info
    log("receipt without effect", id=message.id, status=message.status, outcome=receipt.outcome, reason=receipt.reason)


def _is_early(event: SESEvent, now: datetime) -> bool:
    return event.accepted_at is not None and abs(now - event.accepted_at) < EARLY
