"""Metrics of received texts (contract: workers 19)."""

from __future__ import annotations

from typing import Final

from notify.infra.metrics import Counter, child

INBOUND_SMS: Final = Counter("inbound_sms", "Received texts", ["provider"])


def text_received(provider: str) -> None:
    """A text was received."""
    child(INBOUND_SMS, provider).inc()
