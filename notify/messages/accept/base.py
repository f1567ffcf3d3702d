"""Who sends a message, and what accepting it answers."""

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
    """A service that sends, by one of its keys."""

    service: CachedService
    key: CachedApiKey
    keep: Callable[[Any], KeptAnswer] | None = None
    """Where the request has an idempotency key: the answer to it, to be stored with what was accepted."""

    def kept(self, accepted: Any) -> KeptAnswer | None:
        """The answer to keep with what was accepted, if any."""
        return None if self.keep is None else self.keep(accepted)


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """A message that was accepted, as the answer to its sender shows it."""

    id: UUID
    template: CompiledTemplate
    reference: str | None
    body: str
    subject: str | None = None
    sender: str | None = None
    one_click_unsubscribe_url: str | None = None
    scheduled_for: datetime | None = None
    sanitised: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Values that were sanitised, by their names: each before and after."""
