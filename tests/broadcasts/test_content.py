"""The text of an emergency alert."""

from __future__ import annotations

import pytest

from notify.broadcasts.content import broadcast_text, filled, is_welsh, normalised, rendered, too_long

GSM_LIMIT = "1,395 characters or fewer"
WELSH_LIMIT = "615 characters or fewer (because it could not be GSM7 encoded)"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("a" * 1395, None),
        ("a" * 1396, GSM_LIMIT),
        ("€" * 697, None),
        ("€" * 698, GSM_LIMIT),
        ("ŵ" * 615, None),
        ("ŵ" * 616, WELSH_LIMIT),
        ("a" * 615 + "ŷ", WELSH_LIMIT),
        ("€" * 615, None),
        ("€" * 614 + "ŵ", None),
        ("", None),
    ],
)
def test_how_long_a_text_may_be(text: str, limit: str | None) -> None:
    assert too_long(text) == limit


def test_what_is_given_as_a_whole_is_kept_with_plain_quotes_and_line_ends() -> None:
    assert normalised("“One” – ‘two’\r\nthree") == "\"One\" - 'two'\nthree"


def test_a_text_is_broadcast_in_the_characters_of_phones() -> None:
    assert rendered("Water  at ((place)) .\n\n\n\nGo", {"place": "Łódź 😀"}) == "Water at Lódz ?.\n\nGo"
    assert broadcast_text("One\x1b\x07 two\x85") == "One two"
    assert is_welsh("Dŵr")
    assert not is_welsh("Eau élevée €")


def test_what_has_no_value_stays_a_placeholder() -> None:
    assert filled("At ((place)) & <b>((when))</b>", {"PLACE": "the <mill>"}) == "At the <mill> & <b>((when))</b>"
