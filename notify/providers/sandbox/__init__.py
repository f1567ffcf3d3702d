"""The sandbox: stores messages, delivers none, and sends receipts. For development and tests."""

from __future__ import annotations

from typing import Final

from notify.providers.registration import Registration
from notify.providers.settings import EmailProviderSettings

IDENTIFIER: Final = "sandbox"

PROVIDERS: Final = (
    Registration(
        identifier=IDENTIFIER,
        notification_type="sms",
        supports_international=True,
        is_configured=lambda settings: bool(
            settings.part(EmailProviderSettings).sandbox_url
        ),  # refused outside development and test
        sender="notify.providers.sandbox.send:SandboxSMS",
        receiver="notify.providers.sandbox.receive:SandboxSMSReceiver",
    ),
    Registration(
        identifier=IDENTIFIER,
        notification_type="email",
        is_configured=lambda settings: bool(settings.part(EmailProviderSettings).sandbox_url),
        sender="notify.providers.sandbox.send:SandboxEmail",
        receiver="notify.providers.sandbox.receive:SandboxEmailReceiver",
    ),
)
