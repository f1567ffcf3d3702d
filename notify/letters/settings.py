"""Settings of letters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator
from pydantic_settings import NoDecode

from notify.infra.settings import EnvironmentSettings
from notify.safety import to_server
from notify.setting_types import Connection, SettingsPart, split_address, words


def _clamd_address(value: str) -> str:
    if not value:
        return value
    parts = split_address(value)
    is_network = parts is not None and parts.scheme == "tcp" and parts.hostname
    is_socket = parts is not None and parts.scheme == "unix" and not parts.netloc and parts.path.startswith("/")
    if not (is_network or is_socket):
        raise ValueError("must be tcp://host:3310 or unix:///path/of/clamd.sock")
    return value


class LetterSettings(SettingsPart):
    """Where the PDFs of letters are on their way to the printer, and what checks them."""

    # -- letters
    s3_bucket_letters_pdf: str = Field(
        "development-letters-pdf", description="Bucket of letters that are ready to be printed."
    )
    s3_bucket_test_letters: str = Field("development-test-letters", description="Bucket of letters of test keys.")
    s3_bucket_letters_scan: str = Field(
        "development-letters-scan", description="Bucket of letters that came as a PDF and were not checked yet."
    )
    s3_bucket_invalid_pdf: str = Field(
        "development-letters-invalid-pdf", description="Bucket of letters that cannot be printed as they are."
    )
    antivirus_enabled: bool = Field(
        True, description="`0`: letters that come as a PDF are not scanned for viruses before they are checked."
    )
    clamd_address: Annotated[str, AfterValidator(_clamd_address)] = Field(
        "",
        description="Address of ClamAV's `clamd`, which scans letters that come as a PDF: `tcp://host:3310` or `unix:///run/clamav/clamd.ctl`. Empty: only the test virus (EICAR), programs and PDFs that start programs are found.",
    )
    letter_pdfs_at_a_time: int = Field(
        2,
        ge=1,
        le=64,
        description="PDFs of letters that a process works on at the same time; further ones wait. Each takes about 50 MB and a processor.",
    )

    def connections(self) -> Iterator[Connection]:
        """The scanner."""
        if self.clamd_address.startswith("tcp:"):
            yield to_server(
                "CLAMD_ADDRESS",
                self.clamd_address,
                ("tcp",),
                "run clamd on the workers' machines, which it is made for",
            )


class LetterRenderSettings(EnvironmentSettings):
    """Fonts and buckets of the renderer of letters."""

    # -- rendering letters
    letter_font_paths: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="Folders with fonts for letters in scripts other than Latin, Greek and Cyrillic, separated by commas. What a letter's main font has is never taken from them.",
    )
    letter_system_fonts: bool = Field(
        True,
        description="Letters in other scripts may use the fonts of the machine, after those of `LETTER_FONT_PATHS`. `0`: they do not, so that every machine prints the same.",
    )
    letter_cache_bucket_name: str = Field(
        "development-template-preview-cache",
        description="Bucket of rendered letters that previews show again. Its objects may be deleted at any time.",
    )

    @field_validator("letter_font_paths", mode="before")
    @classmethod
    def _paths(cls, value: object) -> object:
        return words(value)
