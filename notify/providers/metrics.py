"""Metrics and traces of calls to providers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from notify.infra import tracing
from notify.infra.metrics import HTTP_BUCKETS, Counter, Gauge, Histogram, child
from notify.providers.base import ProviderError

PROVIDER_SECONDS: Final = Histogram(
    "provider_request_duration_seconds",
    "Calls to a provider; error_type is empty if it accepted the message",
    ["notification_type", "provider_name", "error_type"],
    buckets=HTTP_BUCKETS,
)
PROVIDER_FAILURES: Final = Counter(
    "provider_failures", "Failed calls to a provider, by kind", ["notification_type", "provider_name", "kind"]
)
BREAKERS: Final = Gauge(
    "provider_breakers",
    "Worker processes whose breaker of a provider is in a state",
    ["notification_type", "provider_name", "state"],
    multiprocess_mode="livesum",
)


def provider_called(notification_type: str, provider: str, seconds: float, failure: str = "") -> None:
    """A provider was called. `failure` is the kind of error, if any."""
    child(PROVIDER_SECONDS, notification_type, provider, failure).observe(seconds)
    if failure:
        child(PROVIDER_FAILURES, notification_type, provider, failure).inc()


def breaker_moved(notification_type: str, provider: str, before: str, state: str) -> None:
    """This process's breaker of a provider changed its state; `before` is empty if the breaker is new."""
    if before:
        child(BREAKERS, notification_type, provider, before).dec()
    child(BREAKERS, notification_type, provider, state).inc()


@contextmanager
def provider_call(notification_type: str, provider: str, id_: UUID) -> Iterator[None]:
    """A span around the call that sends one message."""
    attributes = {"notification.id": str(id_), "notification.type": notification_type, "provider.name": provider}
    began = time.perf_counter()
    failure = ""
    try:
        with tracing.message_span(f"send {notification_type}", str(id_), kind="CLIENT", attributes=attributes):
            yield
    except ProviderError as error:
        failure = error.kind
        raise
    except Exception as error:
        failure = type(error).__name__
        raise
    finally:
        provider_called(notification_type, provider, time.perf_counter() - began, failure)
