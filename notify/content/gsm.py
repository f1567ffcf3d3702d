"""The characters of text messages: GSM 03.38, look-alikes, and the older downgrade (contract: content 5.2, 5.3, C)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from notify.content.text import ZERO_WIDTH

EXTENSION: Final = frozenset("^{}\\[~]|€")
"""GSM characters that take two units."""

GSM: Final = EXTENSION | frozenset(
    "\n\r\x1b !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    "_£¥§¤¡¿èéùìòàäöüñøåæßÄÖÜÑØÅÆÇÉΔΦΓΛΩΠΨΣΘΞ"
)
_WELSH_LOWER: Final = "àèìòùẁỳáéíóúẃýäëïöüẅÿâêîôûŵŷ"
WELSH_NOT_GSM: Final = frozenset(_WELSH_LOWER + _WELSH_LOWER.upper()) - GSM
"""Letters that the older downgrade keeps; they make the whole message Unicode."""

KEPT: Final = GSM | WELSH_NOT_GSM
ASCII: Final = frozenset(map(chr, range(32, 127)))

_LOOKALIKES: Final = {
    **dict.fromkeys("\u2011\u2013\u2014\u2212", "-"),
    "…": "...",
    **dict.fromkeys("\u2018\u2019\u201a", "'"),
    **dict.fromkeys("\u201c\u201d\u201e", '"'),
    **dict.fromkeys(ZERO_WIDTH, ""),
    **dict.fromkeys("\u00a0\u202f\t", " "),
}
_SUBSTITUTES: Final = {**_LOOKALIKES, "Ł": "L", "ł": "l"}
UNSENDABLE: Final = "?"


def _downgrade(character: str, kept: frozenset[str]) -> str:
    if character in kept:
        return character
    decomposition = unicodedata.decomposition(character)
    if decomposition and not decomposition.startswith("<"):
        first = chr(int(decomposition.split()[0], 16))
        return first if first in kept else UNSENDABLE
    return _SUBSTITUTES.get(character, UNSENDABLE)


class _Downgrades(dict[int, str]):
    """What each character becomes, worked out when it is first seen. For `str.translate`."""

    def __init__(self, kept: frozenset[str]) -> None:
        super().__init__()
        self._kept = kept

    def __missing__(self, code: int) -> str:
        self[code] = result = _downgrade(chr(code), self._kept)
        return result


_TO_GSM: Final = _Downgrades(KEPT)
_NOT_KEPT: Final = re.compile(f"[^{re.escape(''.join(sorted(KEPT)))}]")
_TO_ASCII: Final = _Downgrades(ASCII)


_TO_LOOKALIKES: Final = str.maketrans(_LOOKALIKES)
_HAS_LOOKALIKES: Final = re.compile(f"[{re.escape(''.join(_LOOKALIKES))}\ud800-\udfff]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
NOT_GSM: Final = re.compile(f"[^{re.escape(''.join(sorted(GSM)))}]")
"""A character that makes the whole message Unicode."""


def replace_lookalikes(text: str) -> str:
    """`text` with dashes, ellipses, quotes and blanks that look like a GSM character replaced by it, and without
    invisible characters. Every other character stays. Half a surrogate pair, which cannot be encoded, becomes U+FFFD.
    """
    if _HAS_LOOKALIKES.search(text) is None:
        return text
    return _SURROGATE.sub("\ufffd", text.translate(_TO_LOOKALIKES))


def downgrade_to_gsm(text: str) -> str:
    """`text` for providers that cannot take Unicode: accents that GSM lacks go, unless they are Welsh, look-alikes are
    replaced, and what is left becomes `?`.
    """
    return text if _NOT_KEPT.search(text) is None else text.translate(_TO_GSM)


def downgrade_to_ascii(text: str) -> str:
    """As `downgrade_to_gsm`, into printable ASCII."""
    return text.translate(_TO_ASCII)
