"""Validation failures of precompiled letters, as codes and as texts for people (contract: letters 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple, get_args

from notify.content.postal_addresses import AddressFault

FailureCode = (
    Literal[
        "letter-not-a4-portrait-oriented",
        "content-outside-printable-area",
        "letter-too-long",
        "unable-to-read-the-file",
        "address-is-empty",
        "notify-tag-found-in-content",
    ]
    | AddressFault
)
UNREADABLE: Final = "unable-to-read-the-file"
NO_FILE: Final = "no-encoded-string"
"""The answer to a request without a file; no letter has this code."""


class FailureText(NamedTuple):
    """The texts of a failure. `detail` says what to do, `summary` what happened; `needs_specification`: followed by a
    link to the letter specification.
    """

    title: str
    detail: str
    summary: str
    needs_specification: bool


_ADDRESS: Final = "There’s a problem with the address for this letter"
_FAILED: Final = "Validation failed because "
_TOO_LONG: Final = "Letters must be 10 pages or less (5 double-sided sheets of paper)."
_FIRST_CHARACTERS: Final = "lines must not start with any of the following characters: @ ( ) = [ ] ” \\ / , < > ~"

_TEXTS: Final[Mapping[str, FailureText]] = {
    "letter-not-a4-portrait-oriented": FailureText(
        "Your letter is not A4 portrait size",
        "You need to change the size or orientation of {pages}.",
        _FAILED + "{pages} {are} not A4 portrait size.",
        True,
    ),
    "content-outside-printable-area": FailureText(
        "Your content is outside the printable area",
        "You need to edit {pages}.",
        _FAILED + "content is outside the printable area on {pages}.",
        True,
    ),
    "letter-too-long": FailureText(
        "Your letter is too long",
        _TOO_LONG + " Your letter is {n} pages long.",
        _FAILED + "this letter is {n} pages long. " + _TOO_LONG,
        False,
    ),
    NO_FILE: FailureText("Sanitise failed - No encoded string", "", "", False),
    UNREADABLE: FailureText(
        "There’s a problem with your file",
        "Notify cannot read this PDF. Save a new copy of your file and try again.",
        _FAILED + "Notify cannot read this PDF. Save a new copy of your file and try again.",
        False,
    ),
    "address-is-empty": FailureText(
        "The address block is empty",
        "You need to add a recipient address.",
        _FAILED + "the address block is empty.",
        True,
    ),
    "not-a-real-uk-postcode": FailureText(
        _ADDRESS,
        "The last line of the address must be a real UK postcode.",
        _FAILED + "the last line of the address is not a real UK postcode.",
        False,
    ),
    "cant-send-international-letters": FailureText(
        _ADDRESS,
        "You do not have permission to send letters to other countries.",
        _FAILED + "your service cannot send letters to other countries.",
        False,
    ),
    "not-a-real-uk-postcode-or-country": FailureText(
        _ADDRESS,
        "The last line of the address must be a UK postcode or another country.",
        _FAILED + "the last line of the address is not a UK postcode or another country.",
        False,
    ),
    "not-enough-address-lines": FailureText(
        _ADDRESS,
        "The address must be at least 3 lines long.",
        _FAILED + "the address must be at least 3 lines long.",
        False,
    ),
    "too-many-address-lines": FailureText(
        _ADDRESS,
        "The address must be no more than 7 lines long.",
        _FAILED + "the address must be no more than 7 lines long.",
        False,
    ),
    "invalid-char-in-address": FailureText(
        _ADDRESS, f"Address {_FIRST_CHARACTERS}", f"{_FAILED}address {_FIRST_CHARACTERS}", False
    ),
    "has-country-for-bfpo-address": FailureText(
        _ADDRESS,
        "The last line of a BFPO address must not be a country.",
        _FAILED + "the last line of the BFPO address is a country.",
        False,
    ),
    "notify-tag-found-in-content": FailureText(
        "There’s a problem with your letter",
        "Your file includes a letter you’ve downloaded from Notify. You need to edit {pages}.",
        _FAILED + "your file includes a letter you’ve downloaded from Notify on {pages}.",
        False,
    ),
    "no-fixed-abode-address": FailureText(
        "There is a problem", "Enter a real address.", _FAILED + "this is not a real address.", False
    ),
    "invalid-address-line-1-or-2": FailureText(
        _ADDRESS,
        "The first 2 lines must both include at least one alphanumeric character.",
        _FAILED + "there is not an alphanumeric character in lines 1 and 2 of the address.",
        False,
    ),
}
CODES: Final[tuple[str, ...]] = tuple(code for part in get_args(FailureCode) for code in get_args(part) or (part,))
"""Every failure code of a letter."""


def failure_text(code: str | None, pages: Sequence[int] = (), page_count: int | None = None) -> FailureText:
    """The texts of a failure; for an unknown code, only a title. `pages` are its invalid pages, from 1."""
    text = _TEXTS.get(code or "")
    if text is None:
        return FailureText("Validation failed", "", "", False)
    values = {"pages": pages_in_words(pages), "are": "is" if len(pages) == 1 else "are", "n": page_count}
    return text._replace(detail=text.detail.format(**values), summary=text.summary.format(**values))


def pages_in_words(pages: Sequence[int]) -> str:
    """`page 2`, or `pages 1, 3 and 4`."""
    if len(pages) == 1:
        return f"page {pages[0]}"
    *before, last = (str(page) for page in pages) if pages else ("",)
    return f"pages {', '.join(before)} and {last}" if before else "pages"
