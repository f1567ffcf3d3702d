"""QR codes in letters (contract: content 8.5)."""

from __future__ import annotations

import html
import re
from typing import Final

MOST_BYTES: Final = 504
_PARAGRAPH: Final = re.compile(
    r"(?:^|\n[ \t]*\n)[ \t]*qr[ \t]*:[ \t]*([^\n]+?)[ \t]*(?=\n[ \t]*\n|\n?\Z)", re.IGNORECASE
)


class QrCodeTooLong(ValueError):  # noqa: N818 - the contract's word
    """More data than a code can carry that printers and phones still read."""

    def __init__(self, data: str, num_bytes: int) -> None:
        self.data = data
        self.num_bytes = num_bytes
        self.max_bytes = MOST_BYTES
        super().__init__(f"Too much data for QR code (num_bytes={num_bytes}, max_bytes={MOST_BYTES})")


def check_codes(escaped_text: str) -> None:
    """Look at every code of a letter's text, which is HTML-escaped: that is how its length is measured.

    Raises `QrCodeTooLong`.
    """
    for match in _PARAGRAPH.finditer(escaped_text):
        data = match[1]
        size = len(data.encode("utf-8", "surrogatepass"))
        if size > MOST_BYTES:
            raise QrCodeTooLong(html.unescape(data), size)
