"""The reports of one day about a service's returned letters (contract: internal-jobs-billing-platform 13)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from notify.messages.hooks import job_files

_LETTERS: Final = text("""
SELECT r.notification_id, r.reported_at, m.created_at, m.client_reference, m.api_key_id, m.job_id, m.job_row_number,
       m.template_id, m.template_version, t.name AS template_name, coalesce(t.hidden, false) AS is_hidden,
       u.name AS user_name, u.email_address, m.id IS NULL AS is_orphan
FROM returned_letters r
LEFT JOIN LATERAL (
    SELECT id, created_at, client_reference, api_key_id, job_id, job_row_number, template_id, template_version,
           created_by_id
    FROM notifications WHERE id = r.notification_id
    UNION ALL
    SELECT id, created_at, client_reference, api_key_id, job_id, job_row_number, template_id, template_version,
           created_by_id
    FROM notification_history WHERE id = r.notification_id
    LIMIT 1
) m ON true
LEFT JOIN templates_history t ON t.id = m.template_id AND t.version = m.template_version
LEFT JOIN users u ON u.id = m.created_by_id
WHERE r.service_id = :service_id AND r.reported_at = :reported_at
ORDER BY m.created_at DESC, r.notification_id DESC
""")


class ReportedLetter(NamedTuple):
    """A letter in a report."""

    notification_id: UUID
    client_reference: str | None
    reported_at: date
    created_at: datetime
    template_name: str | None
    template_id: UUID | None
    template_version: int | None
    user_name: str
    email_address: str
    original_file_name: str | None
    job_row_number: int | None
    uploaded_letter_file_name: str | None


class Report(NamedTuple):
    """The letters of a report, and the number of those that are no longer stored."""

    returned_letters: list[ReportedLetter]
    orphaned_count: int


def read_report(session: Session, service_id: UUID, reported_at: date) -> Report:
    """A service's letters that were reported on a day, the newest letter first."""
    rows = session.execute(_LETTERS, {"service_id": service_id, "reported_at": reported_at}).all()
    known = [row for row in rows if not row.is_orphan]
    names = job_files.names(session, {row.job_id for row in known if row.job_id})
    letters = [
        ReportedLetter(
            notification_id=row.notification_id,
            client_reference=row.client_reference if row.api_key_id else None,
            reported_at=row.reported_at,
            created_at=row.created_at,
            template_name=None if row.is_hidden else row.template_name,
            template_id=None if row.is_hidden else row.template_id,
            template_version=None if row.is_hidden else row.template_version,
            user_name=row.user_name or "API",
            email_address=row.email_address or "API",
            original_file_name=names.get(row.job_id),
            job_row_number=None if row.job_row_number is None else row.job_row_number + 2,
            uploaded_letter_file_name=row.client_reference if row.is_hidden and not row.api_key_id else None,
        )
        for row in known
    ]
    return Report(letters, len(rows) - len(known))
