"""Receipts of the sandbox: JSON that its own server sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ValidationError

from notify.providers.base import ProviderType, Receipt, ReceiptError
from notify.providers.receiving import ReceiptReader, parse_json_object
from notify.providers.sandbox import IDENTIFIER
from notify.providers.simulation import SimulatedOutcome


class SandboxReceipt(BaseModel):
    """The body of a receipt: JSON to `/notifications/sms/sandbox` or `/notifications/email/sandbox`."""

    notification_id: UUID
    reference: UUID
    status: SimulatedOutcome
    delivered_at: AwareDatetime


class _SandboxReceiver(ReceiptReader):
    identifier: ClassVar[str] = IDENTIFIER
    notification_type: ClassVar[ProviderType]

    def read_receipt(self, body: bytes, form: Mapping[str, str]) -> Receipt:
        """The receipt in a JSON body."""
        try:
            receipt = SandboxReceipt.model_validate(parse_json_object(body, "Sandbox"))
        except ValidationError as error:
            fields = dict.fromkeys(".".join(map(str, item["loc"])) for item in error.errors())
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


class SandboxSMSReceiver(_SandboxReceiver):
    """Reads receipts of text messages."""

    notification_type: ClassVar[ProviderType] = "sms"


class SandboxEmailReceiver(_SandboxReceiver):
    """Reads receipts of emails."""

    notification_type: ClassVar[ProviderType] = "email"
