"""How much providers send (contract: internal-jobs-billing-platform 5.3 and 8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import Session

from notify.infra.times import local_date, local_midnight
from notify.messages.models import Notification, NotificationHistory
from notify.reporting.counts import REAL_KEY_TYPES

BILLABLE_SMS_STATUSES: Final = ("sending", "sent", "delivered", "pending", "temporary-failure", "permanent-failure")


def sms_units_this_month(session: Session, now: datetime) -> Mapping[str, int]:
    """Billable fragments of text messages since the first of the local month, by provider; an international fragment
    counts as often as it costs more. Providers without any are missing.
    """
    since = local_midnight(local_date(now).replace(day=1))

    def of(table: type[Notification] | type[NotificationHistory]) -> Select[*tuple[Any, ...]]:
        units = func.sum(table.billable_units * func.coalesce(table.rate_multiplier, 1))
        return (
            select(table.sent_by, units)
            .where(
                table.notification_type == "sms",
                table.created_at >= since,
                table.key_type.in_(REAL_KEY_TYPES),
                table.notification_status.in_(BILLABLE_SMS_STATUSES),
                table.sent_by.is_not(None),
            )
            .group_by(table.sent_by)
        )

    units: Counter[str] = Counter()
    for provider, number in session.execute(union_all(of(Notification), of(NotificationHistory))):
        units[provider] += int(number)
    return units
