"""Settings of letters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from notify.infra.settings import EnvironmentSettings
from notify.setting_types import words


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
