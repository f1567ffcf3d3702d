import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.email import EmailTemplate
from notify.content.email_page import EmailBranding

EQUALS, DASHES = "=" * 65, "-" * 65
RULE = "=-" * 32 + "="


def fragment(content: str, **values: object) -> str:
    return re.sub(r' style="[^"]*"', "", EmailTemplate("s", content).html_fragment(values))


def structure(content: str, **values: object) -> str:
    return re.sub(r"</?(table|tr|td)[^>]*>", "", fragment(content, **values))


def plain(content: str, **values: object) -> str:
    return EmailTemplate("s", content).plain_text(values)


EXAMPLES = [
    ("one\n\ntwo\nthree", "<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree\n"),
    ("# H\ntext", "<h2>H</h2><p>text</p>", f"H\n{EQUALS}\n\ntext\n"),
    ("## H\ntext", "<h3>H</h3><p>text</p>", f"H\n{DASHES}\n\ntext\n"),
    ("### H", "<p>H</p>", "H\n"),
    ("a\n\n# H", "<p>a</p><h2>H</h2>", f"a\n\n\nH\n{EQUALS}\n"),
    (
        "intro:\n* a\n* b\nafter",
        "<p>intro:</p><ul><li>a</li><li>b<br>after</li></ul>",
        "intro:\n\n• a\n• b\nafter\n",
    ),
    ("intro\n*one", "<p>intro<br>*one</p>", "intro\n*one\n"),
    ("*one\n*two", "<ul><li>one</li><li>two</li></ul>", "• one\n• two\n"),
    (
        "* a\n  * b\n  * c",
        "<ul><li>a<ul><li>b</li><li>c</li></ul></li></ul>",
        "• a\n\n• b\n• c\n",
    ),
    ("3. c\n4. d", "<ol><li>c</li><li>d</li></ol>", "1. c\n2. d\n"),
    ("1. a\n\n2. b", "<ol><li><p>a</p></li><li><p>b</p></li></ol>", "1. a\n2. b\n"),
    ("* a\n* b\n\n\n* c", "<ul><li>a</li><li>b</li></ul><ul><li>c</li></ul>", "• a\n• b\n\n• c\n"),
    ("a\n\n---\n\nb", "<p>a</p><hr><p>b</p>", f"a\n\n{RULE}\n\nb\n"),
    (
        "^ # h\n^ * a",
        "<blockquote><h2>h</h2><ul><li>a</li></ul></blockquote>",
        f"h\n{EQUALS}\n\n• a\n",
    ),
    ("> x", "<p>&gt; x</p>", "> x\n"),
    ("&lt;b&gt; &amp; &nbsp;", "<p>&lt;b&gt; &amp; &nbsp;</p>", "<b> & \u00a0\n"),
    ("*a* **b** _c_ ~~d~~ `e`", "<p>*a* **b** _c_ ~~d~~ `e`</p>", "*a* **b** _c_ ~~d~~ `e`\n"),
    ("[t](http://u.com)", '<p><a href="http://u.com">t</a></p>', "t: http://u.com\n"),
    (
        '[t](http://u.com "ti")',
        '<p><a href="http://u.com" title="ti">t</a></p>',
        "t (ti): http://u.com\n",
    ),
    (
        "see https://ex.com/a_b?c=d&e.",
        '<p>see <a href="https://ex.com/a_b?c=d&amp;e">https://ex.com/a_b?c=d&amp;e</a>.</p>',
        "see https://ex.com/a_b?c=d&e.\n",
    ),
    ("![i](u) | x", "<p> | x</p>", "| x\n"),
    ("\\* x", "<p>* x</p>", "* x\n"),
]


@pytest.mark.parametrize(("content", "expected", "_text"), EXAMPLES)
def test_markdown_becomes_html(content: str, expected: str, _text: str) -> None:
    assert structure(content) == expected


@pytest.mark.parametrize(("content", "_html", "expected"), EXAMPLES)
def test_markdown_becomes_plain_text(content: str, _html: str, expected: str) -> None:
    assert plain(content) == expected


def test_a_list_value_becomes_bullets() -> None:
    assert plain("text\n((l)) more", l=["a", "b"]) == "text\n\n• a\n• b more\n"


def test_punctuation_is_set_and_values_are_escaped() -> None:
    template = EmailTemplate("", 'Your ((thing)) - "now" <b> it\'s')
    assert "Your A &lt;i&gt; – “now” &lt;b&gt; it’s" in template.html_fragment({"thing": "A <i>"})
    assert template.plain_text({"thing": "A <i>"}) == "Your A <i> – “now” <b> it’s\n"


def test_subject_and_body_as_the_api_shows_them() -> None:
    template = EmailTemplate('  Hi ((name)) - "ok"\n', " # Dear ((name))\n\n((list)) ")
    values = {"Name": "Al", "list": ["a", "b"]}
    assert template.subject(values) == "Hi Al – “ok”"
    assert template.body(values) == "# Dear Al\n\n\n\n* a\n* b"
    assert template.placeholders == ("name", "list")
    assert template.missing({}) == ["name", "list"]


@pytest.mark.parametrize(("content", "values", "empty"), [("((a))", {"a": ""}, True), (" ((a))", {"a": ""}, False)])
def test_empty(content: str, values: dict[str, object], empty: bool) -> None:
    assert EmailTemplate("s", content).is_empty(values) is empty


def test_the_unsubscribe_link_stands_at_the_foot() -> None:
    template = EmailTemplate("s", "Hello")
    assert template.plain_text({}, "https://x.uk/u/1") == (
        f"Hello\n\n{RULE}\n\nUnsubscribe from these emails: https://x.uk/u/1\n"
    )
    assert 'href="https://x.uk/u/1"' in template.html({}, unsubscribe_url="https://x.uk/u/1")
    assert "Unsubscribe" not in template.preheader({})


def test_the_name_of_the_site_is_not_made_a_link() -> None:
    assert plain("GOV.UK gov.uk/x") == "GOV.\u200bUK gov.uk/x\n"


@pytest.mark.parametrize(
    ("brand_type", "govuk", "logo"),
    [(None, True, False), ("both", True, True), ("org", False, True), ("org_banner", False, True)],
)
def test_branding_variants(brand_type: str | None, govuk: bool, logo: bool) -> None:
    branding = EmailBranding.from_brand_type(
        brand_type, logo_url="https://x/l.png", text=None, alt_text="Ministry <of> Love", colour="#ff0000"
    )
    page = EmailTemplate("s", "Hello").html({}, branding=branding)
    assert ("Go to the GOV.UK homepage" in page) is govuk
    assert ('alt="Ministry &lt;of&gt; Love"' in page) is logo
    assert page.index("Hello") < page.index("<p")  # the preheader comes first


@given(st.text(), st.text())
def test_any_text_renders_and_no_value_makes_html(content: str, value: str) -> None:
    template = EmailTemplate(content, content + "((a))")
    template.html({"a": value}, unsubscribe_url="https://x.uk")
    template.plain_text({"a": value})
    assert "<script" not in EmailTemplate("", "((a))").html({"a": f"<script>{value}"})


@pytest.mark.parametrize("piece", ["((", "[", "[a](", "![", "*", "* ", ">", "^", "^ ", "#", "`", " ", "\\", "1. "])
def test_a_hostile_megabyte_is_read_in_no_time(piece: str) -> None:
    EmailTemplate("", piece * (1_000_000 // len(piece))).html_fragment({})
