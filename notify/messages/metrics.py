"""Metrics of messages."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from typing import Final, Protocol

from notify.infra.metrics import Counter, Gauge, Histogram, child

SEND_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)
RECEIPT_BUCKETS: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 28800, 57600, 108000)
NOTIFICATIONS: Final = Counter(
    "notifications", "Messages that came to a status", ["notification_type", "key_type", "status"]
)
SEND_SECONDS: Final = Histogram(
    "notification_send_duration_seconds",
    "From accepting a message to handing it over",
    ["key_type", "notification_type", "provider_name"],
    buckets=SEND_BUCKETS,
)
RECEIPT_SECONDS: Final = Histogram(
    "notification_callback_duration_seconds",
    "From accepting a message to the receipt",
    ["key_type", "notification_status", "notification_type", "provider_name", "notification_sms_international"],
    buckets=RECEIPT_BUCKETS,
)
NOT_DELIVERED_WITHIN: Final = Gauge(
    "provider_sms_legacy_not_delivered_within",
    "Share of texts not delivered within the window",
    ["provider_name", "time_window_delivery", "time_window_evaluation"],
    multiprocess_mode="livemostrecent",
)


def messages_became(notification_type: str, key_type: str, status: str, number: int = 1) -> None:
    """Messages got a status. `created` counts accepted ones."""
    child(NOTIFICATIONS, notification_type, key_type, status).inc(number)


def message_sent(notification_type: str, key_type: str, provider: str, seconds: float) -> None:
    """A message was sent, `seconds` after it was accepted."""
    child(SEND_SECONDS, key_type, notification_type, provider).observe(seconds)


def receipt_applied(
    notification_type: str, key_type: str, provider: str, status: str, international: bool, seconds: float
) -> None:
    """A receipt changed a message's status, `seconds` after it was accepted."""
    word = "true" if international else "false"
    child(RECEIPT_SECONDS, key_type, status, notification_type, provider, word).observe(seconds)


def not_delivered_within(provider: str, window_seconds: int, evaluation_seconds: int, share: float) -> None:
    """This share of a provider's texts in the evaluated time was not delivered within the window."""
    child(NOT_DELIVERED_WITHIN, provider, str(window_seconds), str(evaluation_seconds)).set(share)


class Delivery(Protocol):
    """A message after the result of its delivery was written. `is_current`: it has the status of the result; False if
    an earlier receipt changed it, which has already been counted. `sent_by`: None if it was not sent. `seconds`: since
    the message was accepted.
    """

    @property
    def notification_type(self) -> str: ...
    @property
    def key_type(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def is_current(self) -> bool: ...
    @property
    def sent_by(self) -> str | None: ...
    @property
    def seconds(self) -> float: ...


class AppliedReceipt(Protocol):
    """A message after a receipt changed it. `seconds`: since the message was accepted."""

    @property
    def notification_type(self) -> str: ...
    @property
    def key_type(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def sent_by(self) -> str: ...
    @property
    def international(self) -> bool: ...
    @property
    def seconds(self) -> float: ...


def measure_deliveries(deliveries: Iterable[Delivery]) -> None:
    """Count written results."""
    became: Tally[tuple[str, str, str]] = Tally()
    for one in deliveries:
        if one.is_current and one.status != "created":
            became[one.notification_type, one.key_type, one.status] += 1
        if one.sent_by is not None:
            message_sent(one.notification_type, one.key_type, one.sent_by, one.seconds)
    _count_all(became)


def measure_receipts(receipts: Iterable[AppliedReceipt]) -> None:
    """Count applied receipts."""
    became: Tally[tuple[str, str, str]] = Tally()
    for one in receipts:
        became[one.notification_type, one.key_type, one.status] += 1
        receipt_applied(one.notification_type, one.key_type, one.sent_by, one.status, one.international, one.seconds)
    _count_all(became)


def measure_statuses(messages: Iterable[tuple[str, str, str]]) -> None:
    """Count messages that got a status: type, key type and status of each."""
    _count_all(Tally(messages))


def _count_all(became: Tally[tuple[str, str, str]]) -> None:
    for (notification_type, key_type, status), number in became.items():
        messages_became(notification_type, key_type, status, number)
