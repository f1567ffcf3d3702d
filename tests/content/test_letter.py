import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.letter import LetterTemplate, QrCodeTooLong


def test_placeholders_come_in_the_order_of_the_page() -> None:
    template = LetterTemplate(
        "((s))",
        "((c)) ((S))",
        welsh_subject="((ws))",
        welsh_content="((wc))",
        languages="welsh_then_english",
        contact_block="((contact))",
    )
    assert template.placeholders == ("contact", "ws", "wc", "s", "c")
    assert template.missing({"s": 1, "wc": ""}) == ["contact", "ws", "c"]


def test_subject_and_body_as_the_api_shows_them() -> None:
    template = LetterTemplate("Hi ((n)) & co", "Dear ((n))\n\n((l))")
    assert template.subject({"n": "<Al>"}) == "Hi &lt;Al&gt; &amp; co"
    assert template.body({"n": "<Al>", "l": ["a", "b"]}) == "Dear <Al>\n\n\n\n* a\n* b"


def test_a_qr_code_carries_504_bytes_at_the_most() -> None:
    template = LetterTemplate("s", "Hello\n\nqr: ((link))\n\nBye")
    template.check_qr_codes({"link": "x" * 504})
    with pytest.raises(QrCodeTooLong) as caught:
        template.check_qr_codes({"link": "&" * 101})
    assert (caught.value.num_bytes, caught.value.max_bytes, caught.value.data) == (505, 504, "&" * 101)


def test_only_a_paragraph_of_its_own_is_a_qr_code() -> None:
    LetterTemplate("s", "text\nqr: ((link))").check_qr_codes({"link": "x" * 600})


@given(st.text(), st.text())
def test_any_text_is_read(content: str, value: str) -> None:
    template = LetterTemplate(content, content + "((a))")
    template.subject({"a": value})
    template.body({"a": value})
    template.is_empty({"a": value})
