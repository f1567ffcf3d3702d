import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notify.content.gsm import downgrade_to_gsm, replace_lookalikes
from notify.content.links import link_addresses
from notify.content.sms import SmsMessage, SmsTemplate, template_length
from notify.content.text import collapse_newlines, normalise_lines, tidy_punctuation


@pytest.mark.parametrize(
    ("content", "length"),
    [
        ("Hello ((name))", 6),
        ("((a))" + "x" * 150, 150),
        ("((a??only sometimes)) always", 7),
        ("…", 3),
        ("a  b", 3),
        ("((a) is no placeholder", 22),
        ("", 0),
    ],
)
def test_placeholders_count_nothing_in_a_template(content: str, length: int) -> None:
    assert template_length(content) == length


def render(content: str, prefix: str | None = None, **values: object) -> SmsMessage:
    return SmsTemplate(content).render(values, prefix)


def test_the_text_is_tidied_and_the_service_named() -> None:
    message = render("  a  \t b \n\n\n\n c \r\n d", " Svc ")
    assert message.text == "Svc: a b\n\nc\nd"
    assert message.body == "a b\n\nc\nd"
    assert render("", "Svc").text == "Svc:"


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("x" * 918, 6),
        ("x" * 919, 7),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ŵ" * 70, 1),
        ("ŵ" * 71, 2),
        ("ŵ" * 134, 2),
        ("ŵ" * 135, 3),
        ("á" * 71, 2),
        ("ê" * 71, 2),
        ("ï" * 71, 2),
        ("à" * 71, 1),
        ("…" * 160, 4),
        ("[" * 81, 2),
    ],
)
def test_fragments_are_counted_as_the_networks_do(text: str, fragments: int) -> None:
    assert render(text).fragments == fragments


@pytest.mark.parametrize(
    ("content", "values", "text"),
    [
        ("Hi ((Name))", {"name": "Al"}, "Hi Al"),
        ("((first_name)) ((FIRST-NAME))", {"First Name": "Jo"}, "Jo Jo"),
        ("((a??yes it is))!", {"a": "YES"}, "yes it is!"),
        ("((a??yes it is))!", {"a": " yes "}, "!"),
        ("((l))", {"l": ["x", None, " ", "y", 3]}, "x, y and 3"),
        ("(((a)))", {"a": "v"}, "(v)"),
        ("((a))", {"a": "((b))"}, "((b))"),
        ("((a))", {}, "((a))"),
        ("((a)) ((b))", {"a": 0, "b": False}, "0 False"),
    ],
)
def test_values_fill_placeholders(content: str, values: dict[str, object], text: str) -> None:
    assert SmsTemplate(content).render(values).text == text


def test_what_is_missing_is_named_as_the_template_spells_it() -> None:
    template = SmsTemplate("((B)) ((a)) ((b_ )) ((a??x))")
    assert template.placeholders == ("B", "a")
    assert template.missing({"b": None}) == ["B", "a"]


def test_length_does_not_count_the_name_of_the_service() -> None:
    assert not render("x" * 918, "Service").is_too_long
    assert render("x" * 919, "Service").is_too_long
    assert render("((a))", a="").is_empty
    assert render(" \u200b ", "Service").is_empty


@given(st.text(), st.text(st.characters(exclude_characters="\0"), max_size=20))
def test_any_text_renders_and_the_quick_way_gives_what_the_thorough_way_gives(value: str, prefix: str) -> None:
    filled = value.replace("\0", "")
    whole = f"{prefix.strip()}: {filled}" if prefix else filled
    tidied = collapse_newlines(normalise_lines(tidy_punctuation(whole))).strip()
    for gsm_only, convert in ((False, replace_lookalikes), (True, downgrade_to_gsm)):
        message = SmsTemplate("((a))", gsm_only=gsm_only).render({"a": value}, prefix or None)
        assert message.text == convert(tidied)
        assert message.fragments >= 1
        message.text.encode()  # does not raise


@given(st.text(max_size=400), st.text(max_size=20))
def test_more_text_never_costs_less(text: str, more: str) -> None:
    longer, shorter = render(f"x{text}x{more}x"), render(f"x{text}x")
    assert longer.fragments >= shorter.fragments


@given(st.text())
@example("0\u3000.")
def test_tidying_twice_changes_nothing(text: str) -> None:
    once = render(text)
    # but for blanks of other scripts before punctuation: they are blanks only once they are normalised (contract 5.1)
    assert render(once.text).text == tidy_punctuation(once.text)


@given(st.text(alphabet="a[ŵ€😀", min_size=1, max_size=200), st.text(alphabet="a[ŵ€😀", min_size=1, max_size=200))
def test_fragments_grow_with_the_text(text: str, more: str) -> None:
    assert render(text + more).fragments >= render(text).fragments


