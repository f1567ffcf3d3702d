"""Sends through Firetext (contract: workers 6.3)."""

from __future__ import annotations

from typing import ClassVar

from notify.infra.outbound import Outbound
from notify.providers.base import Accepted, OutgoingText, Provider, ProviderError, ProviderType
from notify.providers.http import parse_answer, post, with_credentials
from notify.providers.settings import TextProviderSettings
from notify.settings import Settings


class Firetext(Provider[OutgoingText]):
    """The provider `firetext`."""

    identifier: ClassVar[str] = "firetext"
    notification_type: ClassVar[ProviderType] = "sms"

    def __init__(self, settings: Settings, outbound: Outbound) -> None:
        super().__init__(settings, outbound)
        self._own = settings.part(TextProviderSettings)
        self._international_key = self._own.firetext_international_api_key or self._own.firetext_api_key
        receipts = with_credentials(
            self._own.firetext_receipt_url,
            self._own.firetext_delivery_status_callback_basic_auth_credentials,
        )
        self._extra = {"receipt": receipts} if receipts else {}

    async def send(self, message: OutgoingText) -> Accepted:
        """Send one text. It is accepted if the answer is 2xx and JSON with `code` 0."""
        form = {
            "apiKey": self._international_key if message.international else self._own.firetext_api_key,
            "from": message.sender,
            "to": message.to.removeprefix("+"),
            "message": message.body,
            "reference": str(message.notification_id),
            **self._extra,
        }
        answer = await post(self.outbound, self.identifier, self._own.firetext_url, data=form)
        parsed = parse_answer(answer, self.identifier)
        code = parsed.get("code") if isinstance(parsed, dict) else None
        try:
            number = int(str(code))
        except ValueError:
            raise ProviderError(self.identifier, "invalid_answer", code=answer.status) from None
        if number != 0:
            raise ProviderError(self.identifier, "refused", code=number)
        return Accepted()
