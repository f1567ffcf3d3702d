"""Metrics of limits (contract: workers 19)."""

from __future__ import annotations

from typing import Final

from notify.infra.metrics import QUICK_BUCKETS, Histogram, child

RATE_LIMIT_SECONDS: Final = Histogram(
    "redis_exceeded_rate_limit_duration_seconds",
    "Check of the limits of a batch of requests",
    ["algorithm"],
    buckets=QUICK_BUCKETS,
)
DAILY_LIMIT_SECONDS: Final = Histogram(
    "redis_get_and_incr_daily_limit_duration_seconds", "Counting a batch of messages", buckets=QUICK_BUCKETS
)


def limits_looked_at(seconds: float) -> None:
    """The limits of a batch of requests were checked."""
    child(RATE_LIMIT_SECONDS, "token_bucket").observe(seconds)


def limits_counted(seconds: float) -> None:
    """A batch of messages was counted towards its daily limits."""
    DAILY_LIMIT_SECONDS.observe(seconds)
