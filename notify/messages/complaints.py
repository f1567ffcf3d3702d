"""Complaints: recipients who marked an email as spam."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class StoredComplaint:
    """A complaint that is on disk, with what its service gets to know (contract: public-api 14.4). `recipient` is in no
    table.
    """

    id: UUID
    notification_id: UUID
    service_id: UUID
    client_reference: str | None
    recipient: str | None
    complaint_date: datetime | None
