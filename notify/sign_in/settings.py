"""Settings of accounts."""

from __future__ import annotations

from pydantic import Field

from notify.setting_types import SettingsPart


class AccountSettings(SettingsPart):
    """What people with accounts are asked."""

    # -- accounts
    weekly_user_research_email_enabled: bool = Field(
        False,
        description="`1` invites people who created an account about a fortnight ago to user research, once a week, unless they do not wish it.",
    )
