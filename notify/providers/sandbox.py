"""The sandbox: keeps what it is given and sends it to nobody (its server is in `sandbox_server.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal, TypeVar
from uuid import UUID

import orjson
from pydantic import AwareDatetime, BaseModel, ValidationError

from notify.infra.outbound import Outbound
from notify.providers.base import (
    Accepted,
    OutgoingEmail,
    OutgoingText,
    Provider,
    ProviderError,
    Receipt,
    ReceiptError,
)
from notify.providers.http import parse_answer, post
from notify.providers.simulation import SimulatedOutcome
from notify.settings import Settings

IDENTIFIER: Final = "sandbox"

M = TypeVar("M", OutgoingText, OutgoingEmail)


class SandboxReceipt(BaseModel):
    """The body of a receipt: JSON to `/notifications/sms/sandbox` or `/notifications/email/sandbox`."""

    notification_id: UUID
    reference: UUID
    status: SimulatedOutcome
    delivered_at: AwareDatetime


class _Sandbox(Provider[M]):
    identifier: ClassVar[str] = IDENTIFIER

    @classmethod
    def is_configured(cls, settings: Settings) -> bool:
        """With an address, which is refused outside development and test."""
        return bool(settings.sandbox_url)

    def __init__(self, settings: Settings, outbound: Outbound) -> None:
        super().__init__(settings, outbound)
        self._url = f"{settings.sandbox_url.rstrip('/')}/{self.notification_type}"

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

    def read_receipt(self, body: bytes, form: Mapping[str, str]) -> Receipt:
        """The receipt in a JSON body."""
        try:
            receipt = SandboxReceipt.model_validate_json(body)
        except ValidationError as error:
            fields = dict.fromkeys(".".join(map(str, item["loc"])) or "body" for item in error.errors())
            raise ReceiptError(
                [f"Sandbox callback failed: {field} is missing or malformed" for field in fields]
            ) from None
        return Receipt(
            provider=self.identifier,
            notification_id=receipt.notification_id,
            reference=str(receipt.reference) if self.notification_type == "email" else None,
            outcome=receipt.status,
            delivered_at=receipt.delivered_at,
        )


class SandboxSMS(_Sandbox[OutgoingText]):
    """The provider `sandbox` of text messages."""

    notification_type: ClassVar[Literal["sms"]] = "sms"
    supports_international: ClassVar[bool] = True

    async def send(self, message: OutgoingText) -> Accepted:
        """Leave one text in the outbox."""
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
        """Leave one email in the outbox. Its reference is the outbox's id."""
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
