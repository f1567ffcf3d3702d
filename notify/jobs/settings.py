"""Settings of jobs."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from notify.setting_types import SettingsPart


class JobSettings(SettingsPart):
    """Recovery of jobs whose workers died."""

    # -- jobs
    job_stalled_seconds: int = Field(
        120,
        ge=1,
        description="Seconds without saved rows after which a job in progress counts as having lost its worker, and another worker continues it.",
    )

    @property
    def job_stalled_after(self) -> timedelta:
        """The same as a duration."""
        return timedelta(seconds=self.job_stalled_seconds)
