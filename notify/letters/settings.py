"""Settings of letters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from notify.infra.settings import EnvironmentSettings
from notify.safety import SHORTEST_KEY, to_server
from notify.setting_types import Connection, HeaderText, HostName, SettingsPart, WebAddress, words

SHORTEST_PASSWORD: Final = 8
"""Passwords that the print provider issues."""


class LetterSettings(SettingsPart):
    """Buckets of letters' PDFs, and limits of work on them."""

    # -- letters
    s3_bucket_letters_pdf: str = Field(
        "development-letters-pdf", description="Bucket of letters that are ready to be printed."
    )
    s3_bucket_test_letters: str = Field("development-test-letters", description="Bucket of letters of test keys.")
    s3_bucket_letters_scan: str = Field(
        "development-letters-scan", description="Bucket of precompiled letters that are not checked yet."
    )
    s3_bucket_invalid_pdf: str = Field(
        "development-letters-invalid-pdf", description="Bucket of letters that failed the checks."
    )
    letter_pdfs_at_a_time: int = Field(
        2,
        ge=1,
        le=64,
        description="Most PDFs of letters that a process works on at the same time; others wait. Each takes about 50 MB and one CPU.",
    )


class LetterRenderSettings(EnvironmentSettings):
    """Fonts and buckets of letter rendering."""

    # -- rendering letters
    letter_font_paths: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="Folders with fonts for letters in scripts other than Latin, Greek and Cyrillic, separated by commas. They are only used for characters that the main font lacks.",
    )
    letter_system_fonts: bool = Field(
        True,
        description="Letters in other scripts may use the fonts of the machine, after those of `LETTER_FONT_PATHS`. `0`: they do not, so that every machine prints the same.",
    )
    letter_cache_bucket_name: str = Field(
        "development-template-preview-cache",
        description="Bucket that caches rendered letters for previews. Its objects may be deleted at any time.",
    )

    @field_validator("letter_font_paths", mode="before")
    @classmethod
    def _paths(cls, value: object) -> object:
        return words(value)


class PrinterSettings(EnvironmentSettings):
    """The print provider, and the recipients of emails about volumes."""

    # -- the printer of letters
    letter_printer: Literal["", "sandbox", "dvla", "sftp", "none"] = Field(
        "",
        description="Who prints letters: `dvla` (a print provider with a REST API), `sftp` (one that takes zip files over SFTP), `sandbox` (which only pretends: its pages are in the console; refused outside development and test), or `none`: letters wait. Empty: `sandbox` in development and test, else `none`.",
    )
    dvla_api_base_url: WebAddress = Field(
        "https://uat.driver-vehicle-licensing.api.gov.uk",
        description="Address of the print provider's REST API. The default is a trial system, so outside development and test it must be set for `dvla`.",
    )
    dvla_api_tls_ciphers: str = Field(
        "", description="TLS ciphers for the print provider, in OpenSSL's format. Empty: the default ones."
    )
    dvla_username: HeaderText = Field(
        "",
        description="User of the print provider's REST API. Empty: user, password and key are read from AWS's parameter store (`/notify/api/dvla_username`, `dvla_password`, `dvla_api_key`), where they are renewed each month as well. Given here, they have to be renewed by hand.",
    )
    dvla_password: HeaderText = Field("", description="Its password.")
    dvla_api_key: HeaderText = Field("", description="Its key.")
    ssm_url: WebAddress = Field("", description="Address of the parameter store. Empty: Amazon's in `AWS_REGION`.")
    dvla_email_addresses: list[str] = Field(
        [],
        description="JSON list of addresses that get the volumes of each day's print run, and copies of tickets about letters that the printer is late with.",
    )
    letter_retry_seconds: int = Field(
        180, ge=1, description="Seconds between two attempts to send a letter to the printer. There are 56 attempts."
    )
    letter_prompt_seconds: int = Field(
        5, ge=1, description="Seconds between two checks of the sandbox printer for letters that are ready."
    )
    ftp_host: HostName = Field("", description="Host of the printer's SFTP server.")
    ftp_port: int = Field(22, ge=1, le=65535, description="Its port.")
    ftp_username: str = Field("", description="User on the SFTP server.")
    ftp_password: str = Field("", description="Its password.")
    ftp_host_key: str = Field(
        "",
        description="Public key of the SFTP server, as in a line of `known_hosts` without the host (`ssh-ed25519 AAAA...`). Must be set outside development and test.",
    )
    dvla_response_bucket_name: str = Field(
        "", description="Bucket of the printer's response files. Empty: `NOTIFY_EMAIL_DOMAIN` and `-ftp`."
    )
    dvla_topic_arns: list[str] = Field(
        [],
        description="JSON list of the SNS topics that tell of response files, at `POST /notifications/letter/dvla`, which `LEGACY_2020` switches on. Must be set outside development and test for that.",
    )
    max_letter_pdf_zip_filesize: int = Field(
        40 * 1024 * 1024, ge=1, description="Most bytes of PDFs in one zip file for the printer."
    )
    max_letter_pdf_count_per_zip: int = Field(500, ge=1, description="Most PDFs in one zip file for the printer.")

    @property
    def printer(self) -> Literal["sandbox", "dvla", "sftp", "none"]:
        """The printer."""
        return self.letter_printer or ("sandbox" if self.is_safe_environment else "none")

    @property
    def response_bucket(self) -> str:
        """The bucket of the printer's response files."""
        return self.dvla_response_bucket_name or f"{self.notify_email_domain}-ftp"

    def providers(self) -> Iterator[tuple[str, str]]:
        """The printer, which is a real one unless it is the sandbox."""
        if self.letter_printer == "dvla":
            yield "LETTER_PRINTER", self.dvla_api_base_url
        if self.letter_printer == "sftp":
            yield "LETTER_PRINTER", f"sftp://{self.ftp_host}"

    def unset(self) -> Iterator[tuple[str, str]]:
        """Where letters go: the default of the print provider's address is that of a trial system."""
        if self.letter_printer == "sftp" and not self.ftp_host:
            yield "FTP_HOST", "letters would go nowhere"
        if self.letter_printer == "sftp" and not self.ftp_host_key:
            yield "FTP_HOST_KEY", "anybody could be the printer without it"
        if self.letter_printer == "dvla" and "dvla_api_base_url" not in self.model_fields_set:
            yield "DVLA_API_BASE_URL", "letters would go to a trial system that prints nothing"

    def stand_ins(self) -> Iterator[tuple[str, str]]:
        """The sandbox printer."""
        if self.letter_printer == "sandbox":
            yield "LETTER_PRINTER", "the sandbox printer"

    def secrets(self) -> Iterator[tuple[str, str, int]]:
        """Credentials for the printer. If one of them is in the settings, all must be."""
        if self.letter_printer == "dvla" and self.dvla_username:
            yield "DVLA_PASSWORD", self.dvla_password, SHORTEST_PASSWORD
            yield "DVLA_API_KEY", self.dvla_api_key, SHORTEST_KEY
        if self.letter_printer == "sftp":
            yield "FTP_PASSWORD", self.ftp_password, SHORTEST_PASSWORD

    def connections(self) -> Iterator[Connection]:
        """To the printer's API and to the parameter store. SFTP is always encrypted."""
        for variable, address in (
            ("DVLA_API_BASE_URL", self.dvla_api_base_url if self.letter_printer == "dvla" else ""),
            ("SSM_URL", self.ssm_url),
        ):
            if address:
                yield to_server(variable, address, ("http",), "set an https:// address")
