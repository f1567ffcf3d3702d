"""Firetext: text messages (contract: workers 6.3; receipts: workers 8.1, public-api 10; received texts: 13)."""

from __future__ import annotations

from typing import Final

from notify.providers.registration import Registration
from notify.providers.settings import TextProviderSettings

PROVIDERS: Final = (
    Registration(
        identifier="firetext",
        notification_type="sms",
        supports_international=True,
        is_configured=lambda settings: bool(settings.part(TextProviderSettings).firetext_api_key),
        sender="notify.providers.firetext.send:Firetext",
        receiver="notify.providers.firetext.receive:FiretextReceiver",
        receipt_credentials=lambda settings: (
            settings.part(TextProviderSettings).firetext_delivery_status_callback_basic_auth_credentials
        ),
    ),
)
