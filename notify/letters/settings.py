"""Settings of letters."""

from __future__ import annotations

from pydantic import Field

from notify.setting_types import SettingsPart


class LetterSettings(SettingsPart):
    """Where the PDFs of letters are, on their way to the printer."""

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
    s3_bucket_letter_sanitise: str = Field(
        "development-letters-sanitise", description="Bucket of checked letters that are about to be filed."
    )
