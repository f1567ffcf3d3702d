"""The sender of a message, and the result of accepting it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from notify.messages.idempotency import KeptAnswer
from notify.services.queries import CachedApiKey, CachedService
from notify.templates.cache import CompiledTemplate


@dataclass(frozen=True, slots=True)
class Caller:
    """A service that sends, and the API key it uses."""

    service: CachedService
    key: CachedApiKey
    keep: Callable[[Any], KeptAnswer] | None = None
    """Makes the answer to store with the accepted message, for a request with an idempotency key."""

    def kept(self, accepted: Any) -> KeptAnswer | None:
        """The answer to store with the accepted message, if any."""
        return None if self.keep is None else self.keep(accepted)


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """An accepted message, for the answer to its sender."""

    id: UUID
    template: CompiledTemplate
    reference: str | None
    body: str
    subject: str | None = None
    sender: str | None = None
    one_click_unsubscribe_url: str | None = None
    scheduled_for: datetime | None = None
    sanitised: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Sanitised values by name: each before and after."""
