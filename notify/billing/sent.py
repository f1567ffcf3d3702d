"""How many messages services were billed for (contract: internal-services 10.5)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.billing.models import BillingFact


def count_sent(session: Session, service_id: UUID, types: Collection[str], since: date) -> int:
    """The number of messages that a service sent from a local day on, by the billing facts. No types: all types."""
    query = select(func.sum(BillingFact.notifications_sent)).where(
        BillingFact.service_id == service_id, BillingFact.bst_date >= since
    )
    if types:
        query = query.where(BillingFact.notification_type.in_(types))
    return session.scalar(query) or 0
