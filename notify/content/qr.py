"""QR codes in letters (contract: content 8.5)."""

from __future__ import annotations

import re
from typing import Final

from notify.content.text import unescape

MOST_BYTES: Final = 504
_CODE: Final = re.compile(r"[ \t]*qr[ \t]*:[ \t]*+(.+)", re.IGNORECASE)


class QrCodeTooLong(ValueError):  # noqa: N818 - the contract's word
    """More data than fits into a code that can be printed and scanned."""

    def __init__(self, data: str, num_bytes: int) -> None:
        self.data = data
        self.num_bytes = num_bytes
        self.max_bytes = MOST_BYTES
        super().__init__(f"Too much data for QR code (num_bytes={num_bytes}, max_bytes={MOST_BYTES})")


def code_data(paragraph: str) -> str | None:
    """The data of a paragraph that is `qr: data` and nothing else, still escaped; or `None`."""
    match = _CODE.fullmatch(paragraph.rstrip())
    return match[1] if match else None


def check_length(escaped_data: str) -> None:
    """Raises `QrCodeTooLong`. The length is that of the escaped data."""
    size = len(escaped_data.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise QrCodeTooLong(unescape(escaped_data), size)


def code_rows(data: str) -> list[bytes]:
    """The rows of the code without a border: a byte for each module, 1 where it is dark. Raises `QrCodeTooLong`."""
    import segno  # few processes ever draw one

    try:
        code = segno.make(data.encode("utf-8", "replace").decode(), error="m", micro=False)
    except segno.DataOverflowError:
        raise QrCodeTooLong(data, len(data.encode("utf-8", "surrogatepass"))) from None
    return [bytes(row) for row in code.matrix]
