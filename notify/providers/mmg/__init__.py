"""MMG: text messages (contract: workers 6.3; receipts: public-api 10; received texts: 13)."""

from __future__ import annotations

from typing import Final

from notify.providers.registration import Registration
from notify.providers.settings import TextProviderSettings

PROVIDERS: Final = (
    Registration(
        identifier="mmg",
        notification_type="sms",
        supports_international=True,
        is_configured=lambda settings: bool(settings.part(TextProviderSettings).mmg_api_key),
        sender="notify.providers.mmg.send:MMG",
        receiver="notify.providers.mmg.receive:MMGReceiver",
        receipt_credentials=lambda settings: (
            settings.part(TextProviderSettings).mmg_delivery_status_callback_basic_auth_credentials
        ),
    ),
)
