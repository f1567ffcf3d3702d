import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.email import EmailTemplate
from notify.content.sanitise import sanitise_value


@pytest.mark.parametrize(
    ("value", "harmless"),
    [
        ("[click](https://evil.link)", r"\[click\]\(\)"),
        ("Marie.Curie-Sklodowska", r"Marie\. Curie\-Sklodowska"),
        ("www.evil.link and https://evil.link", r"www\. evil\. link and "),
        ("Amala", "Amala"),
        ("a.b@example.com", r"a\.b@example\.com"),
    ],
)
def test_links_and_markdown_go(value: str, harmless: str) -> None:
    assert sanitise_value(value) == harmless


@given(st.text(alphabet="abc.:/hts[]()*# \\-w"))
def test_a_sanitised_value_makes_no_link(value: str) -> None:
    assert "<a " not in EmailTemplate("", "x ((a)) y").html_fragment({"a": sanitise_value(value)})
