"""Sends through MMG (contract: workers 6.3)."""

from __future__ import annotations

from typing import ClassVar

import orjson

from notify.infra.outbound import Outbound
from notify.providers.base import Accepted, OutgoingText, Provider, ProviderType
from notify.providers.http import parse_answer, post, with_credentials
from notify.providers.settings import TextProviderSettings
from notify.settings import Settings


class MMG(Provider[OutgoingText]):
    """The provider `mmg`."""

    identifier: ClassVar[str] = "mmg"
    notification_type: ClassVar[ProviderType] = "sms"

    def __init__(self, settings: Settings, outbound: Outbound) -> None:
        super().__init__(settings, outbound)
        self._own = settings.part(TextProviderSettings)
        self._headers = {
            "Content-Type": "application/json",
            "Authorization": f"Basic {self._own.mmg_api_key}",
        }
        receipts = with_credentials(
            self._own.mmg_receipt_url,
            self._own.mmg_delivery_status_callback_basic_auth_credentials,
        )
        self._extra = {"delurl": receipts} if receipts else {}

    async def send(self, message: OutgoingText) -> Accepted:
        """Send one text. It is accepted if the answer is 2xx and JSON."""
        body = {
            "reqType": "BULK",
            "MSISDN": message.to,
            "msg": message.body,
            "sender": message.sender,
            "cid": str(message.notification_id),
            "multi": True,
            **self._extra,
        }
        answer = await post(
            self.outbound,
            self.identifier,
            self._own.mmg_url,
            data=orjson.dumps(body),
            headers=self._headers,
        )
        parse_answer(answer, self.identifier)
        return Accepted()
