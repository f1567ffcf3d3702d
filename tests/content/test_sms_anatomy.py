from hypothesis import given
from hypothesis import strategies as st

from notify.content.gsm import EXTENSION
from notify.content.sms import SmsMessage, SmsTemplate
from notify.content.sms_anatomy import Anatomy, Piece, dissect

texts = st.text(alphabet=st.sampled_from("abc .,\n€[]{}ŵâéè…“日\u200b😀 "), max_size=400)


def anatomy(text: str, prefix: str | None = None) -> tuple[SmsMessage, Anatomy]:
    message = SmsTemplate("((text))").render({"text": text}, prefix)
    return message, dissect(message)


@given(texts, st.sampled_from([None, "My service", "Gwasanaeth ŵ"]))
def test_the_pieces_are_the_message_and_the_units_are_what_is_charged(text: str, prefix: str | None) -> None:
    message, found = anatomy(text, prefix)
    assert "".join(piece.text for piece in found.pieces) == message.text
    doubled = 0 if message.is_unicode else sum(character in EXTENSION for character in message.text)
    assert sum(found.units) == message.character_count + doubled
    assert all(units <= found.capacity for units in found.units)
    places = [piece.fragment for piece in found.pieces]
    assert places == sorted(places)
    # an extension character that would be parted opens a fragment early; nothing else makes more of them
    assert message.fragments <= len(found.units) <= message.fragments + (doubled > 0)


def test_each_kind_of_character() -> None:
    message, found = anatomy("a€…日ŵ")
    assert message.text == "a€...?ŵ"
    assert found.is_unicode
    assert found.pieces == (
        Piece("a", "plain", 0),
        Piece("€", "extension", 0),
        Piece("...", "replaced", 0, "…"),
        Piece("?", "unsendable", 0, "日"),
        Piece("ŵ", "unicode", 0),
    )


def test_an_invisible_character_leaves_a_piece_without_text() -> None:
    _, found = anatomy("a\u200bŁ")
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


def test_an_extension_character_is_not_parted() -> None:
    message, found = anatomy("a" * 152 + "€" + "b" * 151)
    assert message.fragments == 2
    assert found.units == (152, 153)
    message, found = anatomy("a" * 152 + "€" + "b" * 152)
    assert message.fragments == 2
    assert found.units == (152, 153, 1)
