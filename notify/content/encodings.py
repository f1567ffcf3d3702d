"""Detects the encoding of an uploaded text file and decodes it, or refuses it (contract: content 13.1).

The contract asks for UTF-8. Excel also writes UTF-16 and, in Britain, Windows-1252. Other encodings cannot be told from
Windows-1252 by a rule that always holds, but they read as text that nobody writes: such a file is refused, because
names and addresses would go out wrong.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from notify.content.spreadsheet_limits import UnreadableSpreadsheet

_AFTER_THE_END: Final = "\x1a\r\n"
"""Ctrl-Z, which DOS programs write at the end of a text file or as its last line, and line breaks."""

_BEYOND_ASCII: Final = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]"
    rb"|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
    rb"|[\x80-\xff]"
)
"""A character of UTF-8, or a byte that is part of none."""

_WINDOWS_CAPITAL: Final = "ŠŒŽŸÀ-ÖØ-Þ"
_UNLIKELY: Final = re.compile(
    # a capital in the middle of a word, but for names like McÉvoy
    rf"(?<![Mm]c)(?<!Mac)(?<!D[ei])(?<!L[ae])(?<!Fitz)(?<=[a-zß-öø-ÿšœž])[{_WINDOWS_CAPITAL}]"
    rf"|(?<=[A-Z])[{_WINDOWS_CAPITAL}](?=[a-zß-öø-ÿ])"
    # a mark that belongs before a word or stands alone, directly after a letter
    r"|(?<=[^\W\d_])[‚ƒ„†‡ˆ‰‹˜¡¿]"
    # any other mark between two letters, but for apostrophes, dashes, the dot of Catalan and blanks
    r"|(?<=[^\W\d_])(?=[\u0080-\uffff])[^\w‘’–—·\u00a0\u00ad](?=[^\W\d_])"
)


def decode(data: bytes) -> str:
    """The text of a file in UTF-8, in UTF-16 as Excel saves "Unicode text", or in Windows-1252. Raises
    `UnreadableSpreadsheet`.
    """
    encoding = _encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise UnreadableSpreadsheet from None
        text = _decode_windows(data)
    text = text.rstrip(_AFTER_THE_END)
    if "\0" in text:
        raise UnreadableSpreadsheet
    return text


def _encoding(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if data[1:2] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if data[:1] == b"\0" else "utf-8"


def _decode_windows(data: bytes) -> str:
    """A file that is not UTF-8: in Windows-1252, or in UTF-8 with some of that pasted into it."""
    found = _BEYOND_ASCII.findall(data)
    stray = sum(len(one) == 1 for one in found)
    try:
        is_windows = 2 * stray > len(found)
        text = data.decode("cp1252") if is_windows else _BEYOND_ASCII.sub(_as_utf_8, data).decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableSpreadsheet from None
    if _UNLIKELY.search(text):
        raise UnreadableSpreadsheet
    return text


def _as_utf_8(match: re.Match[bytes]) -> bytes:
    return match[0] if len(match[0]) > 1 else match[0].decode("cp1252").encode()
