"""An email as the document of a frame: links open in a new tab, and the colour theme can be chosen."""

from __future__ import annotations

import re
from typing import Final, Literal

Theme = Literal["auto", "light", "dark"]

_HEAD: Final = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_PREFERS: Final = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
_TRUE, _FALSE = "(min-width:0)", "(max-width:0)"


def framed(html: str, theme: Theme) -> str:
    """The email, for a frame. A frame follows the browser's colour scheme; for another `theme`, rewrite the media
    queries of the style sheet.
    """
    added = '<base target="_blank">'
    if theme != "auto":
        html = _PREFERS.sub(lambda match: _TRUE if match[1].lower() == theme else _FALSE, html)
        added += f"<style>:root{{color-scheme:{theme}!important}}</style>"
    head = _HEAD.search(html)
    at = head.end() if head else 0
    return html[:at] + added + html[at:]