def test_the_error_of_a_long_message_says_by_how_much() -> None:
    message = render("x" * 920)
    assert message.characters_too_many == 2
    assert (render("x" * 161).characters_in_last_fragment, render("ŵ" * 135).characters_in_last_fragment) == (1, 1)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Здравствуйте, 中文 نعم", "Здравствуйте, 中文 نعم"),
        ("Šançã Łł þ ½ `", "Šançã Łł þ ½ `"),
        ("e\u0301", "e\u0301"),
        ("‘a’ „b“ – — − … a\u00a0b\u202fc\td\u200be", "'a' \"b\" - - - ... a b c de"),
        ("👍🏽", "👍🏽"),
        ("\ud83d", "\ufffd"),
    ],
)
def test_a_text_in_any_script_is_sent_as_it_is_but_for_look_alikes(text: str, sent: str) -> None:
    assert render("((a))", a=text).text == sent


@pytest.mark.parametrize(
    ("text", "units", "fragments"),
    [
        ("ж" * 70, 70, 1),
        ("ж" * 71, 71, 2),
        ("ж" * 134, 134, 2),
        ("ж" * 135, 135, 3),
        ("😀" * 35, 70, 1),
        ("😀" * 36, 72, 2),
        ("😀" * 67, 134, 2),
        ("ç" + "a" * 70, 71, 2),
        ("`" + "a" * 70, 71, 2),
        # an extension character counts once in UTF-16
        ("ж" + "€" * 69, 70, 1),
        # what is replaced costs nothing extra
        ("“" * 160, 160, 1),
        ("Ç" * 160, 160, 1),
    ],
)
def test_a_text_beyond_gsm_is_counted_in_utf_16(text: str, units: int, fragments: int) -> None:
    message = render("((a))", a=text)
    assert (message.character_count, message.fragments) == (units, fragments)
    assert message.is_unicode == (units != 160)


def test_the_limit_counts_utf_16_units() -> None:
    assert not render("😀" * 459, "Здравствуйте 😀").is_too_long
    assert render("😀" * 459 + "a", "Здравствуйте 😀").is_too_long
    assert template_length("😀((a))") == 2


def test_characters_that_make_a_text_unicode_are_named_for_the_log() -> None:
    assert render("a\u2028😀ŵ\u3000ç—é", "Svc").unicode_characters == {"😀", "ŵ", "ç"}
    assert render("a—€").unicode_characters == frozenset()


def test_a_text_for_a_provider_without_unicode_is_downgraded() -> None:
    message = SmsTemplate("((a))", gsm_only=True).render({"a": "a\u2028😀ŵ\u3000ç—Ł"}, "Svç")
    assert (message.text, message.body) == ("Svc: a\n?ŵ c-L", "a\n?ŵ c-L")
    assert message.unsendable_characters == {"😀"}
    assert render("😀").unsendable_characters == frozenset()
    assert not SmsTemplate("日" * 160, gsm_only=True).render({}).is_unicode
    assert template_length("😀", gsm_only=True) == 1


def test_what_has_no_value_may_be_hidden() -> None:
    assert SmsTemplate("((a)) ((b??c))", redact=True).render({}).text == "[hidden] [hidden]"


def test_previews() -> None:
    template = SmsTemplate("<b>((a))</b> , see x.gov.uk/a…\n\n\n\n((b))")
    assert template.row_preview({"a": "&"}) == (
        "&lt;b&gt;&amp;&lt;/b&gt;, see x.gov.uk/a...\n\n<span class='placeholder-redacted'>hidden</span>"
    )
    assert template.phone_preview({"a": "&"}, prefix=" A&B ", sender="Me", shows_recipient=True) == (
        '<p class="sms-message-sender">From: Me</p>'
        "<p class=\"sms-message-recipient\">To: <span class='placeholder-no-brackets'>phone number</span></p>"
        '<div class="sms-message-wrapper" dir="auto">A&amp;B: &lt;b&gt;&amp;&lt;/b&gt;, see '
        '<a class="govuk-link govuk-link--no-visited-state" href="http://x.gov.uk/a">x.gov.uk/a</a>...<br><br>'
        "<span class='placeholder'>&#40;&#40;b&#41;&#41;</span></div>"
    )


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("http://foo.com/foo_(bar)).", "http://foo.com/foo_(bar)"),
        ("see foo.com, ok", "foo.com"),
        ("foo.com:80/x", "foo.com"),
        ("me@example.com @a.com", None),
    ],
)
def test_addresses_become_links(text: str, linked: str | None) -> None:
    assert (f">{linked}</a>" in link_addresses(text)) if linked else link_addresses(text) == text
