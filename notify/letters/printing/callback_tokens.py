"""The token that the printer's callback carries: the signed id of its letter (contract: public-api 12)."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from notify.infra.container import Container
from notify.infra.secrets import Signer


class CallbackTokens:
    """Makes and reads tokens."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        settings = container.parts.settings
        return cls(Signer(settings.secret_key, settings.dangerous_salt))

    def make(self, notification_id: UUID) -> str:
        """The token of a letter."""
        return self._signer.sign(str(notification_id))

    def read(self, token: str) -> str:
        """The id in a token, as text. Raises `BadSignatureError`, also if the payload is not text."""
        found = self._signer.read(token)
        return found if isinstance(found, str) else ""
