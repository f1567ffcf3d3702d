from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.letter import LetterTemplate, QrCodeTooLong, letter_date
from notify.content.letter_render import Block, ItemList, PageBreak, Paragraph, QrCode, Run
from notify.content.qr import code_rows

SUMMER = datetime(2024, 7, 31, 23, 30, tzinfo=UTC)


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


def test_the_code_of_a_template_is_counted_as_it_was_written() -> None:
    LetterTemplate("s", "qr: " + "&" * 504).check_qr_codes({})
    with pytest.raises(QrCodeTooLong):
        LetterTemplate("s", "qr: " + "&" * 505).check_qr_codes({})
    with pytest.raises(QrCodeTooLong):
        LetterTemplate("s", "* a\n\n<!-- x\n\nqr: " + "&amp;" * 101).check_qr_codes({})
    with pytest.raises(QrCodeTooLong) as caught:
        LetterTemplate("s", "x", welsh_content="qr: " + "<" * 505, languages="welsh_then_english").check_qr_codes({})
    assert caught.value.data == "<" * 505


def test_what_is_not_shown_does_not_hide_a_code() -> None:
    with pytest.raises(QrCodeTooLong):
        LetterTemplate("s", "qr![i](http://x.uk): ((link))").check_qr_codes({"link": "x" * 505})


def test_quotes_below_a_code_are_set() -> None:
    assert body('qr: x\n\nit\'s "q"') == (QrCode("x"), text("it’s “q”"))


def test_a_link_to_what_has_no_value_is_marked() -> None:
    (paragraph,) = body("[t](http://x.uk/((a)))")
    assert isinstance(paragraph, Paragraph)
    assert paragraph.runs[1] == Run("((a))", "placeholder")
    assert body("qr: [t](((a)))") == (QrCode("[t](((a)))", unfilled=True),)
    assert body("[t](http://x.uk/é?a&b)") == (text("[t](http://x.uk/é?a&b)"),)


def test_only_a_paragraph_of_its_own_is_a_qr_code() -> None:
    LetterTemplate("s", "text\nqr: ((link))").check_qr_codes({"link": "x" * 600})


@given(st.text(), st.text())
def test_any_text_is_read(content: str, value: str) -> None:
    template = LetterTemplate(content, content + "((a))")
    template.subject({"a": value})
    template.body({"a": value})
    template.is_empty({"a": value})
    template.parts({"a": value}, SUMMER)


def body(content: str, **values: object) -> tuple[Block, ...]:
    return LetterTemplate("s", content).parts(values, SUMMER)[0].body


def text(*runs: str) -> Paragraph:
    return Paragraph(tuple(Run(run) for run in runs))


@pytest.mark.parametrize(
    ("content", "blocks"),
    [
        ("# H\ntext", (Paragraph((Run("H"),), is_heading=True), text("text"))),
        ("## H", (text("H"),)),
        ("a\nb\n\nc", (text("a", "\n", "b"), text("c"))),
        ("a\n\n---\n\nb", (text("a"), PageBreak(), text("b"))),
        ("^ q", (text("q"),)),
        ("*a\n*b", (ItemList(ordered=False, items=((text("a"),), (text("b"),))),)),
        (
            "1. a\n  * b",
            (ItemList(ordered=True, items=((text("a"), ItemList(ordered=False, items=((text("b"),),))),)),),
        ),
        ("see https://a-b.uk", (Paragraph((Run("see "), Run("a\u2011b.uk", "bold"))),)),
        ('[t](http://u.uk "ti")', (text("[t](http://u.uk “ti”)"),)),
        ('it\'s "well-known" - so', (text("it’s “well\u2011known” – so"),)),
        (" QR : https://x.uk/a-b?c&d", (QrCode("https://x.uk/a-b?c&d"),)),
        ("qr: ((x))", (QrCode("((x))", unfilled=True),)),
        ("text\nqr: x", (text("text", "\n", "qr: x"),)),
        ("((x))", (Paragraph((Run("((x))", "placeholder"),)),)),
        ("![i](u)\n\n*b* GOV.UK", (text("*b* GOV.UK"),)),
    ],
)
def test_markdown_becomes_blocks(content: str, blocks: tuple[Block, ...]) -> None:
    assert body(content) == blocks


def test_a_letter_in_two_languages() -> None:
    template = LetterTemplate(
        "Hi",
        "x",
        welsh_subject="Helo",
        welsh_content="y",
        languages="welsh_then_english",
        contact_block="  Us , ((a))\n  here ",
    )
    values = {"a": "<b>", "address line 1": "A <b>", "address_line_2": "B,", "postcode": "sw1a1aa"}
    welsh, english = template.parts(values, SUMMER)
    assert (welsh.language, welsh.includes_first_page, welsh.date) == ("welsh", True, "1 Awst 2024")
    assert (english.language, english.includes_first_page, english.date) == ("english", False, "1 August 2024")
    assert (welsh.page_words, english.page_words) == (("Tudalen", "o"), ("Page", "of"))
    assert (welsh.subject, english.subject) == ((Run("Helo"),), (Run("Hi"),))
    assert english.address == ((Run("A <b>"),), (Run("B"),), (Run("SW1A 1AA"),))
    assert english.contact_block == (Run("Us, <b>"), Run("\n"), Run("here"))


def test_an_address_that_is_not_there_yet_is_seven_placeholders() -> None:
    address = LetterTemplate("s", "c").parts({"address line 1": "A", "postcode": "p"}, SUMMER)[0].address
    assert address[0] == (Run("A"),)
    assert address[1] == (Run("address line 2", "placeholder-no-brackets"),)
    assert address[6] == (Run("p"),)


def test_dates_are_those_of_london() -> None:
    assert letter_date(datetime(2024, 12, 31, 23, 30, tzinfo=UTC), "welsh") == "31 Rhagfyr 2024"


def test_a_code_is_drawn() -> None:
    rows = code_rows("https://x.uk")
    assert {len(row) for row in rows} == {len(rows)} == {21}
    assert rows[0][:8] == bytes([1, 1, 1, 1, 1, 1, 1, 0])
    with pytest.raises(QrCodeTooLong):
        code_rows("x" * 5000)


def test_two_stars_at_the_beginning_of_a_block_are_two_bullets() -> None:
    (part,) = LetterTemplate("", "**bold** x\n\na **b**\n**c**").parts({}, SUMMER)
    item = ItemList(False, ((Paragraph((Run("bold** x"),)),),))
    assert part.body == (ItemList(False, ((item,),)), Paragraph((Run("a **b**"), Run("\n"), Run("**c**"))))
