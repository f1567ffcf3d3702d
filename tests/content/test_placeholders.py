import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.email import EmailTemplate
from notify.content.letter import LetterTemplate, QrCodeTooLong
from notify.content.placeholders import Field, Personalisation, TooMuchTextError, escape


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
