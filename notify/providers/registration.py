"""The registration of a provider, which does not load its code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from notify.providers.base import ProviderType
from notify.settings import Settings

if TYPE_CHECKING:
    from notify.providers.base import Provider
    from notify.providers.receiving import Receiver

BasicAuth = tuple[str, str]
"""User and password."""


def _no_credentials(_settings: Settings) -> BasicAuth | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A provider of one type of message.

    `sender` and `receiver` name classes, as `module:class`, that are imported at their first use, so that processes
    only load what they need. `receiver` is None if the provider sends us nothing over HTTP. `is_configured` tells
    whether the settings are complete, `receipt_credentials` returns the credentials that its receipts must have.
    """

    identifier: str
    notification_type: ProviderType
    is_configured: Callable[[Settings], bool]
    sender: str
    receiver: str | None = None
    receipt_credentials: Callable[[Settings], BasicAuth | None] = _no_credentials
    supports_international: bool = False

    def load_sender(self) -> type[Provider[Any]]:
        """The class that sends."""
        found: type[Provider[Any]] = _load(self.sender)
        return found

    def load_receiver(self) -> type[Receiver] | None:
        """The class that reads the provider's requests, if it sends any."""
        if self.receiver is None:
            return None
        found: type[Receiver] = _load(self.receiver)
        return found


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
