"""The input and the result of rendering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

Purpose = Literal["print", "preview"]
"""The version for the printer (CMYK, with the `NOTIFY` tag), or that for people (with placeholders for the codes that
the printer adds).
"""

Languages = Literal["english", "welsh_then_english"]


@dataclass(frozen=True, slots=True)
class Letter:
    """A templated letter. Texts are templates with placeholders; `values` fill them and hold the address."""

    subject: str
    content: str
    values: Mapping[str, object]
    contact_block: str | None = None
    date: datetime | None = None
    """When it was created; `None`: now."""
    logo: str | None = None
    """File name of the logo without its extension."""
    language: Languages = "english"
    welsh_subject: str | None = None
    welsh_content: str | None = None
    attachment: bytes | None = None
    """A sanitised PDF whose pages are appended."""


class RenderedLetter(NamedTuple):
    """A PDF and the number of its pages, those of the attachment included."""

    pdf: bytes
    pages: int
    unprintable: frozenset[str] = frozenset()
    """Scripts, such as `ARABIC`, with characters that no font has: they are empty boxes."""
