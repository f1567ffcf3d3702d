"""Sends to the sandbox, which stores messages in the table `sandbox_messages` (its server is in `server.py`)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeVar

import orjson

from notify.infra.outbound import Outbound
from notify.providers.base import Accepted, OutgoingEmail, OutgoingText, Provider, ProviderError
from notify.providers.http import parse_answer, post
from notify.providers.sandbox import IDENTIFIER
from notify.providers.settings import EmailProviderSettings
from notify.settings import Settings

M = TypeVar("M", OutgoingText, OutgoingEmail)


class _Sandbox(Provider[M]):
    identifier: ClassVar[str] = IDENTIFIER

    def __init__(self, settings: Settings, outbound: Outbound) -> None:
        super().__init__(settings, outbound)
        self._url = f"{settings.part(EmailProviderSettings).sandbox_url.rstrip('/')}/{self.notification_type}"

    async def _post(self, body: dict[str, Any]) -> str:
        answer = await post(
            self.outbound,
            self.identifier,
            self._url,
            data=orjson.dumps(body),
            headers={"Content-Type": "application/json"},
        )
        parsed = parse_answer(answer, self.identifier)
        if not isinstance(parsed, dict) or not isinstance(parsed.get("id"), str):
            raise ProviderError(self.identifier, "invalid_answer", code=answer.status)
        return str(parsed["id"])


class SandboxSMS(_Sandbox[OutgoingText]):
    """The provider `sandbox` of text messages."""

    notification_type: ClassVar[Literal["sms"]] = "sms"

    async def send(self, message: OutgoingText) -> Accepted:
        """Send one text to the sandbox."""
        await self._post(
            {
                "notification_id": message.notification_id,
                "to": message.to,
                "sender": message.sender,
                "body": message.body,
            }
        )
        return Accepted()


class SandboxEmail(_Sandbox[OutgoingEmail]):
    """The provider `sandbox` of email."""

    notification_type: ClassVar[Literal["email"]] = "email"

    async def send(self, message: OutgoingEmail) -> Accepted:
        """Send one email to the sandbox. Its reference is the sandbox's id."""
        reference = await self._post(
            {
                "notification_id": message.notification_id,
                "to": message.to,
                "sender": f"{message.from_name} <{message.from_address}>",
                "reply_to": message.reply_to,
                "subject": message.subject,
                "body": message.plain_text,
                "html": message.html,
                "headers": dict(message.headers),
            }
        )
        return Accepted(reference=reference)
