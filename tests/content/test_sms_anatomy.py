from hypothesis import given
from hypothesis import strategies as st

from notify.content.gsm import EXTENSION
from notify.content.sms import SmsMessage, SmsTemplate
from notify.content.sms_anatomy import Anatomy, Piece, dissect

texts = st.text(alphabet=st.sampled_from("abc .,\n€[]{}ŵâéè…“日\u200b😀 "), max_size=400)


def anatomy(text: str, prefix: str | None = None, *, gsm_only: bool = False) -> tuple[SmsMessage, Anatomy]:
    message = SmsTemplate("((text))", gsm_only=gsm_only).render({"text": text}, prefix)
    return message, dissect(message)


@given(texts, st.sampled_from([None, "My service", "Gwasanaeth ŵ"]), st.booleans())
def test_the_pieces_are_the_message_and_the_units_are_what_is_charged(
    text: str, prefix: str | None, gsm_only: bool
) -> None:
    message, found = anatomy(text, prefix, gsm_only=gsm_only)
    assert "".join(piece.text for piece in found.pieces) == message.text
    doubled = 0 if message.is_unicode else sum(character in EXTENSION for character in message.text)
    assert sum(found.units) == message.character_count + doubled
    assert all(units <= found.capacity for units in found.units)
    places = [piece.fragment for piece in found.pieces]
    assert places == sorted(places)
    # a character of two units that would be split opens a fragment early; nothing else makes more of them
    has_doubled = doubled > 0 or any(character > "\uffff" for character in message.text)
    assert message.fragments <= len(found.units) <= message.fragments + has_doubled


def test_each_kind_of_character() -> None:
    message, found = anatomy("a€…日ŵ")
    assert message.text == "a€...日ŵ"
    assert found.is_unicode
    assert found.pieces == (
        Piece("a", "plain", 0),
        Piece("€", "extension", 0),
        Piece("...", "replaced", 0, "…"),
        Piece("日ŵ", "unicode", 0),
    )


def test_each_kind_of_character_where_a_message_is_limited_to_gsm() -> None:
    message, found = anatomy("a€…日çŵ", gsm_only=True)
    assert message.text == "a€...?cŵ"
    assert found.is_unicode
    assert found.pieces == (
        Piece("a", "plain", 0),
        Piece("€", "extension", 0),
        Piece("...", "replaced", 0, "…"),
        Piece("?", "unsendable", 0, "日"),
        Piece("c", "replaced", 0, "ç"),
        Piece("ŵ", "unicode", 0),
    )


def test_an_invisible_character_leaves_a_piece_without_text() -> None:
    _, found = anatomy("a\u200bŁ", gsm_only=True)
    assert [(piece.text, piece.original) for piece in found.pieces if piece.kind != "plain"] == [("L", "Ł")]
    message = SmsMessage("a\u200bb")
    assert "".join(piece.text for piece in dissect(message).pieces) == "ab"


def test_where_it_breaks() -> None:
    _, one = anatomy("a" * 160)
    assert (one.capacity, one.units) == (160, (160,))
    _, two = anatomy("a" * 161)
    assert (two.capacity, two.units) == (153, (153, 8))
    _, unicode = anatomy("ŵ" + "a" * 70)
    assert (unicode.capacity, unicode.units) == (67, (67, 4))


def test_a_surrogate_pair_is_not_split() -> None:
    _, found = anatomy("a" * 66 + "😀" + "b" * 65)
    assert (found.capacity, found.units) == (67, (66, 67))


def test_an_extension_character_is_not_split() -> None:
    message, found = anatomy("a" * 152 + "€" + "b" * 151)
    assert message.fragments == 2
    assert found.units == (152, 153)
    message, found = anatomy("a" * 152 + "€" + "b" * 152)
    assert message.fragments == 2
    assert found.units == (152, 153, 1)
