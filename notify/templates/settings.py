"""Settings of templates."""

from __future__ import annotations

from pydantic import Field

from notify.setting_types import SettingsPart


class TemplateSettings(SettingsPart):
    """Rendering of templates."""

    # -- content of messages
    prepared_emails: bool = Field(
        True,
        description="Email templates are parsed once for many recipients. `0`: once for each recipient, which is much slower and produces the same emails.",
    )
    sms_gsm_only: bool = Field(
        False,
        description="`1` for providers that do not support Unicode: characters of text messages that are neither in GSM 03.38 nor Welsh lose their accents or become `?`.",
    )
