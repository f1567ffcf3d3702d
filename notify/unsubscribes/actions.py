"""Recording unsubscribe requests (contract: public-api 14.1)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from notify.accounts.models import User
from notify.unsubscribes.models import UnsubscribeRequest, UnsubscribeRequestReport

RESEARCH_SERVICE: Final = UUID("6c335bf6-ea00-45f1-a40c-6612c7639386")
FEATURES_SERVICE: Final = UUID("2242f811-1027-44c0-b7d1-1459823d6740")
"""The built-in services that email Notify's users: unsubscribing from them changes the user instead."""

_USER_COLUMNS: Final = {RESEARCH_SERVICE: "take_part_in_research", FEATURES_SERVICE: "receives_new_features_email"}


def is_waiting(session: Session, notification_id: UUID, address: str) -> bool:
    """Whether an earlier request of this address for this message is still unprocessed."""
    request, report = UnsubscribeRequest, UnsubscribeRequestReport
    query = (
        select(request.id)
        .outerjoin(report, report.id == request.unsubscribe_request_report_id)
        .where(
            request.notification_id == notification_id,
            request.email_address == address,
            report.processed_by_service_at.is_(None),
        )
        .limit(1)
    )
    return session.scalar(query) is not None


def record_request(
    session: Session,
    notification_id: UUID,
    address: str,
    *,
    service_id: UUID,
    template_id: UUID,
    template_version: int,
) -> bool:
    """Record that the recipient of a message unsubscribes; returns False if an unprocessed request already exists.

    Safe to repeat and to call concurrently for the same message: one request is recorded.
    """
    if is_waiting(session, notification_id, address):
        return False
    statement = (
        insert(UnsubscribeRequest)
        .values(
            notification_id=notification_id,
            service_id=service_id,
            template_id=template_id,
            template_version=template_version,
            email_address=address,
        )
        .on_conflict_do_nothing()
        .returning(UnsubscribeRequest.id)
    )
    return session.scalar(statement) is not None


def unsubscribe_user(session: Session, service_id: UUID, address: str) -> UUID | None:
    """Unsubscribe a user of Notify from the emails of Notify itself; returns their id.

    None if the service is not a built-in one, or no user has this address: then it is an ordinary request.
    """
    column = _USER_COLUMNS.get(service_id)
    if column is None:
        return None
    is_theirs = func.lower(User.email_address) == func.lower(address)
    return session.scalar(update(User).where(is_theirs).values({column: False}).returning(User.id))


def cache_keys(service_id: UUID) -> tuple[str, str]:
    """Keys under which the admin app caches a service's requests; delete them after a change."""
    prefix = f"service-{service_id}-unsubscribe-request"
    return f"{prefix}-statistics", f"{prefix}-reports-summary"
