"""Every provider by identifier and type, and the instances of one process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from notify.providers.registration import Registration
from notify.providers.sandbox import IDENTIFIER as SANDBOX
from notify.settings import Settings

if TYPE_CHECKING:
    from notify.infra.container import Container
    from notify.infra.outbound import Outbound
    from notify.providers.base import Provider
    from notify.providers.receiving import Receiver

Key = tuple[str, str]
"""Identifier and notification type."""

NAMES: Final = ("firetext", "mmg", "sandbox", "ses", "smtp")
"""The folders of the providers. To add one, create a folder like the others, and name it here."""

PROVIDERS: Final[Mapping[Key, Registration]] = {
    (provider.identifier, provider.notification_type): provider
    for name in NAMES
    for provider in import_module(f"notify.providers.{name}").PROVIDERS
}


class UnknownProviderError(LookupError):
    """There is no such provider of this type, or it cannot be used here."""


def find(identifier: str, notification_type: str) -> Registration:
    """A provider. Raises `UnknownProviderError`."""
    try:
        return PROVIDERS[identifier, notification_type]
    except KeyError:
        raise UnknownProviderError(f"no provider {identifier!r} of {notification_type}") from None


def configured(settings: Settings) -> frozenset[Key]:
    """The configured providers. The sandbox is excluded if there is a real one of its type, so that no message for a
    person ends there.
    """
    able = {key for key, provider in PROVIDERS.items() if provider.is_configured(settings)}
    real_types = {notification_type for identifier, notification_type in able if identifier != SANDBOX}
    return frozenset(
        (identifier, notification_type)
        for identifier, notification_type in able
        if identifier != SANDBOX or notification_type not in real_types
    )


def configured_texts(settings: Settings) -> frozenset[str]:
    """Identifiers of the configured providers of text messages."""
    return frozenset(identifier for identifier, kind in configured(settings) if kind == "sms")


T = TypeVar("T")


class _Instances(Generic[T]):
    """One instance per provider, created at its first use. Thread-safe."""

    def __init__(self, make: Callable[[Registration], T]) -> None:
        self._make = make
        self._made: dict[Key, T] = {}
        self._lock = threading.Lock()

    def get(self, identifier: str, notification_type: str) -> T:
        key = (identifier, notification_type)
        instance = self._made.get(key)
        if instance is None:
            with self._lock:
                instance = self._made.get(key)
                if instance is None:
                    instance = self._made[key] = self._make(find(identifier, notification_type))
        return instance

    def take_all(self) -> list[T]:
        with self._lock:
            taken = list(self._made.values())
            self._made.clear()
        return taken


class ProviderPool:
    """The senders of one process, each made at its first use."""

    def __init__(self, settings: Settings, outbound: Outbound) -> None:
        self._outbound = outbound
        self._instances: _Instances[Provider[Any]] = _Instances(
            lambda provider: provider.load_sender()(settings, outbound)
        )

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        from notify.infra.outbound import Outbound

        return cls(container.parts.settings, container.get(Outbound))

    def get(self, identifier: str, notification_type: str) -> Provider[Any]:
        """The sender of a provider. Raises `UnknownProviderError`."""
        return self._instances.get(identifier, notification_type)

    def close(self) -> None:
        """Close every instance; the outbound loop must still run."""
        for instance in self._instances.take_all():
            self._outbound.run(instance.close()).result(timeout=10)


class ReceiverPool:
    """The receivers of one process, each made at its first use."""

    def __init__(self, settings: Settings) -> None:
        self._instances: _Instances[Receiver] = _Instances(lambda provider: _make_receiver(provider, settings))

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.settings)

    def get(self, identifier: str, notification_type: str) -> Receiver:
        """The receiver of a provider. Raises `UnknownProviderError`, also for one that sends us nothing."""
        return self._instances.get(identifier, notification_type)


def _make_receiver(provider: Registration, settings: Settings) -> Receiver:
    receiver = provider.load_receiver()
    if receiver is None:
        raise UnknownProviderError(f"{provider.identifier} sends us nothing")
    return receiver(settings)
