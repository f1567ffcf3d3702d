"""Helpers on text."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from notify.content.text import tidy_punctuation, unescape, unsmart_emails

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


@given(st.text("a@’‘ \n.'", max_size=30))
def test_apostrophes_of_addresses_become_straight(text: str) -> None:
    straight = re.sub(r"\S+@\S+", lambda match: match[0].replace("‘", "'").replace("’", "'"), text)
    assert unsmart_emails(text) == straight


def test_a_long_word_that_ends_in_an_at_sign_takes_no_time() -> None:
    text = "a" * 1_000_000 + "@"
    assert unsmart_emails(text) == text
