"""Helpers on text."""

from __future__ import annotations

import html

from hypothesis import given
from hypothesis import strategies as st

from notify.content.text import tidy_punctuation, unescape

PIECES = [
    "&lt;",
    "&gt;",
    "&#91;",
    "&#93;",
    "&amp;",
    "&amp",
    "&",
    "lt;",
    "#91;",
    "gt",
    ";",
    "not",
    "&not",
    "a",
    " ",
    "&#x3c;",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join))
def test_unescaping_is_that_of_the_library(text: str) -> None:
    assert unescape(text) == html.unescape(text)


def test_blanks_before_commas_and_full_stops_go() -> None:
    assert tidy_punctuation("a , b\t. c  ,d") == "a, b. c,d"
    assert tidy_punctuation("a, b. c") == "a, b. c"
