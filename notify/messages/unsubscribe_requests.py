"""The requests of a report with data of their messages (contract: internal-services 14.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from notify.messages.hooks import job_files

NO_FILE: Final = "N/A"

_REQUESTS: Final = text(
    """
SELECT r.email_address, t.name, coalesce(n.job_id, h.job_id) AS job_id, coalesce(n.sent_at, h.sent_at) AS sent_at,
       r.created_at, n.id IS NOT NULL AS is_live
FROM unsubscribe_request r
LEFT JOIN notifications n ON n.id = r.notification_id
LEFT JOIN LATERAL (
    SELECT id, job_id, sent_at FROM notification_history WHERE id = r.notification_id AND n.id IS NULL LIMIT 1
) h ON true
LEFT JOIN templates_history t ON t.id = r.template_id AND t.version = r.template_version
WHERE r.unsubscribe_request_report_id = :report_id AND r.service_id = :service_id
      AND (n.id IS NOT NULL OR h.id IS NOT NULL)
"""
)


class ReportedRequest(NamedTuple):
    """A request for the service's report."""

    email_address: str
    template_name: str
    original_file_name: str
    template_sent_at: datetime | None
    unsubscribe_request_received_at: datetime
    is_live: bool
    """Whether its message is still within its retention period."""


def requests_of_report(session: Session, service_id: UUID, report_id: UUID) -> list[ReportedRequest]:
    """A report's requests whose message is known: first those of live messages, then those in the history; each ordered
    by the names of template and file, newest messages first.
    """
    rows = session.execute(_REQUESTS, {"service_id": service_id, "report_id": report_id}).all()
    names = job_files.names(session, {row.job_id for row in rows if row.job_id is not None})
    requests = [
        ReportedRequest(
            email_address=row.email_address,
            template_name=row.name or "",
            original_file_name=names.get(row.job_id, NO_FILE),
            template_sent_at=row.sent_at,
            unsubscribe_request_received_at=row.created_at,
            is_live=row.is_live,
        )
        for row in rows
    ]
    return sorted(requests, key=_order)


def _order(request: ReportedRequest) -> tuple[bool, str, str, float]:
    sent = request.template_sent_at
    return not request.is_live, request.template_name, request.original_file_name, -sent.timestamp() if sent else 0.0
