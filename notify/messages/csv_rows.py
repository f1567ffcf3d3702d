"""Messages as rows of a CSV file that people download (contract: internal-services 10.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from notify.messages.details import MessageDetails

_COMMON: Final = {
    "failed": "Failed",
    "technical-failure": "Technical failure",
    "delivered": "Delivered",
    "sending": "Sending",
    "created": "Sending",
}
_LABELS: Final = {
    "email": {
        **_COMMON,
        "temporary-failure": "Inbox not accepting messages right now",
        "permanent-failure": "Email address doesn’t exist",
        "sent": "Delivered",
    },
    "sms": {
        **_COMMON,
        "temporary-failure": "Phone not accepting messages right now",
        "permanent-failure": "Phone number doesn’t exist",
        "sent": "Sent internationally",
    },
    "letter": {
        "technical-failure": "Technical failure",
        "permanent-failure": "Permanent failure",
        "sending": "Accepted",
        "created": "Accepted",
        "delivered": "Received",
        "returned-letter": "Returned",
    },
}


class CsvRow(NamedTuple):
    """A row. Missing values are empty texts or None, as in the contract."""

    id: UUID
    row_number: int | str
    recipient: str
    client_reference: str
    template_name: str
    template_type: str
    job_name: str
    status: str
    created_at: datetime
    created_by_name: str | None
    created_by_email_address: str | None
    api_key_name: str | None


def csv_row(message: MessageDetails) -> CsvRow:
    """The row of a message. Rows of spreadsheets are counted from 1."""
    sender = message.created_by
    return CsvRow(
        id=message.id,
        row_number="" if message.job_row_number is None else message.job_row_number + 1,
        recipient=message.to,
        client_reference=message.client_reference or "",
        template_name=message.template.name,
        template_type=message.notification_type,
        job_name="" if message.job is None else message.job.original_file_name,
        status=status_label(message.notification_type, message.status),
        created_at=message.created_at,
        created_by_name=None if sender is None else sender.name,
        created_by_email_address=None if sender is None else sender.email_address,
        api_key_name=message.key_name,
    )


def status_label(notification_type: str, status: str) -> str:
    """The status in words for people; the status itself if there are none."""
    return _LABELS[notification_type].get(status, status)
