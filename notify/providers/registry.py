"""Every provider by identifier and type, and the instances of one process."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final, Self

from notify.infra.container import Container
from notify.infra.outbound import Outbound
from notify.providers import sandbox
from notify.providers.base import Provider
from notify.providers.firetext import Firetext
from notify.providers.mmg import MMG
from notify.providers.sandbox import SandboxEmail, SandboxSMS
from notify.providers.ses import SES
from notify.providers.smtp import SMTP
from notify.settings import Settings

Key = tuple[str, str]
"""Identifier and notification type."""

PROVIDERS: Final[Mapping[Key, type[Provider[Any]]]] = {
    (provider.identifier, provider.notification_type): provider
    for provider in (MMG, Firetext, SES, SMTP, SandboxSMS, SandboxEmail)
}


class UnknownProviderError(LookupError):
    """There is no provider of this identifier and type."""


def find(identifier: str, notification_type: str) -> type[Provider[Any]]:
    """The class of a provider. Raises `UnknownProviderError`."""
    try:
        return PROVIDERS[identifier, notification_type]
    except KeyError:
        raise UnknownProviderError(f"no provider {identifier!r} of {notification_type}") from None


def configured(settings: Settings) -> frozenset[Key]:
    """The providers that the settings say how to reach. The sandbox steps back for any real one of its type: nothing
    that should reach a person may end there.
    """
    able = {key for key, provider in PROVIDERS.items() if provider.is_configured(settings)}
    real_types = {notification_type for identifier, notification_type in able if identifier != sandbox.IDENTIFIER}
    return frozenset(
        (identifier, notification_type)
        for identifier, notification_type in able
        if identifier != sandbox.IDENTIFIER or notification_type not in real_types
    )


def configured_texts(settings: Settings) -> frozenset[str]:
    """Identifiers of the configured providers of text messages."""
    return frozenset(identifier for identifier, kind in configured(settings) if kind == "sms")


class ProviderPool:
    """The provider instances of one process, each built at its first use."""

    def __init__(self, settings: Settings, outbound: Outbound) -> None:
        self._settings = settings
        self._outbound = outbound
        self._instances: dict[Key, Provider[Any]] = {}
        self._lock = threading.Lock()

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        return cls(container.parts.settings, container.get(Outbound))

    def get(self, identifier: str, notification_type: str) -> Provider[Any]:
        """The instance of a provider. Raises `UnknownProviderError`."""
        key = (identifier, notification_type)
        instance = self._instances.get(key)
        if instance is None:
            with self._lock:
                instance = self._instances.get(key)
                if instance is None:
                    instance = find(identifier, notification_type)(self._settings, self._outbound)
                    self._instances[key] = instance
        return instance

    def close(self) -> None:
        """Close every instance; the outbound loop must still run."""
        with self._lock:
            instances = list(self._instances.values())
            self._instances.clear()
        for instance in instances:
            self._outbound.run(instance.close()).result(timeout=10)
