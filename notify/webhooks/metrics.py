"""Metrics of callbacks (contract: workers 19)."""

from __future__ import annotations

from typing import Final

from notify.infra.metrics import HTTP_BUCKETS, Counter, Histogram, child

CALLBACKS: Final = Counter("service_callbacks", "Tries to tell a service something", ["callback_type", "outcome"])
CALLBACK_SECONDS: Final = Histogram(
    "service_callback_request_duration_seconds",
    "Calls to services",
    ["callback_type", "error_type"],
    buckets=HTTP_BUCKETS,
)


def service_called(callback_type: str, outcome: str, seconds: float | None = None, failure: str = "") -> None:
    """Count an attempt to send a callback. `outcome` is `taken`, `refused` or `failed`, with the duration of the call
    and the kind of error; or `given_up`, after the last attempt failed.
    """
    child(CALLBACKS, callback_type, outcome).inc()
    if seconds is not None:
        child(CALLBACK_SECONDS, callback_type, failure).observe(seconds)
