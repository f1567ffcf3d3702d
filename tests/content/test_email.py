import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.email import EmailTemplate
from notify.content.email_page import EmailBranding
from notify.content.sanitise import sanitise_value

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
    ("-5", "<ul><li>5</li></ul>", "• 5\n"),
    ("1.item", "<ol><li>item</li></ol>", "1. item\n"),
    ("+ x", "<p>+ x</p>", "+ x\n"),
    ("1) x", "<p>1) x</p>", "1) x\n"),
    ("intro\n• one", "<p>intro<br>• one</p>", "intro\n• one\n"),
    ("1. a\n  * b\n2. c", "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>", "1. a\n\n• b\n2. c\n"),
    ("* a\n1. b", "<ul><li>a</li><li>b</li></ul>", "• a\n• b\n"),
    ("* a\n\n* b\n# c\nd", "<ul><li><p>a</p></li><li><p>b<br># c<br>d</p></li></ul>", "• a\n• b\n# c\nd\n"),
    ("* a\n\nb", "<ul><li>a</li></ul><p>b</p>", "• a\n\nb\n"),
    ("* a\n---\nb", "<h3>* a</h3><p>b</p>", f"* a\n{DASHES}\n\nb\n"),
    ("a\nb\n=", "<p>a</p><h2>b</h2>", f"a\n\n\nb\n{EQUALS}\n"),
    ("#5 item ##", "<h2>5 item</h2>", f"5 item\n{EQUALS}\n"),
    ("para\n^ q", "<p>para<br>^ q</p>", "para\n^ q\n"),
    ("^", "<p>^</p>", "^\n"),
    ("^ a\nb\n\n^ c", "<blockquote><p>a<br>b</p><p>c</p></blockquote>", "a\nb\n\nc\n"),
    ("^^ a", "<blockquote><blockquote><p>a</p></blockquote></blockquote>", "a\n"),
    ("```\na\n```", "a\n", "a\n"),
    ("```\na", "<p>```<br>a</p>", "```\na\n"),
    ("a[^1]\n\n[^1]: note", "<p>a</p><p>note</p>", "a\n\nnote\n"),
    ("[t][r]\n[r]: http://u.com", '<p><a href="http://u.com">t</a></p>', "t: http://u.com\n"),
    ("[](http://u.com)", '<p><a href="http://u.com">http://u.com</a></p>', "http://u.com\n"),
    ("[see http://v.com](u.com)", '<p><a href="http://u.com">see http://v.com</a></p>', "see http://v.com: u.com\n"),
    ("[t](http://x/a(b)c)", '<p><a href="http://x/a%28b%29c">t</a></p>', "t: http://x/a(b)c\n"),
    (
        "([t](http://x/(a(b))_(c)) d)",
        '<p>(<a href="http://x/%28a%28b%29%29_%28c%29">t</a> d)</p>',
        "(t: http://x/(a(b))_(c) d)\n",
    ),
    (
        '[t](http://x/(a) "b (c)") d',
        '<p><a href="http://x/%28a%29" title="b (c)">t</a> d</p>',
        "t (b (c)): http://x/(a) d\n",
    ),
    ("[t](http://x/a(b) c", '<p><a href="http://x/a%28b">t</a> c</p>', "t: http://x/a(b c\n"),
    ("[t](http://x/(a) b) c", '<p><a href="http://x/%28a">t</a> b) c</p>', "t: http://x/(a b) c\n"),
    ("[t](http://x?a=1&copy=2)", '<p><a href="http://x?a=1&amp;copy=2">t</a></p>', "t: http://x?a=1&copy=2\n"),
    ("HTTP://x.uk www.x.uk a@x.uk", "<p>HTTP://x.uk www.x.uk a@x.uk</p>", "HTTP://x.uk www.x.uk a@x.uk\n"),
    ("a\tb", "<p>a   b</p>", "a   b\n"),
    ("| a | b |\n|---|---|\n| c | d |\n\nx", "<p>x</p>", "x\n"),
    ("a | b\n--|--\nc | d\n---\nx", "<hr><p>x</p>", f"{RULE}\n\nx\n"),
    ("text\n|a|b|\n|-|-|\n|c|d|", "<p>text<br>|a|b|<br>|-|-|<br>|c|d|</p>", "text\n|a|b|\n|-|-|\n|c|d|\n"),
    ("^ a\n2^3 ^ 8", "<blockquote><p>a<br>2^3 ^ 8</p></blockquote>", "a\n2^3 ^ 8\n"),
    ("^  a\n\n^  b", "<blockquote><p>a</p><p>b</p></blockquote>", "a\n\nb\n"),
    ("^ \n^ a", "<blockquote><p>a</p></blockquote>", "a\n"),
    ("^ q\n---", "<h3>^ q</h3>", f"^ q\n{DASHES}\n"),
    ("* a\n^ b\nc\n* d", "<ul><li>a<blockquote><p>b<br>c</p></blockquote></li><li>d</li></ul>", "• a\n\nb\nc\n• d\n"),
    ("intro\n* \n* b", "<p>intro</p><ul><li></li><li>b</li></ul>", "intro\n\n• \n• b\n"),
    ("intro\n1. \n2. b", "<p>intro</p><ol><li></li><li>b</li></ol>", "intro\n\n1. \n2. b\n"),
    ("* x\n  * \n  * b", "<ul><li>x<ul><li></li><li>b</li></ul></li></ul>", "• x\n\n• \n• b\n"),
    ("*one\n\n1.two", "<ul><li>one</li></ul><ol><li>two</li></ol>", "• one\n\n1. two\n"),
    ("# \ntext", "<p>text</p>", "text\n"),
    ("#", "<p>#</p>", "#\n"),
    ("####### x", "<p># x</p>", "# x\n"),
    ("# #", "<h2>#</h2>", f"#\n{EQUALS}\n"),
    ("```\n````\na\n```\n\n# H", "````\na\n<h2>H</h2>", f"````\na\n\n\nH\n{EQUALS}\n"),
    ("```a\n```\n\nb", "<p>```a<br>```</p><p>b</p>", "```a\n```\n\nb\n"),
    ("a b|\n-|-\n  \n", "<p>a b|<br>-|-</p>", "a b|\n-|-\n"),
    ("[r]: a\n[R]: b\n[r]: c\n[r]", '<p><a href="http://c">r</a></p>', "r: c\n"),
    ("# a | b\n-|-", "<h2>a | b</h2><ul><li>|-</li></ul>", f"a | b\n{EQUALS}\n\n• |-\n"),
    ("a | b\n-|-", "<p>a | b<br>-|-</p>", "a | b\n-|-\n"),
    ("a[^1] b[^2]\n\n[^1]: c\n\n[^2]: d", "<p>a b</p><p>c</p><p>d</p>", "a b\n\nc\n\nd\n"),
    ("a[^1]\n\nb[^2]\n\n[^1]: c\n\n[^2]: d", "<p>a</p><p>b</p><p>c</p><p>d</p>", "a\n\nb\n\nc\n\nd\n"),
    (
        "* a\n^ b\n\n\n^ c",
        "<ul><li>a<blockquote><p>b</p></blockquote></li></ul><blockquote><p>c</p></blockquote>",
        "• a\n\nb\n\nc\n",
    ),
    (
        "* a\n  * b\n    ^ c",
        "<ul><li>a<ul><li>b<blockquote><p>c</p></blockquote></li></ul></li></ul>",
        "• a\n\n• b\n\nc\n",
    ),
    ("* a\n\n    ^ c", "<ul><li><p>a</p><blockquote><p>c</p></blockquote></li></ul>", "• a\n\nc\n"),
    (
        "[r]: http://v.com\n[r]: http://u.com/é(\n[r]",
        '<p><a href="http://u.com/%C3%A9%28">r</a></p>',
        "r: http://u.com/é(\n",
    ),
    ("[r]: http://u.com\n-5", "<ul><li>5</li></ul>", "• 5\n"),
    (
        "[Log in](https://x.uk/?n=Ann Lee)",
        '<p><a href="https://x.uk/?n=Ann%20Lee">Log in</a></p>',
        "Log in: https://x.uk/?n=Ann Lee\n",
    ),
    (
        '[t](tel:+44 20 "a (b) "c"") d)',
        '<p><a href="tel:%2B44%2020" title="a (b) &quot;c&quot;">t</a> d)</p>',
        "t (a (b) “c”): tel:+44 20 d)\n",
    ),
    ("[t](http://x.uk/é_\\_)", '<p><a href="http://x.uk/%C3%A9_%5C_">t</a></p>', "t: http://x.uk/é_\\_\n"),
    ("[t](<http://u.com>) [u](v", '<p><a href="http://u.com">t</a> [u](v</p>', "t: http://u.com [u](v\n"),
    ("\\[a](b c)", "<p>[a](b c)</p>", "[a](b c)\n"),
    ('[it\'s "x"](u.com)', '<p><a href="http://u.com">it\'s "x"</a></p>', "it’s “x”: u.com\n"),
    (
        """<b title="it's">"x"</b>""",
        """<p>&lt;b title=”it’s”&gt;”x”&lt;/b&gt;</p>""",
        """<b title="it's">“x”</b>\n""",
    ),
    ("a -\t", "<p>a – </p>", "a – \n"),
    ("a -  -- b", "<p>a – -- b</p>", "a – -- b\n"),
    (
        "[t](https://example.gov.uk/TD(EU)_V2.pdf).",
        '<p><a href="https://example.gov.uk/TD%28EU%29_V2.pdf">t</a>.</p>',
        "t: https://example.gov.uk/TD(EU)_V2.pdf.\n",
    ),
    (r"C:\> dir \<", r"<p>C:\&gt; dir \&lt;</p>", "C:> dir \\<\n"),
    # code has no element around it, and is kept apart from what stands before and after it
    ("    two\n```\nfenced\n```", "two\nfenced\n", "two\n\nfenced\n"),
    ("```\none\n```\n```\ntwo\n```", "one\ntwo\n", "one\n\ntwo\n"),
    # other blanks than spaces beside a mark
    ("-\u00a0one\n-\u00a0two", "<ul><li>one</li><li>two</li></ul>", "• one\n• two\n"),
    ("1.\u00a0one\n2.\u202ftwo", "<ol><li>one</li><li>two</li></ol>", "1. one\n2. two\n"),
    ("•\u2003one\n*\u3000two", "<ul><li>one</li><li>two</li></ul>", "• one\n• two\n"),
    (
        "a:\n\u00a0*\u00a0one\n\u00a0\u00a0\u00a0* two",
        "<p>a:</p><ul><li>one<ul><li>two</li></ul></li></ul>",
        "a:\n\n• one\n\n• two\n",
    ),
    ("#\u00a0Heading\u00a0#\u00a0", "<h2>Heading</h2>", f"Heading\n{EQUALS}\n"),
    (
        "^\u00a0inset\n^\u00a0-\u00a0one",
        "<blockquote><p>inset</p><ul><li>one</li></ul></blockquote>",
        "inset\n\n• one\n",
    ),
    ("a\n\n---\u00a0\n\n-\u00a0-\u00a0-", "<p>a</p><hr><hr>", f"a\n\n{RULE}\n\n{RULE}\n"),
    ("H\n==\u00a0", "<h2>H</h2>", f"H\n{EQUALS}\n"),
    ("a\u00a0b", "<p>a\u00a0b</p>", "a\u00a0b\n"),
]


