"""SMTP: email through any mail server (RFC 5321). There are no receipts."""

from __future__ import annotations

from typing import Final

from notify.providers.registration import Registration
from notify.providers.settings import EmailProviderSettings

PROVIDERS: Final = (
    Registration(
        identifier="smtp",
        notification_type="email",
        is_configured=lambda settings: bool(settings.part(EmailProviderSettings).smtp_url),
        sender="notify.providers.smtp.send:SMTP",
    ),
)
