"""Services as authentication and sending see them, kept for two seconds in the process (contract: public-api 1.3)."""

from __future__ import annotations

from threading import Lock
from uuid import UUID

from cachetools import TTLCache

from notify.infra.database import Database
from notify.infra.secrets import Vault
from notify.services import queries
from notify.services.queries import CachedService

SECONDS = 2
ENTRIES = 1024


class ServiceDirectory:
    """Looks up services and their senders. What it says may be two seconds old."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._services: TTLCache[UUID, CachedService | None] = TTLCache(ENTRIES, SECONDS)
        self._senders: TTLCache[tuple[str, UUID, UUID], str | None] = TTLCache(ENTRIES, SECONDS)
        self._lock = Lock()

    def get(self, service_id: UUID) -> CachedService | None:
        """The service with its keys, or null."""
        with self._lock:
            if service_id in self._services:
                return self._services[service_id]
        with self._database.session() as session:
            service = queries.load_service(session, service_id, self._vault)
        with self._lock:
            self._services[service_id] = service
        return service

    def sms_sender(self, service_id: UUID, sender_id: UUID) -> str | None:
        """The text of one of the service's senders that is not archived, or null."""
        return self._sender("sms", service_id, sender_id)

    def reply_to(self, service_id: UUID, reply_to_id: UUID) -> str | None:
        """One of the service's reply-to addresses that is not archived, or null."""
        return self._sender("email", service_id, reply_to_id)

    def _sender(self, kind: str, service_id: UUID, sender_id: UUID) -> str | None:
        key = (kind, service_id, sender_id)
        with self._lock:
            if key in self._senders:
                return self._senders[key]
        find = queries.sms_sender if kind == "sms" else queries.reply_to
        with self._database.session() as session:
            text = find(session, service_id, sender_id)
        with self._lock:
            self._senders[key] = text
        return text

    def clear(self) -> None:
        """Forget everything, so that the next look is at the database."""
        with self._lock:
            self._services.clear()
            self._senders.clear()
