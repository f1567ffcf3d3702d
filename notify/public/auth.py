"""Authentication of services that call the public API (contract: public-api 1.3, 1.4)."""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple, Self
from uuid import UUID

from cachetools import TTLCache

from notify.infra import tokens
from notify.infra.container import Container
from notify.infra.tokens import AuthError
from notify.infra.validation import parse_uuid
from notify.messages.accept.base import Caller
from notify.services.cache import ServiceCache
from notify.services.queries import CachedApiKey, CachedService

KNOWN_TOKENS = 4096
KNOWN_SECONDS = 2
UUID_LENGTH = 36


class _Known(NamedTuple):
    """Verified credentials. `issued_at` is `None` for an API key itself."""

    service_id: UUID
    key_id: UUID
    issued_at: float | None


class Authenticator:
    """Finds the service and key behind an Authorization header.

    A client makes the same token for every request within a second, so its signature is only checked once. The service
    and the key are checked for each request.
    """

    def __init__(self, services: ServiceCache) -> None:
        self._services = services
        self._known: TTLCache[str, _Known] = TTLCache(KNOWN_TOKENS, KNOWN_SECONDS)
        self._lock = Lock()

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.get(ServiceCache))

    def authenticate(self, header: str | None) -> Caller:
        """The caller. Raises `AuthError`."""
        with self._lock:
            known = self._known.get(header or "")
        if known is not None:
            if known.issued_at is not None:
                tokens.check_age(known.issued_at)
            service = self._usable_service(known.service_id)
            for key in service.api_keys:
                if key.id == known.key_id:
                    return Caller(service, _not_revoked(key))
        scheme, credentials = tokens.bearer_token(header)
        if scheme == "bearer":
            caller, issued_at = self._by_token(credentials)
        else:
            caller, issued_at = self._by_key(credentials), None
        with self._lock:
            self._known[header or ""] = _Known(caller.service.id, caller.key.id, issued_at)
        return caller

    def _by_token(self, token: str) -> tuple[Caller, float]:
        header, claims = tokens.read_unverified(token)
        service = self._usable_service(_service_id(claims["iss"]))
        for key in service.api_keys:
            tokens.check_algorithm(header)
            if tokens.is_signed_with(token, key.secret):
                return Caller(service, _not_revoked(key)), float(claims["iat"])
        raise AuthError("Invalid token: API key not found")

    def _by_key(self, full_key: str) -> Caller:
        """By the key itself (`name-serviceid-secret`), for tools that cannot make a token."""
        secret = full_key[-UUID_LENGTH:]
        service = self._usable_service(_service_id(full_key[-2 * UUID_LENGTH - 1 : -UUID_LENGTH - 1]))
        for key in service.api_keys:
            if tokens.is_same_secret(secret, key.secret):
                return Caller(service, _not_revoked(key))
        raise AuthError("Invalid token: API key not found")

    def _usable_service(self, service_id: UUID) -> CachedService:
        service = self._services.get(service_id)
        if service is None:
            raise AuthError("Invalid token: service not found")
        if not service.api_keys:
            raise AuthError("Invalid token: service has no API keys")
        if not service.active:
            raise AuthError("Invalid token: service is archived")
        return service


def _service_id(issuer: object) -> UUID:
    try:
        return parse_uuid(issuer)
    except ValueError:
        raise AuthError("Invalid token: service id is not the right data type") from None


def _not_revoked(key: CachedApiKey) -> CachedApiKey:
    if key.expiry_date is not None:
        raise AuthError("Invalid token: API key revoked")
    return key
