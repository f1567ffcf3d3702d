import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.email import EmailTemplate
from notify.content.letter import LetterTemplate, QrCodeTooLong
from notify.content.placeholders import (
    Field,
    Personalisation,
    TooMuchTextError,
    escape,
    without_null_characters,
)
from notify.content.sms import SmsTemplate


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("((B)) ((a)) ((b_ )) ((a??x))", ("B", "a")),
        ("((?? x))", ("",)),
        ("((a?? ((b)) ))", ("b",)),
        ("(()) ((a) ((a(b)))", ()),
        ("((a\nb))", ("a\nb",)),
    ],
)
def test_names(content: str, names: tuple[str, ...]) -> None:
    assert Field(content).placeholders == names


@pytest.mark.parametrize(
    ("content", "values", "filled"),
    [
        ("((a??b??c))", {"a": "yes"}, "b??c"),
        ("((a?? b))", {"a": True}, " b"),
        ("((a??b))", {"a": 1.0}, ""),
        ("((a??b))", {"a": ["no", "yes"]}, ""),
        ("((a??b))", {"a": ["yes"]}, "b"),
        ("((a))", {"a": ("x", "y")}, "('x', 'y')"),
        ("((a))", {"a": [None, " "]}, ""),
        ("((a))", {"a": "1", "A ": "2"}, "2"),
        ("((a\tb))", {"ab": "x"}, "((a\tb))"),
    ],
)
def test_values(content: str, values: dict[str, object], filled: str) -> None:
    assert Field(content).fill(Personalisation(values)) == filled


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ('<b>&amp; &nbsp; &lt; & "q"', '&lt;b&gt;&amp; &nbsp; &lt; &amp; "q"'),
        ("&copy; &#x41; &#65;", "© A A"),
        ("a&nbsp", "a&amp;nbsp"),
        ("&amp;lt;", "&amp;lt;"),
    ],
)
def test_escaping(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@given(st.text())
def test_what_is_escaped_has_no_element(text: str) -> None:
    assert not {"<", ">"} & set(escape(text))


def test_a_number_of_thousands_of_digits_is_no_character() -> None:
    reference = f"&#{'1' * 5000};"
    assert escape(reference) == "&amp;" + reference[1:]
    assert EmailTemplate("((a))", reference).plain_text({"a": reference}) == reference + "\n"
    with pytest.raises(QrCodeTooLong):
        LetterTemplate("", f"qr: {reference}").check_qr_codes({})


def test_a_text_that_would_be_too_much_is_not_made() -> None:
    field = Field("a" + "((name))" * 1000)
    with pytest.raises(TooMuchTextError) as caught:
        field.fill(Personalisation({"name": "<" * 20_000_000}), convert=escape)
    assert caught.value.length == 20_000_000_001
    assert len(field.fill(Personalisation({"name": "<" * 1000}))) == 1_000_001


@pytest.mark.parametrize("value", ["x" * 1_000_000, ["", None] * 300_000])
def test_a_large_value_is_read_once_however_often_it_is_named(value: object) -> None:
    # nothing is timed: read each time, it would take hours
    field = Field("((a))" + "((a??shown))" * 100_000 + "((a))" * (1000 if isinstance(value, list) else 1))
    assert len(field.fill(Personalisation({"a": value}))) == (2_000_000 if isinstance(value, str) else 0)


def test_null_characters_are_taken_out_of_values() -> None:
    values = {"a\0b": "x\0y", "l": ["\0", 1, {"\0n": ["\0z"]}], "n": None}
    assert without_null_characters(values) == {"ab": "xy", "l": ["", 1, {"n": ["z"]}], "n": None}
    assert values["a\0b"] == "x\0y", "what was given is left alone"
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    without_null_characters(deep)


def test_no_message_has_a_null_character() -> None:
    assert SmsTemplate("Hi ((a))").render({"a": "A\0l"}).text == "Hi Al"
    email = EmailTemplate("Hi ((a))", "Dear ((a)) ((l))").render({"a": "A\0l", "l": ["x\0", "\0"]})
    assert (email.subject, email.plain_text) == ("Hi Al", "Dear Al \n\n• x\n")
    assert "\0" not in email.html


@pytest.mark.parametrize("blanks", ["", " ", "\n\t", "\u00a0", "\u2003\u200b", "\ufeff", [], [" "]])
@pytest.mark.parametrize("content", ["((a))", "((a)) ((b))", "((a))\n((c??shown))"])
def test_a_message_of_blanks_only_is_empty(blanks: object, content: str) -> None:
    values = {"a": blanks, "b": "", "c": "no"}
    assert EmailTemplate("s", content).is_empty(values)
    assert LetterTemplate("s", content).is_empty(values)
    assert SmsTemplate(content).render(values).is_empty


def test_a_message_with_more_than_placeholders_is_not_empty() -> None:
    assert not EmailTemplate("s", " ((a))").is_empty({"a": ""})
    assert not EmailTemplate("s", "((a))").is_empty({"a": "x"})


def test_whole_numbers_are_shown_with_all_their_digits() -> None:
    number = 98765432109876543210987654321098765432109876543210
    assert SmsTemplate("((a)) ((b))").render({"a": number, "b": -(2**63) - 1}).text == f"{number} -9223372036854775809"
    assert EmailTemplate("((a))", "((a))").subject({"a": number}) == str(number)
