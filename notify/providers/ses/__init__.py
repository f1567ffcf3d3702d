"""Amazon SES: email (contract: workers 6.2, 6.3). Its receipts come through SNS (public-api 11): see `receive.py`."""

from __future__ import annotations

from typing import Final

from notify.providers.registration import Registration
from notify.providers.settings import EmailProviderSettings

PROVIDERS: Final = (
    Registration(
        identifier="ses",
        notification_type="email",
        is_configured=lambda settings: (
            settings.part(EmailProviderSettings).ses_enabled or bool(settings.part(EmailProviderSettings).ses_stub_url)
        ),
        sender="notify.providers.ses.send:SES",
    ),
)
