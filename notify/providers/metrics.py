"""What is counted and traced of calls to providers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from notify.infra import metrics, tracing
from notify.providers.base import ProviderError


@contextmanager
def provider_call(notification_type: str, provider: str, id_: UUID) -> Iterator[None]:
    """Around handing one message to a provider."""
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
        metrics.provider_called(notification_type, provider, time.perf_counter() - began, failure)
