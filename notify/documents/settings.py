"""Settings of files that are sent by email."""

from __future__ import annotations

from functools import cached_property

from pydantic import Field

from notify.infra.settings import EnvironmentSettings
from notify.setting_types import WebAddress


class DocumentSettings(EnvironmentSettings):
    """Where downloads are."""

    # -- sending files by email
    document_download_base_url: WebAddress = Field(
        "", description="Public address of the download pages. Empty: `API_HOST_NAME`."
    )

    @cached_property
    def documents_base_url(self) -> str:
        """Address that download links start with, without a slash at the end."""
        return (self.document_download_base_url or self.api_host_name).rstrip("/")
