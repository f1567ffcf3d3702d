"""The retention period of a service's jobs and their files (contract: internal-jobs 1.7, 2, 3)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import SQLColumnExpression, Text, cast, func, literal, select

from notify.services.models import DataRetention
from notify.services.retention import MOST_DAYS, USUAL_RETENTION_DAYS


def kept_since(now: datetime, service_id: SQLColumnExpression[Any], kind: SQLColumnExpression[Any]) -> Any:
    """SQL: today's UTC midnight minus the service's days of retention for a type of message."""
    today = datetime.combine(now.astimezone(UTC).date(), datetime.min.time(), UTC)
    days = (
        select(DataRetention.days_of_retention)
        .where(
            DataRetention.service_id == service_id,
            # cast: the columns have different enumeration types with the same values
            cast(DataRetention.notification_type, Text) == cast(kind, Text),
        )
        .correlate_except(DataRetention)
        .scalar_subquery()
    )
    return literal(today) - func.make_interval(
        0, 0, 0, func.least(func.greatest(func.coalesce(days, USUAL_RETENTION_DAYS), 0), MOST_DAYS)
    )
