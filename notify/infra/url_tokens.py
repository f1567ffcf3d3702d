"""Tokens for links, which expire (contract: public-api 1.6 "url token", content 16)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from cryptography.fernet import Fernet, InvalidToken
from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer

from notify.infra.container import Container


class BadUrlTokenError(Exception):
    """The token was not made by us, or (`ExpiredUrlTokenError`) is too old."""


class ExpiredUrlTokenError(BadUrlTokenError):
    """The token was made by us, and is too old."""


class UrlTokens:
    """Makes Fernet tokens if a key for them is configured, else signed ones; reads both."""

    def __init__(self, secrets: Sequence[str], salt: str, fernet_key: str = "") -> None:
        self._signed = URLSafeTimedSerializer(list(secrets), salt=salt)
        self._fernet = Fernet(fernet_key) if fernet_key else None

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        settings = container.parts.settings
        return cls(settings.secret_key, settings.dangerous_salt, settings.token_secret_key)

    def make(self, payload: str) -> str:
        """A token that carries `payload`."""
        if self._fernet is not None:
            return self._fernet.encrypt(payload.encode()).decode()
        signed = self._signed.dumps(payload)
        text = signed if isinstance(signed, str) else signed.decode()
        return text.replace(".", "%2E")

    def read(self, token: str, max_age_seconds: int) -> str:
        """The payload of a token. Raises `ExpiredUrlTokenError`, and `BadUrlTokenError` for one that is not ours."""
        if self._fernet is not None:
            with suppress(InvalidToken):
                return self._read_encrypted(self._fernet, token, max_age_seconds)
        try:
            payload = self._signed.loads(token.replace("%2E", "."), max_age=max_age_seconds)
        except SignatureExpired:
            raise ExpiredUrlTokenError from None
        except BadData:
            raise BadUrlTokenError from None
        if not isinstance(payload, str):
            raise BadUrlTokenError
        return payload

    @staticmethod
    def _read_encrypted(fernet: Fernet, token: str, max_age_seconds: int) -> str:
        try:
            return fernet.decrypt(token.encode(), ttl=max_age_seconds).decode()
        except InvalidToken:
            fernet.decrypt(token.encode())  # succeeds if the token is ours and only too old
            raise ExpiredUrlTokenError from None
