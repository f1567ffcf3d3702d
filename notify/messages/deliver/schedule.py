"""When a message is tried again (contract: workers 6.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

SHORTEST_PAUSE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 30.0
LONG: Final = timedelta(minutes=1)
GRID_SECONDS: Final = 5


class NextTry(NamedTuple):
    """The number of counted tries of a message, and when the next one is due."""

    tries: int
    at: datetime


class RetrySchedule:
    """Tries are `seconds` apart and end after `most` retries, whether or not there was a provider."""

    def __init__(self, seconds: float, most: int) -> None:
        self._interval = timedelta(seconds=seconds)
        self._most = most

    def after_failure(self, notification_type: str, tries: int, now: datetime) -> NextTry | None:
        """After a try that failed. None: that was the last one."""
        # the first try of a text includes its first retry (workers 6.2)
        counted = tries + (2 if notification_type == "sms" and tries == 0 else 1)
        return NextTry(counted, self._next(now)) if counted <= self._most else None

    def after_waiting(
        self, notification_type: str, tries: int, next_try_at: datetime | None, now: datetime
    ) -> NextTry | None:
        """For a message without an available provider. It waits until the next try would be due, which then counts as
        failed. None: that was the last one.
        """
        if next_try_at is None:
            return NextTry(tries, self._next(now))
        if next_try_at > now:
            return NextTry(tries, next_try_at)
        return self.after_failure(notification_type, tries, now)

    def _next(self, now: datetime) -> datetime:
        due = now + self._interval
        if self._interval < LONG:
            return due
        # round, so that messages that fail within seconds of each other are retried together, by one task
        return datetime.fromtimestamp(round(due.timestamp() / GRID_SECONDS) * GRID_SECONDS, UTC)

    def pause(self, next_try_at: datetime, now: datetime) -> float:
        """Seconds until the next check for an available provider: longer, the longer the message has waited."""
        left = (next_try_at - now).total_seconds()
        waited = self._interval.total_seconds() - left
        return min(max(waited, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS, max(left, 1.0))
