"""The bodies of callbacks (contract: public-api 14.3, 14.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from notify.infra.times import format_datetime, format_optional


def delivery_status(
    *,
    notification_id: UUID,
    reference: str | None,
    to: str,
    status: str,
    created_at: datetime,
    completed_at: datetime | None,
    sent_at: datetime | None,
    notification_type: str,
    template_id: UUID,
    template_version: int,
) -> dict[str, Any]:
    """The status of a text message or an email. `reference` is the client's."""
    return {
        "id": notification_id,
        "reference": reference,
        "to": to,
        "status": status,
        "created_at": format_datetime(created_at),
        "completed_at": format_optional(completed_at),
        "sent_at": format_optional(sent_at),
        "notification_type": notification_type,
        "template_id": template_id,
        "template_version": template_version,
    }


def received_text(
    *, inbound_sms_id: UUID, source_number: str, destination_number: str, message: str, date_received: datetime
) -> dict[str, Any]:
    """A text message that a person sent to the service."""
    return {
        "id": inbound_sms_id,
        "source_number": source_number,
        "destination_number": destination_number,
        "message": message,
        "date_received": format_datetime(date_received),
    }


def complaint(
    *, notification_id: UUID, complaint_id: UUID, reference: str | None, to: str | None, complaint_date: datetime | None
) -> dict[str, Any]:
    """A recipient marked an email as spam. `reference` is the client's, `to` the address in the provider's report."""
    return {
        "notification_id": notification_id,
        "complaint_id": complaint_id,
        "reference": reference,
        "to": to,
        "complaint_date": format_optional(complaint_date),
    }


def returned_letter(
    *,
    notification_id: UUID,
    reference: str | None,
    created_at: datetime,
    sender_email: str | None,
    template_name: str | None,
    template_id: UUID | None,
    template_version: int | None,
    spreadsheet_file_name: str | None,
    job_row_number: int | None,
    uploaded_file_name: str | None,
) -> dict[str, Any]:
    """A letter was returned. `reference` is the client's, and None unless the letter was sent through the API, in which
    case `sender_email` is None. The template fields are None for a letter without a template. `job_row_number` counts
    from 0; the callback contains the row of the file, where the first row below the headings is 2.
    """
    return {
        "notification_id": notification_id,
        "reference": reference,
        "date_sent": format_datetime(created_at),
        "sent_by": sender_email or "API",
        "template_name": template_name,
        "template_id": str(template_id),  # the contract has the text "None" if there is no template
        "template_version": template_version,
        "spreadsheet_file_name": spreadsheet_file_name,
        "spreadsheet_row_number": None if job_row_number is None else job_row_number + 2,
        "upload_letter_file_name": uploaded_file_name,
    }
