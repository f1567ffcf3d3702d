"""How a text message is split into fragments, and which of its characters cost extra (contract: content 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal, NamedTuple

from notify.content.gsm import EXTENSION, GSM, KEPT, UNSENDABLE, downgrade_to_gsm, replace_lookalikes
from notify.content.sms import EACH_GSM, EACH_UNICODE, ONE_GSM, ONE_UNICODE, SmsMessage, tidy

Kind = Literal["plain", "extension", "unicode", "replaced", "unsendable"]
PLAIN: Final = "plain"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters of one kind within one fragment, counted from 0.

    `extension`: each counts as two. `unicode`: each makes the whole message Unicode. `replaced`: sent in place of
    `original`, and empty where that was invisible. `unsendable`: the `?` that is sent in place of `original`, which
    happens only where a message is limited to GSM.
    """

    text: str
    kind: Kind
    fragment: int
    original: str | None = None


@dataclass(frozen=True, slots=True)
class Anatomy:
    """A text message taken apart. The texts of `pieces` together are what is sent.

    `units` has, for each fragment, how many of the `capacity` units of a fragment it uses. Networks do not split the
    two units of an extension character or of a character above U+FFFF, so there may be a fragment more here than the
    platform counts.
    """

    is_unicode: bool
    capacity: int
    units: tuple[int, ...]
    pieces: tuple[Piece, ...]


class _Character(NamedTuple):
    text: str
    kind: Kind
    original: str | None


def dissect(message: SmsMessage) -> Anatomy:
    """Take a message apart."""
    is_unicode = message.is_unicode
    one, each = (ONE_UNICODE, EACH_UNICODE) if is_unicode else (ONE_GSM, EACH_GSM)
    characters = [*_characters(message)]
    costs = [_units(character, is_unicode) for character in characters]
    capacity = one if sum(costs) <= one else each
    used = [0]
    places = []
    for cost in costs:
        if used[-1] + cost > capacity:
            used.append(0)
        used[-1] += cost
        places.append(len(used) - 1)
    return Anatomy(is_unicode, capacity, tuple(used), tuple(_pieces(characters, places)))


def _characters(message: SmsMessage) -> Iterator[_Character]:
    kept, convert = (KEPT, downgrade_to_gsm) if message.gsm_only else (GSM, replace_lookalikes)
    originals = tidy(message.original)
    if convert(originals) != message.text:
        originals = message.text
    for original in originals:
        text = original if original in kept else convert(original)
        if text == original:
            yield _Character(text, _kind(text), None)
        else:
            kind: Kind = "unsendable" if message.gsm_only and text == UNSENDABLE else "replaced"
            yield from (_Character(one, kind, original) for one in text or ("",))


def _kind(character: str) -> Kind:
    if character in EXTENSION:
        return "extension"
    return PLAIN if character in GSM else "unicode"


def _units(character: _Character, is_unicode: bool) -> int:
    if is_unicode:
        return sum(1 + (one > "\uffff") for one in character.text)
    return sum(1 + (one in EXTENSION) for one in character.text)


def _pieces(characters: Sequence[_Character], places: Sequence[int]) -> Iterator[Piece]:
    placed = zip(characters, places, strict=True)
    for (kind, fragment, original), run in groupby(placed, lambda pair: (pair[0].kind, pair[1], pair[0].original)):
        text = "".join(character.text for character, _ in run)
        yield Piece(text, kind, fragment, original)