@pytest.mark.parametrize(("content", "expected", "_text"), EXAMPLES)
def test_markdown_becomes_html(content: str, expected: str, _text: str) -> None:
    assert structure(content) == expected


@pytest.mark.parametrize(("content", "_html", "expected"), EXAMPLES)
def test_markdown_becomes_plain_text(content: str, _html: str, expected: str) -> None:
    assert plain(content) == expected


def test_a_sanitised_value_shows_no_backslashes() -> None:
    template = EmailTemplate("For ((name))", "For ((name))")
    value = sanitise_value("<b> Marie.Curie-Sklodowska (C:\\x)")
    assert template.subject({"name": value}) == "For <b> Marie. Curie-Sklodowska (C:\\x)"
    assert template.html_subject({"name": value}) == "For &lt;b&gt; Marie. Curie-Sklodowska (C:\\x)"
    assert structure("For ((name))", name=value) == "<p>For &lt;b&gt; Marie. Curie-Sklodowska (C:\\x)</p>"
    assert plain("For ((name))", name=value) == "For <b> Marie. Curie-Sklodowska (C:\\x)\n"
    message = template.render({"name": value})
    assert (message.subject, message.plain_text) == (
        template.subject({"name": value}),
        template.plain_text({"name": value}),
    )


def test_a_subject_keeps_backslashes_that_are_no_escapes() -> None:
    template = EmailTemplate(r"\-((a))", "")
    assert template.subject({"a": r"¯\_(ツ)_/¯"}) == r"\-¯\_(ツ)_/¯"
    assert template.subject({"a": ["C:\\x", r"Jo\-Ann"]}) == r"\-C:\x and Jo-Ann"
    assert template.subject({}) == r"\-((a))"


