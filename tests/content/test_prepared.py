"""Prepared emails are the same as fully rendered ones."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notify.content.email import EmailTemplate
from notify.content.prepared import kind_of

PIECES = [
    *(
        "((a))",
        "((b))",
        "((c??shown))",
        "((l))",
        "((a??* x\n))",
        "((d))",
        "gov.uk",
        "GOV.",
        "uk",
        "http://x.uk/",
        "https",
    ),
    *(
        "://",
        "[",
        "](",
        "]",
        ")",
        "(",
        "\n",
        "\n\n",
        " ",
        "* ",
        "1. ",
        "1",
        ".",
        "- ",
        "---",
        "^ ",
        "# ",
        "word",
        "'",
        '"',
    ),
    *(
        "''",
        "s",
        "80s",
        " - ",
        ",",
        "@",
        "x.",
        "&",
        "&lt;",
        "|",
        "    ",
        "\\",
        "<",
        ">",
        "é",
        "::",
        "/",
        "?",
        "!",
        "tel:",
    ),
    *("`", "~~~", "```", "\t", "שלום", "\r\n"),
]
VALUES = [
    *(
        "",
        "5",
        "12",
        "1.5",
        "80s",
        "s",
        "k",
        "Kate",
        "uk",
        "gov",
        "gov.uk",
        "GOV.UK x",
        "x GOV.UK",
        "http",
        "ttp",
        "tel",
    ),
    *("https://ex.uk/a?b=1&c=2#d", "jo@x.uk", "12 March 2026", "10:30", "£10.50", "Smith & Sons", "Mr. O'Neil", "a, b"),
    *(
        "x.",
        "A-1/2",
        "1. x",
        "* x",
        "<b>",
        "http://x.uk).",
        "2a",
        "Łódź",
        "10 a.",
        "v.uk",
        "a b c",
        "3 s",
        "yes",
        "שלום",
    ),
    *(True, 0, 1.5, None, ["a", "b c"], ["1.", "x"], ["5", "80s", ""], []),
]
VALUE = st.sampled_from(VALUES) | st.text(alphabet="ab1 .:/-'&@hs(", max_size=6)
CONTENT = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def assert_same(template: EmailTemplate, values: dict[str, Any], unsubscribe_url: str | None) -> None:
    for _ in range(2):  # the second time of a shape is when it is prepared
        message = template.render(values, unsubscribe_url=unsubscribe_url)
    assert message.html == template.html(values, unsubscribe_url=unsubscribe_url)
    assert message.plain_text == template.plain_text(values, unsubscribe_url=unsubscribe_url)
    assert message.subject == template.subject(values)


@settings(max_examples=400, deadline=None)
@given(
    CONTENT,
    CONTENT,
    st.dictionaries(st.sampled_from("abcld"), VALUE, min_size=3),
    st.sampled_from([None, "https://n.uk/u/1/ab.c-d", "u x"]),
    st.booleans(),
)
def test_the_quick_way_gives_what_the_whole_way_gives(
    subject: str, content: str, values: dict[str, Any], unsubscribe_url: str | None, redact: bool
) -> None:
    assert_same(EmailTemplate(subject, content, redact=redact), values, unsubscribe_url)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("((a)). b", "1"),
        ("((a))((b))", "gov."),
        ("x ((a)).uk", "gov"),
        ("((a))://x.uk", "https"),
        ("the '((a))", "80s"),
        ("[t](((a)):x)", "tel"),
        ("[x]((a))", "(u)"),
        ("((a))[x](u)", "!"),
        ("a\t((a))\tb", "cd"),
    ],
)
def test_what_the_text_around_a_value_makes_of_it_is_kept(content: str, value: str) -> None:
    assert_same(EmailTemplate("", content), {"a": value, "b": "uk"}, None)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("", ""),
        ("12", "number"),
        ("AB-12", "name"),
        ("2a", "code"),
        ("Kate Smith & Sons", "words"),
        ("12 March 2026", "count"),
        ("Łódź", "token"),
        ("10:30", "time"),
        ("£10.50", "money"),
        ("jo@cabinet-office.gov.uk", "email"),
        ("https://x.uk/a?b=c&d=e", "url"),
        ("O'Neil", None),
        ("a\nb", None),
        ("* x", None),
        ("gov.uk", None),
        ("1. x", None),
        ("x" * 3000, None),
    ],
)
def test_kinds_of_values(value: str, kind: str | None) -> None:
    assert kind_of(value) == kind


def test_other_recipients_are_served_from_what_was_prepared() -> None:
    template = EmailTemplate("For ((name))", "Dear ((name)),\n\n((late??You are late.))\n\n((books))")
    for name, late, books in [("Al", "yes", ["x"]), ("Bo", "yes", ["y"]), ("Cy & co", "no", []), ("Di", "yes", ["z"])]:
        message = template.render({"name": name, "late": late, "books": books})
        assert message.subject == f"For {name}"
        assert message.plain_text.startswith(f"Dear {name},")
        assert ("late" in message.plain_text) is (late == "yes")
        assert message.plain_text.endswith(f"• {books[0]}\n" if books else "\n")


def test_many_placeholders_are_filled_in_right() -> None:
    template = EmailTemplate("s", "".join(f"((a{number}))\n" for number in range(18_000)))
    values = {f"a{number}": f"v{number}" for number in range(18_000)}
    template.render(values)
    assert template.render(values).plain_text == template.plain_text(values)


def test_dollars_after_a_quotation_mark() -> None:
    template = EmailTemplate('"((a))', "1")
    for _ in range(3):
        rendered = template.render({"a": "$1,000.00"})
    assert rendered.html == template.html({"a": "$1,000.00"})


def test_preparing_can_be_switched_off() -> None:
    template, whole = EmailTemplate("((a))", "Hi ((a))"), EmailTemplate("((a))", "Hi ((a))", prepare=False)
    for name in ("Kate", "Amala", "Ngozi"):
        assert whole.render({"a": name}) == template.render({"a": name})
    assert "_prepared" not in vars(whole), "nothing is prepared"
