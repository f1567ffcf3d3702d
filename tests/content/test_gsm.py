import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.gsm import KEPT, downgrade_to_ascii, downgrade_to_gsm


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("çãŠİΏ", "caSIΩ"),
        ("\u212b\u2126\u037eǖ", "ÅΩ;ü"),
        ("‘a’ “b” – … Łł", "'a' \"b\" - ... Ll"),
        ("a\u200bb\u00a0c\td", "ab c d"),
        ("😀中Жœþð×÷°`´\u2010\u00ad", "?" * 13),
        ("ŵŷâéñøå€", "ŵŷâéñøå€"),
        ("\U0001d15e", "?"),
    ],
)
def test_what_a_phone_cannot_show_is_replaced(text: str, sent: str) -> None:
    assert downgrade_to_gsm(text) == sent


def test_ascii_keeps_less() -> None:
    assert downgrade_to_ascii("øæß é –") == "??? e -"


@given(st.text())
def test_downgrading_leaves_only_what_can_be_sent_and_twice_changes_nothing(text: str) -> None:
    once = downgrade_to_gsm(text)
    assert KEPT.issuperset(once)
    assert downgrade_to_gsm(once) == once
