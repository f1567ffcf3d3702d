"""Requests for reports: files of messages that are created in the background (contract: internal-jobs 4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from notify.infra.errors import NotFoundProblemError
from notify.jobs.models import ReportRequest

UNDER_WAY: Final = ("pending", "in progress")
ALIVE_FOR: Final = timedelta(minutes=30)
"""A request without progress for longer counts as lost."""
KEPT_FOR: Final = timedelta(days=1)
LOOKED_AT_FOR: Final = timedelta(days=5)

_ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


class Requested(NamedTuple):
    """A request, and whether it is new. A new one must be published after the commit."""

    request: ReportRequest
    is_new: bool


def get_request(session: Session, service_id: UUID, request_id: UUID) -> ReportRequest:
    """A service's request. Raises `NotFoundProblemError`, also for one whose file was deleted."""
    request = session.get(ReportRequest, request_id)
    if request is None or request.service_id != service_id or request.status == "deleted":
        raise NotFoundProblemError
    return request


def request_report(
    session: Session,
    service_id: UUID,
    *,
    user_id: UUID,
    notification_type: str,
    notification_status: str,
    now: datetime,
) -> Requested:
    """Request a report. If the same user has an equal request in progress, the oldest of these is returned."""
    parameter = {"notification_type": notification_type, "notification_status": notification_status}
    session.execute(_ONE_AT_A_TIME, {"name": f"report {service_id} {user_id}"})
    moved = func.coalesce(ReportRequest.updated_at, ReportRequest.created_at)
    present = session.scalar(
        select(ReportRequest)
        .where(
            ReportRequest.service_id == service_id,
            ReportRequest.user_id == user_id,
            ReportRequest.report_type == "notifications",
            ReportRequest.parameter == parameter,
            ReportRequest.status.in_(UNDER_WAY),
            moved >= now - ALIVE_FOR,
        )
        .order_by(ReportRequest.created_at)
        .limit(1)
    )
    if present is not None:
        return Requested(present, is_new=False)
    request = ReportRequest(
        service_id=service_id, user_id=user_id, report_type="notifications", parameter=parameter, created_at=now
    )
    session.add(request)
    session.flush()
    return Requested(request, is_new=True)


def mark_deleted(session: Session, now: datetime) -> list[UUID]:
    """Mark requests made between one and five days ago as deleted. Returns their ids, to delete their files."""
    gone = update(ReportRequest).where(
        ReportRequest.created_at.between(now - LOOKED_AT_FOR, now - KEPT_FOR), ReportRequest.status != "deleted"
    )
    return list(session.scalars(gone.values(status="deleted", updated_at=now).returning(ReportRequest.id)))
