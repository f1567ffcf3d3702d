"""Queries for providers."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.providers.models import ProviderDetails


class Weight(NamedTuple):
    """A provider's share of the traffic of its type; shares are relative to each other."""

    identifier: str
    notification_type: str
    priority: int
    active: bool
    supports_international: bool
    updated_at: datetime | None


def weights(session: Session) -> list[Weight]:
    """Every provider, by type and identifier."""
    table = ProviderDetails
    rows = session.execute(
        select(
            table.identifier,
            table.notification_type,
            table.priority,
            table.active,
            table.supports_international,
            table.updated_at,
        ).order_by(table.notification_type, table.identifier)
    )
    return [Weight(*row) for row in rows]
