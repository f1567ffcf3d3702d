"""What is counted of messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from notify.infra import metrics


def measure_deliveries(rows: Iterable[Sequence[Any]]) -> None:
    """What was written of deliveries: rows of type, key type, status meant, whether it is that now, provider (null: not
    handed over), seconds since the message was accepted. A receipt that was faster has been counted already.
    """
    became: Counter[tuple[str, str, str]] = Counter()
    for notification_type, key_type, status, is_so, provider, seconds in rows:
        if is_so and status != "created":
            became[notification_type, key_type, status] += 1
        if provider is not None:
            metrics.message_sent(notification_type, key_type, provider, seconds)
    _count(became)


def measure_receipts(rows: Iterable[Sequence[Any]]) -> None:
    """What receipts changed: rows of type, key type, new status, provider, whether it went abroad, seconds since the
    message was accepted.
    """
    became: Counter[tuple[str, str, str]] = Counter()
    for notification_type, key_type, status, provider, international, seconds in rows:
        became[notification_type, key_type, status] += 1
        metrics.receipt_applied(notification_type, key_type, provider, status, international, seconds)
    _count(became)


def measure_statuses(messages: Iterable[tuple[str, str, str]]) -> None:
    """Messages that came to a status: type, key type and status of each."""
    _count(Counter(messages))


def _count(became: Counter[tuple[str, str, str]]) -> None:
    for (notification_type, key_type, status), number in became.items():
        metrics.messages_became(notification_type, key_type, status, number)
