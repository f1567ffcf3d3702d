"""Settings of accounts."""

from __future__ import annotations

from pydantic import Field

from notify.setting_types import SettingsPart


class AccountSettings(SettingsPart):
    """Research emails, and users of functional tests."""

    # -- accounts
    weekly_user_research_email_enabled: bool = Field(
        False,
        description="`1` invites people who created an account about a fortnight ago to user research, once a week, unless they do not wish it.",
    )
    register_functional_testing_blueprint: bool = Field(
        False,
        description="`1` serves `PUT /__testing/functional/users`, by which functional tests make their users, and lets `functional-test-fixtures` run outside development. Never where real people have accounts.",
    )
