"""Settings of templates."""

from __future__ import annotations

from pydantic import Field

from notify.setting_types import SettingsPart


class TemplateSettings(SettingsPart):
    """How templates are filled in."""

    # -- content of messages
    prepared_emails: bool = Field(
        True,
        description="Email templates are read once for many recipients. `0`: once for each, which is much slower and must give the same emails.",
    )
    sms_gsm_only: bool = Field(
        False,
        description="`1` for providers that cannot take Unicode: characters of text messages that GSM 03.38 and Welsh lack lose their accents or become `?`.",
    )
