"""Settings of templates."""

from __future__ import annotations

from pydantic import Field

from notify.setting_types import SettingsPart


class TemplateSettings(SettingsPart):
    """Where files of email templates are."""

    # -- files of email templates
    s3_bucket_template_email_files: str = Field(
        "development-template-email-files",
        min_length=1,
        description="Bucket of the files that are attached to email templates; the admin app puts them there.",
    )
