"""Links for web addresses in text that is not Markdown (contract: content 3, URL auto-detection)."""

from __future__ import annotations

import html
import re
from typing import Final
from urllib.parse import quote

_SCHEME: Final = re.compile(r"(?:ftp|file|https?):|mailto:|tel:", re.IGNORECASE)
ADDRESS: Final = re.compile(
    r"(?<![\w@.])(?:https?://)?(?:\w[\w-]{0,62}\.){1,20}[a-z]{2,63}\b(?!@)(?:[/?#][^\s<]*)?", re.IGNORECASE
)
"""Text that looks like a web address. Labels have a maximum length, so that the search takes linear time."""

_CLASS: Final = "govuk-link govuk-link--no-visited-state"
_PAIRS: Final = {")": "(", "]": "["}


def safe_link(url: str) -> str:
    """The address of a link: with `http://` where no scheme is known, percent-encoded."""
    if not _SCHEME.match(url):
        url = "http://" + url
    return quote(url, safe=":/?#=&;%", errors="replace")


def link_addresses(text: str) -> str:
    """HTML in which what looks like a web address is a link, without the punctuation that ends a sentence."""
    return ADDRESS.sub(_linked, text)


def _linked(match: re.Match[str]) -> str:
    address = match[0]
    unbalanced = {closing: address.count(closing) - address.count(opening) for closing, opening in _PAIRS.items()}
    end = len(address)
    while (last := address[end - 1]) in ".,:" or unbalanced.get(last, 0) > 0:
        if last in unbalanced:
            unbalanced[last] -= 1
        end -= 1
    shown = address[:end]
    url = html.escape(safe_link(html.unescape(shown)))
    return f'<a class="{_CLASS}" href="{url}">{shown}</a>{address[end:]}'
