"""How a text message falls into fragments, and which of its characters cost extra (contract: content 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal, NamedTuple

from notify.content.gsm import EXTENSION, KEPT, UNSENDABLE, WELSH_NOT_GSM, downgrade_to_gsm
from notify.content.sms import EACH_GSM, EACH_UNICODE, ONE_GSM, ONE_UNICODE, SmsMessage, tidy

Kind = Literal["plain", "extension", "unicode", "replaced", "unsendable"]
PLAIN: Final = "plain"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters of one kind within one fragment, counted from 0.

    `extension`: each counts as two. `unicode`: each makes the whole message Unicode. `replaced` and `unsendable` stand
    for `original`, which text messages do not have; what an unsendable character becomes says nothing of it, and what
    an invisible one becomes is empty.
    """

    text: str
    kind: Kind
    fragment: int
    original: str | None = None


@dataclass(frozen=True, slots=True)
class Anatomy:
    """A text message taken apart. The texts of `pieces` together are what is sent.

    `units` has, for each fragment, how many of the `capacity` units of a fragment it uses. Networks do not part the two
    units of an extension character, so that there may be a fragment more here than the platform counts.
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
    originals = tidy(message.before_downgrade)
    if downgrade_to_gsm(originals) != message.text:
        originals = message.text
    for original in originals:
        text = downgrade_to_gsm(original)
        if original not in KEPT:
            kind: Kind = "unsendable" if text == UNSENDABLE else "replaced"
            yield from (_Character(one, kind, original) for one in text or ("",))
        elif text in EXTENSION:
            yield _Character(text, "extension", None)
        else:
            yield _Character(text, "unicode" if text in WELSH_NOT_GSM else PLAIN, None)


def _units(character: _Character, is_unicode: bool) -> int:
    doubled = 0 if is_unicode else sum(one in EXTENSION for one in character.text)
    return len(character.text) + doubled


def _pieces(characters: Sequence[_Character], places: Sequence[int]) -> Iterator[Piece]:
    placed = zip(characters, places, strict=True)
    for (kind, fragment, original), run in groupby(placed, lambda pair: (pair[0].kind, pair[1], pair[0].original)):
        text = "".join(character.text for character, _ in run)
        yield Piece(text, kind, fragment, original)