def test_a_target_with_a_great_many_brackets_is_read_in_linear_time() -> None:
    # nothing is timed: read from each bracket to the end, it would take hours
    assert structure("[t](" * 2000 + "(a" * 100_000)


def test_a_list_value_becomes_bullets() -> None:
    assert structure("text ((l)) more", l=["a", "b"]) == "<p>text </p><ul><li>a</li><li>b more</li></ul>"
    assert plain("text ((l)) more", l=["a", "b"]) == "text \n\n• a\n• b more\n"


def test_a_list_value_in_an_item_leaves_that_item_empty() -> None:
    assert plain("intro:\n* ((l))", l=["a", "b"]) == "intro:\n\n• \n• a\n• b\n"


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


@pytest.mark.parametrize("link", ["<http://ex.com>", "<me@ex.com>"])
def test_plain_text_has_no_angle_brackets_around_an_address(link: str) -> None:
    assert plain(link) == link[1:-1] + "\n"


@pytest.mark.parametrize(
    ("redact", "content", "shown", "text"),
    [
        (False, "((a))", "<p><span class='placeholder'>&#40;&#40;a&#41;&#41;</span></p>", "((a))\n"),
        (
            False,
            "((a??b))",
            "<p><span class='placeholder-conditional'>&#40;&#40;a??</span>b&#41;&#41;</p>",
            "((a??b))\n",
        ),
        (True, "((a??b))", "<p><span class='placeholder-redacted'>hidden</span></p>", "[hidden]\n"),
        (
            False,
            "http://ex.com/((r))",
            "<p><a href=\"http://ex.com/\">http://ex.com/</a><span class='placeholder'>&#40;&#40;r&#41;&#41;</span></p>",
            "http://ex.com/((r))\n",
        ),
    ],
)
def test_what_has_no_value_is_marked(redact: bool, content: str, shown: str, text: str) -> None:
    template = EmailTemplate("", content, redact=redact)
    assert re.sub(r' style="[^"]*"', "", template.html_fragment({})) == shown
    assert template.plain_text({}) == text


