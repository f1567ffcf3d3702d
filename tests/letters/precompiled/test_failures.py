"""Codes of failures and their texts."""

from __future__ import annotations

import pytest

from notify.letters.precompiled.failures import CODES, failure_text, pages_in_words


@pytest.mark.parametrize(
    ("pages", "words"), [((2,), "page 2"), ((1, 3), "pages 1 and 3"), ((1, 3, 4), "pages 1, 3 and 4")]
)
def test_pages_are_listed_in_words(pages: tuple[int, ...], words: str) -> None:
    assert pages_in_words(pages) == words


def test_texts_name_the_pages_and_their_number() -> None:
    one = failure_text("letter-not-a4-portrait-oriented", (2,), 3)
    assert one.title == "Your letter is not A4 portrait size"
    assert one.detail == "You need to change the size or orientation of page 2."
    assert one.summary == "Validation failed because page 2 is not A4 portrait size."
    assert one.needs_specification
    many = failure_text("letter-not-a4-portrait-oriented", (1, 3), 3)
    assert many.summary == "Validation failed because pages 1 and 3 are not A4 portrait size."
    long = failure_text("letter-too-long", (), 12)
    assert long.detail.endswith("Your letter is 12 pages long.")
    assert long.summary == (
        "Validation failed because this letter is 12 pages long. "
        "Letters must be 10 pages or less (5 double-sided sheets of paper)."
    )


def test_every_code_has_its_texts_and_an_unknown_one_a_title() -> None:
    assert len(CODES) == len(set(CODES)) == 15
    for code in CODES:
        text = failure_text(code, (1,), 1)
        assert text.title != "Validation failed"
        assert text.detail.endswith((".", "~"))
        assert text.summary.startswith("Validation failed because ")
    assert failure_text("something-new").title == "Validation failed"
    assert failure_text(None).summary == ""
