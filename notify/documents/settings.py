"""Settings of files sent by email, and of file checks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator
from pydantic_settings import NoDecode

from notify.infra.settings import EnvironmentSettings
from notify.safety import SHORTEST_SECRET, to_server
from notify.setting_types import Connection, WebAddress, one_or_many, split_address


def _clamd_address(value: str) -> str:
    if not value:
        return value
    parts = split_address(value, needs_host=value.startswith("tcp:"))
    is_network = parts is not None and parts.scheme == "tcp" and parts.hostname
    is_socket = parts is not None and parts.scheme == "unix" and not parts.netloc and parts.path.startswith("/")
    if not (is_network or is_socket):
        raise ValueError("must be tcp://host:3310 or unix:///path/of/clamd.sock")
    return value


class DocumentSettings(EnvironmentSettings):
    """The address of downloads."""

    # -- sending files by email
    document_download_base_url: WebAddress = Field(
        "", description="Public address of the download pages. Empty: `API_HOST_NAME`."
    )

    def links(self) -> Iterator[tuple[str, str]]:
        """Where links to files lead."""
        if self.document_download_base_url:
            yield "DOCUMENT_DOWNLOAD_BASE_URL", self.document_download_base_url

    @cached_property
    def documents_base_url(self) -> str:
        """Address that download links start with, without a slash at the end."""
        return (self.document_download_base_url or self.api_host_name).rstrip("/")


class FileCheckSettings(EnvironmentSettings):
    """The virus scanner, and access to the services that check files."""

    # -- checks of files
    antivirus_enabled: bool = Field(
        True,
        description="`0`: letters uploaded as a PDF, and files sent by email, are not scanned for viruses.",
    )
    clamd_address: Annotated[str, AfterValidator(_clamd_address)] = Field(
        "",
        description="Address of ClamAV's `clamd`, which scans files for viruses: `tcp://host:3310` or `unix:///run/clamav/clamd.ctl`. Empty: only the test virus (EICAR), programs, archives and PDFs that start programs are found.",
    )
    antivirus_api_key: Annotated[list[str], NoDecode] = Field(
        [],
        description="Secret of the scanner below `/antivirus` (the admin app has it under the same name): one value, or a JSON list of accepted values. Empty: the admin app's default in development and test; elsewhere the scanner refuses every call.",
    )
    document_download_api_key: Annotated[list[str], NoDecode] = Field(
        [],
        description="Secret of the file check below `/document-download` (the admin app has it under the same name): one value, or a JSON list of accepted values. Empty: the admin app's default in development and test; elsewhere the check refuses every call.",
    )

    @field_validator("antivirus_api_key", "document_download_api_key", mode="before")
    @classmethod
    def _keys_of_checks(cls, value: object) -> object:
        return one_or_many(value)

    def secrets(self) -> Iterator[tuple[str, str, int]]:
        """The secrets of the two services."""
        for secret in self.antivirus_api_key:
            yield "ANTIVIRUS_API_KEY", secret, SHORTEST_SECRET
        for secret in self.document_download_api_key:
            yield "DOCUMENT_DOWNLOAD_API_KEY", secret, SHORTEST_SECRET

    def connections(self) -> Iterator[Connection]:
        """To the scanner."""
        if self.clamd_address.startswith("tcp:"):
            yield to_server(
                "CLAMD_ADDRESS",
                self.clamd_address,
                ("tcp",),
                "run clamd on each machine of this product, because its protocol has no encryption",
            )