def test_a_link_to_a_placeholder_is_still_a_link() -> None:
    assert '<a href="http://%3Cspan' in fragment("[t](((url)))")
    assert '<a href="http://x?a=%3Cspan' in fragment("[t](http://x?a=((my url)))")
    assert plain("[](((url)))") == "((url))\n"


def test_text_from_right_to_left_is_marked() -> None:
    page = EmailTemplate("", "Hello\n\n# مرحبا\n\n* أ\n").html_fragment({})
    assert "<p style=" in page
    assert '<h2 dir="rtl"' in page
    assert '<ul dir="rtl" style="margin:0 0 18px;padding:0 26px 0 0' in page


@pytest.mark.parametrize(("colour", "text"), [("#f3d02f", "#000000"), ("#00f", "#ffffff"), ("javascript:", "#ffffff")])
def test_the_text_of_a_banner_stands_out_from_it(colour: str, text: str) -> None:
    branding = EmailBranding.from_brand_type("org_banner", text="Council", colour=colour)
    page = EmailTemplate("s", "x").html({}, branding=branding)
    assert f'<span style="color:{text};' in page
    assert "javascript" not in page


def test_part_of_a_page_can_be_had() -> None:
    template = EmailTemplate("s", "x")
    part = template.html({}, complete=False)
    assert "<body" not in part
    assert part in template.html({})


def test_a_long_message_stays_small() -> None:
    content = "# Heading\n\nSome words of a paragraph.\n\n* an item\n* [another](https://x.uk)\n\n" * 100
    assert len(EmailTemplate("s", content).html({})) < 102_400


class _Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(f"{tag} {[name for name, _ in attrs]}")


@given(st.text(alphabet="abc<>&;/\"'=! #x39lt"), st.sampled_from(["x ((a)) y", "[t](http://x.uk/((a)))", "# ((a)) b"]))
def test_a_value_never_makes_html(value: str, content: str) -> None:
    value = value.replace("#", "").strip().replace(" ", "") or "a"
    template = EmailTemplate("((a))", content)
    assert _Elements(template.html({"a": value})).found == _Elements(template.html({"a": "v"})).found
