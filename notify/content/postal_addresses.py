"""Postal addresses of letters (contract: content 11, public-api 6.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Final, Literal

from notify.content.countries import UNITED_KINGDOM, Zone, find_country, zone
from notify.content.text import normalise_whitespace, remove_whitespace, tidy_punctuation

FEWEST_LINES: Final = 3
MOST_LINES: Final = 7

_AREAS: Final = """
AB AL B BA BB BD BF BH BL BN BR BS BT BX CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY
G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L GIR LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW
OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF
WN WR WS WV YO ZE
"""
_POSTCODE: Final = re.compile(rf"(?:{'|'.join(_AREAS.split())})[0-9][A-Z0-9]?[0-9][ABD-HJLNP-UW-Z]{{2}}")
_BFPO: Final = re.compile(r"bfpo\s*(?:c/o)?\s*([0-9]*)", re.IGNORECASE)
_BAD_START: Final = tuple('@()=[]"\\/,<>~')
AddressFault = Literal[
    "not-enough-address-lines",
    "too-many-address-lines",
    "invalid-address-line-1-or-2",
    "has-country-for-bfpo-address",
    "not-a-real-uk-postcode-or-country",
    "cant-send-international-letters",
    "not-a-real-uk-postcode",
    "invalid-char-in-address",
    "no-fixed-abode-address",
]
_ERRORS: Final[dict[AddressFault, str]] = {
    "not-enough-address-lines": "Address must be at least 3 lines",
    "too-many-address-lines": "Address must be no more than 7 lines",
    "invalid-address-line-1-or-2": (
        "The first 2 lines of the address must both include at least one alphanumeric character"
    ),
    "has-country-for-bfpo-address": "The last line of a BFPO address must not be a country.",
    "not-a-real-uk-postcode-or-country": "Last line of address must be a real UK postcode or another country",
    "cant-send-international-letters": "Must be a real UK postcode",
    "not-a-real-uk-postcode": "Must be a real UK postcode",
    "invalid-char-in-address": (
        "Address lines must not start with any of the following characters: @ ( ) = [ ] ” \\ / , < >"
    ),
    "no-fixed-abode-address": "Must be a real address",
}
_ALPHANUMERIC: Final = re.compile(r"[a-zA-Z0-9]")


def format_postcode(text: str) -> str | None:
    """A UK postcode in capitals with its space, or `None` if `text` is not one."""
    bare = remove_whitespace(text)
    # ASCII before capitals are made, which can turn another letter into one of a postcode (ß into SS)
    if not bare.isascii() or not _POSTCODE.fullmatch(bare := bare.upper()):
        return None
    return f"{bare[:-3]} {bare[-3:]}"


def _text(value: object) -> str:
    return "" if value is None or value is False else str(value)


class PostalAddress:
    """An address, from lines as people write them."""

    def __init__(self, raw: str, *, allow_international: bool = False) -> None:
        self.allow_international = allow_international
        lines = [tidy_punctuation(normalise_whitespace(line).rstrip(" ,")) for line in raw.splitlines()]
        lines, self.bfpo_number = _split_bfpo([line for line in lines if line])
        self._lines, self.country = _split_country(lines)
        self.postcode: str | None = None
        if self.country == UNITED_KINGDOM and self._lines:
            self.postcode = format_postcode(self._lines[-1])
            if self.postcode:
                self._lines = self._lines[:-1]

    @staticmethod
    def from_personalisation(values: Mapping[str, object], *, allow_international: bool) -> PostalAddress:
        """The address in `address_line_1` to `address_line_6` and `postcode`; `address_line_7`, where it is given at
        all, takes the place of `postcode` (11.1).
        """
        last = "address_line_7" if "address_line_7" in values else "postcode"
        names = [*(f"address_line_{number}" for number in range(1, 7)), last]
        return PostalAddress(
            "\n".join(_text(values.get(name)) for name in names), allow_international=allow_international
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PostalAddress):
            return NotImplemented
        return self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[object, ...]:
        return tuple(self.normalised_lines), self.allow_international, self.bfpo_number, self.country

    @property
    def international(self) -> bool:
        """In another country."""
        return self.country != UNITED_KINGDOM

    @property
    def postage_zone(self) -> Zone:
        """The postage zone."""
        return zone(self.country)

    @cached_property
    def normalised_lines(self) -> list[str]:
        """The lines as they are printed."""
        lines = list(self._lines)
        if self.postcode:
            lines.append(self.postcode)
        if self.bfpo_number:
            lines.append(f"BFPO {self.bfpo_number}")
        if self.international:
            lines.append(self.country)
        return lines

    @property
    def as_single_line(self) -> str:
        """The lines, joined with commas."""
        return ", ".join(self.normalised_lines)

    @property
    def is_valid(self) -> bool:
        """Whether a letter can be sent there."""
        return self.error is None

    @property
    def error(self) -> str | None:
        """The first error of the address in the words of the API, or `None`."""
        return _ERRORS[self.fault] if self.fault else None

    @cached_property
    def fault(self) -> AddressFault | None:
        """The first error of the address as the code that letters have it by (letters 4.2), or `None`."""
        lines = self.normalised_lines
        if len(lines) < FEWEST_LINES:
            return "not-enough-address-lines"
        if len(lines) > MOST_LINES:
            return "too-many-address-lines"
        if not all(_ALPHANUMERIC.search(line) for line in lines[:2]):
            return "invalid-address-line-1-or-2"
        if self.bfpo_number and self.international:
            return "has-country-for-bfpo-address"
        if not self._has_valid_last_line:
            if self.allow_international:
                return "not-a-real-uk-postcode-or-country"
            return "cant-send-international-letters" if self.international else "not-a-real-uk-postcode"
        if any(line.startswith(_BAD_START) for line in lines):
            return "invalid-char-in-address"
        if self._is_no_fixed_abode:
            return "no-fixed-abode-address"
        return None

    @property
    def _has_valid_last_line(self) -> bool:
        if self.bfpo_number:
            return not self.international
        return self.postcode is not None or (self.allow_international and self.international)

    @property
    def _is_no_fixed_abode(self) -> bool:
        text = "\n".join(self.normalised_lines).lower()
        return "nfa" in text.split("\n") or "no fixed abode" in text or "no fixed address" in text

    def as_personalisation(self) -> dict[str, str]:
        """The values that placeholders of an address are filled with (11.4)."""
        lines = self.normalised_lines
        *before, last = lines or [""]
        if self.bfpo_number and self.postcode:
            before = [*(self._lines + [""] * 5)[:5], self.postcode]
        values = {f"address_line_{n}": line for n, line in enumerate((before + [""] * 6)[:6], start=1)}
        values["address_line_7"] = last
        values["postcode"] = (self.postcode or "") if self.bfpo_number else last
        return values


def _split_bfpo(lines: list[str]) -> tuple[list[str], str | None]:
    """The lines without those of a British Forces Post Office, and its number."""
    matches = [_BFPO.fullmatch(line) for line in lines]
    number = next((match[1] for match in matches if match and match[1]), None)
    if number is None:
        return lines, None
    return [line for line, match in zip(lines, matches, strict=True) if not match], number


def _split_country(lines: list[str]) -> tuple[list[str], str]:
    """The lines before the country, and the country. Several names of the UK may follow each other."""
    country = find_country(lines[-1]) if lines else None
    if country is None:
        return lines, UNITED_KINGDOM
    end = len(lines) - 1
    while country == UNITED_KINGDOM and end and find_country(lines[end - 1]) == UNITED_KINGDOM:
        end -= 1
    return lines[:end], country
