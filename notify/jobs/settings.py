"""Settings of jobs."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from notify.setting_types import SettingsPart


class JobSettings(SettingsPart):
    """How the sending of spreadsheets goes on when workers die."""

    # -- jobs
    job_stalled_seconds: int = Field(
        120,
        ge=1,
        description="A job in progress that saved no rows for so many seconds has lost its worker, and another one goes on with it.",
    )

    @property
    def job_stalled_after(self) -> timedelta:
        """The same as a duration."""
        return timedelta(seconds=self.job_stalled_seconds)
