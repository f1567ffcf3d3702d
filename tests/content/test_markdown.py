"""Blocks of Markdown are recognised as by the original's library."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content import markdown
from notify.content.markdown import _Block, _LineStarts

LINES = [
    "",
    " ",
    "a",
    "* a",
    "  * b",
    "1. a",
    "# a",
    "---",
    "> a",
    "```",
    "    code",
    "|a|b|",
    "-|-",
    "a|b",
    "[^1]: a",
    "[a]: b",
]
PATTERN = markdown._MARKDOWN.block.compile_sc()


@pytest.mark.parametrize(("name", "rule"), list(markdown._MARKDOWN.block.specification.items()))
def test_every_rule_is_about_the_beginning_of_a_line(name: str, rule: str) -> None:
    assert rule.lstrip("(").startswith("^"), name


@given(st.lists(st.sampled_from(LINES) | st.text("ab*>#[]-|` \n", max_size=8)).map("\n".join), st.integers(0, 40))
def test_looking_at_beginnings_of_lines_finds_what_looking_everywhere_finds(text: str, position: int) -> None:
    assert isinstance(markdown._MARKDOWN.block, _Block)
    assert isinstance(PATTERN, _LineStarts)
    position = min(position, len(text))
    found, expected = PATTERN.search(text, position), PATTERN.pattern.search(text, position)
    assert (found and found.span()) == (expected and expected.span())


def test_half_a_character_in_the_target_of_a_link_is_replaced() -> None:
    assert "�" in str(markdown.parse("[a](http://b\ud800c)"))
