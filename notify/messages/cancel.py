"""Cancels messages that are not sent yet: letters before printing (contract: internal-services 10.6), scheduled
messages before their time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.content.letter_timings import is_too_late_to_cancel, print_day_label
from notify.infra.errors import NotFoundProblemError
from notify.messages import errors
from notify.messages.models import Notification
from notify.messages.store import is_international
from notify.services.limits import LimitRequest

_CANCELLABLE: Final = frozenset({"created", "pending-virus-check"})


def cancel_letter(session: Session, service_id: UUID, notification_id: UUID, now: datetime) -> LimitRequest | None:
    """Cancel a letter. Returns the daily limit to decrease after the commit; `None` for a letter of another day.


    Raises `NotificationNotFoundError`, `CannotCancelError`.
    """
    found = select(Notification).where(Notification.id == notification_id, Notification.service_id == service_id)
    letter = session.scalar(found.with_for_update())
    if letter is None:
        raise errors.NotificationNotFoundError
    if letter.notification_type != "letter":
        raise errors.CannotCancelError("Notification cannot be cancelled - only letters can be cancelled")
    if is_too_late_to_cancel(letter.created_at, now):
        label = print_day_label(letter.created_at, now)
        raise errors.CannotCancelError(f"It’s too late to cancel this letter. Printing started {label} at 5.30pm")
    if letter.notification_status == "cancelled":
        raise errors.CannotCancelError("This letter has already been cancelled.")
    if letter.notification_status not in _CANCELLABLE:
        created = letter.created_at.astimezone(UTC).replace(tzinfo=None)
        raise errors.CannotCancelError(
            f"We could not cancel this letter. Letter status: {letter.notification_status}, created_at: {created}"
        )
    letter.notification_status = "cancelled"
    letter.updated_at = now
    session.flush()
    if letter.key_type == "test" or letter.created_at.astimezone(UTC).date() != now.astimezone(UTC).date():
        return None
    return LimitRequest(service_id, letter.key_type, "letter", rate_limit=0, daily_limit=0)


def cancel_message(session: Session, service_id: UUID, notification_id: UUID, now: datetime) -> list[LimitRequest]:
    """Cancel a scheduled message, or a letter. Returns the daily limits to decrease after the commit.


    Raises `NotFoundProblemError`, `CannotCancelError`.
    """
    found = select(Notification).where(Notification.id == notification_id, Notification.service_id == service_id)
    message = session.scalar(found.with_for_update())
    if message is None:
        raise NotFoundProblemError
    if message.notification_type == "letter":
        uncounted = cancel_letter(session, service_id, notification_id, now)
        return [] if uncounted is None else [uncounted]
    if message.scheduled_for is None:
        raise errors.CannotCancelError("Notification cannot be cancelled - it was not scheduled")
    if message.notification_status == "cancelled":
        raise errors.CannotCancelError("Notification has already been cancelled")
    waits = message.notification_status == "created" and message.next_try_at == message.scheduled_for > now
    # the holder of its lock is about to send it: another process's clock may be ahead of ours
    lock = select(func.pg_try_advisory_xact_lock(func.hashtextextended(str(message.id), 6011)))
    if not (waits and session.scalar(lock)):
        raise errors.CannotCancelError("Notification cannot be cancelled - its time has come")
    message.notification_status, message.updated_at = "cancelled", now
    session.flush()
    if message.key_type == "test" or message.created_at.astimezone(UTC).date() != now.astimezone(UTC).date():
        return []
    limit = 0 if is_international(message.phone_prefix) else None
    return [LimitRequest(service_id, message.key_type, message.notification_type, 0, 0, limit)]
