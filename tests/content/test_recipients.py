import pytest

from notify.content.recipients import clean_recipient, format_recipient
from notify.content.sms_senders import resolve_sender


@pytest.mark.parametrize(
    ("given", "compared"),
    [
        ("07900 900123", "447900900123"),
        ("Amala@Example.com", "amala@example.com"),
        ("nonsense", "nonsense"),
        ("\u202a+447900900123\u202c", "447900900123"),
        (" \u2066 07900 900123\u2069\u200b", "447900900123"),
        ("\u200eAmala@Example.com\u200f", "amala@example.com"),
        (None, ""),
        (7900900123, ""),
    ],
)
def test_recipients_are_compared_in_one_form(given: object, compared: str) -> None:
    assert format_recipient(given) == compared


@pytest.mark.parametrize(("text", "sender"), [("07123123123", "447123123123"), ("GOVUK", "GOVUK"), ("60006", "60006")])
def test_a_number_as_a_sender_gets_its_country_code(text: str, sender: str) -> None:
    assert resolve_sender(text) == sender


def test_a_recipient_is_stored_without_invisible_characters() -> None:
    assert clean_recipient("\u202a +44 7900\u200b 900123\u202c ") == "+44 7900 900123"
    assert clean_recipient("Amala@Example.com\u2069") == "Amala@Example.com"
