"""Services for authentication and sending, cached for two seconds per process (contract: public-api 1.3)."""

from __future__ import annotations

from threading import Condition
from typing import Any, Self, TypeVar
from uuid import UUID

from cachetools import TTLCache, cached

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.secrets import Encryptor
from notify.services import queries
from notify.services.queries import CachedService

SECONDS = 2
ENTRIES = 1024

_V = TypeVar("_V")
_Entries = TTLCache[tuple[Any, ...], _V | None]
"""Entries by the arguments of the look-up."""


class ServiceCache:
    """Looks up services and their senders. A result may be two seconds old, unless this process made the change and
    called `forget`. If several threads miss the same entry at the same time, only one queries the database.
    """

    def __init__(self, database: Database, encryptor: Encryptor) -> None:
        self._database = database
        self._encryptor = encryptor
        self._condition = Condition()
        self._services: _Entries[CachedService] = TTLCache(ENTRIES, SECONDS)
        self._senders: _Entries[str] = TTLCache(ENTRIES, SECONDS)
        self._service = cached(self._services, condition=self._condition)(self._load_service)
        self._sender = cached(self._senders, condition=self._condition)(self._load_sender)

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database, container.parts.encryptor)

    def get(self, service_id: UUID) -> CachedService | None:
        """The service with its keys, or None."""
        return self._service(service_id)

    def sms_sender(self, service_id: UUID, sender_id: UUID) -> str | None:
        """The text of one of the service's senders that is not archived, or None."""
        return self._sender("sms", service_id, sender_id)

    def reply_to(self, service_id: UUID, reply_to_id: UUID) -> str | None:
        """One of the service's reply-to addresses that is not archived, or None."""
        return self._sender("email", service_id, reply_to_id)

    def _load_service(self, service_id: UUID) -> CachedService | None:
        with self._database.session() as session:
            return queries.load_service(session, service_id, self._encryptor)

    def _load_sender(self, kind: str, service_id: UUID, sender_id: UUID) -> str | None:
        find = queries.sms_sender if kind == "sms" else queries.reply_to
        with self._database.session() as session:
            return find(session, service_id, sender_id)

    def forget(self, service_id: UUID) -> None:
        """Remove a service and its senders, so that the next look-up in this process reads the database."""
        with self._condition:
            self._services.pop((service_id,), None)
            for key in [key for key in self._senders if key[1] == service_id]:
                self._senders.pop(key, None)

    def clear(self) -> None:
        """Remove everything, so that the next look-up reads the database."""
        self._service.cache_clear()
        self._sender.cache_clear()
