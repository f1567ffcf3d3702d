"""Addresses in a text that is no markdown become links (contract: content 3, URL auto-detection)."""

from __future__ import annotations

import html
import re
from typing import Final
from urllib.parse import quote

_SCHEME: Final = re.compile(r"(?:ftp|file|https?):|mailto:|tel:", re.IGNORECASE)
_ADDRESS: Final = re.compile(
    r"(?<![\w@.-])(?:https?://)?(?:[\w-]{1,63}\.){1,10}[a-z]{2,63}\b(?!@)(?:[/?#][^\s<]*)?", re.IGNORECASE
)
_CLASS: Final = "govuk-link govuk-link--no-visited-state"
_PAIRS: Final = {")": "(", "]": "["}


def safe_link(url: str) -> str:
    """The address of a link: with `http://` where no scheme is known, percent-encoded."""
    if not _SCHEME.match(url):
        url = "http://" + url
    return quote(url, safe=":/?#=&;%", errors="replace")


def link_addresses(text: str) -> str:
    """HTML in which what looks like a web address is a link. What ends a sentence is no part of it."""
    return _ADDRESS.sub(_linked, text)


def _linked(match: re.Match[str]) -> str:
    address = match[0]
    end = len(address)
    while end:
        last = address[end - 1]
        is_unbalanced = last in _PAIRS and address.count(last, 0, end) > address.count(_PAIRS[last], 0, end)
        if last not in ".,:" and not is_unbalanced:
            break
        end -= 1
    shown = address[:end]
    url = html.escape(safe_link(html.unescape(shown)))
    return f'<a class="{_CLASS}" href="{url}">{shown}</a>{address[end:]}'
