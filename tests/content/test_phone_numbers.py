from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber, _parse_thoroughly

NORMALISED = [
    ("07900900123", "447900900123"),
    ("7900900123", "447900900123"),
    ("+44 (0)7900 900123", "447900900123"),
    ("0+447900900123", "447900900123"),
    ("+44+7900900123", "447900900123"),
    ("07900–900123", "447900900123"),
    ("07900\u2011900123", "447900900123"),
    ("+07044123456", "447044123456"),
    ("000007392123456", "447392123456"),
    ("0207 946 0991", "442079460991"),
    ("001708123456", "441708123456"),
    ("+04915161123456", "4915161123456"),
    ("1-202-555-0104", "12025550104"),
    ("0012025550104", "12025550104"),
    ("+0012025550104", "12025550104"),
    ("784951234567", "74951234567"),
    ("77234567890", "77234567890"),
    ("079009001234", "79009001234"),
    ("+43 676 111 222 333 4", "436761112223334"),
    ("23052512345", "23052512345"),
    ("20-12-1234-1234", "201212341234"),
    ("33(0)1 12345678", "33112345678"),
    ("07700 900000", "447700900000"),
]
REFUSED = [
    ("", "too_short"),
    ("+", "too_short"),
    ("  ", "invalid_number"),
    ("07", "invalid_number"),
    ("079009", "too_short"),
    ("999", "too_short"),
    ("0044772345678910", "too_long"),
    ("07900.900123", "unknown_character"),
    ("079OO900123", "unknown_character"),
    ("0800 123 4567", "invalid_number"),
    ("0871 123 4567", "invalid_number"),
]


@pytest.mark.parametrize(("raw", "normalised"), NORMALISED)
def test_a_number_is_understood_as_a_person_means_it(raw: str, normalised: str) -> None:
    assert PhoneNumber.parse(raw).normalised == normalised


@pytest.mark.parametrize(("raw", "code"), REFUSED)
def test_what_is_no_number_is_refused_with_its_reason(raw: str, code: str) -> None:
    with pytest.raises(InvalidPhoneNumber) as caught:
        PhoneNumber.parse(raw)
    assert caught.value.code == code


def test_a_crown_dependency_is_abroad_with_the_country_code_of_the_uk() -> None:
    number = PhoneNumber.parse("07797123456")
    assert (number.international, number.crown_dependency, number.country_prefix) == (True, True, "44")
    assert number.rate_multiplier == 2
    number.check(allow_international=False, allow_landline=False)


@pytest.mark.parametrize(("raw", "prefix", "multiplier"), [("+1 664 491 3789", "1664", 6), ("+201212341234", "20", 7)])
def test_the_price_goes_by_the_prefix(raw: str, prefix: str, multiplier: int) -> None:
    number = PhoneNumber.parse(raw)
    assert (number.country_prefix, number.rate_multiplier) == (prefix, multiplier)


def test_permissions_decide_who_may_be_sent_to() -> None:
    with pytest.raises(InvalidPhoneNumber, match="does not look like a UK mobile"):
        PhoneNumber.parse("+33612345678").check(allow_international=False, allow_landline=False)
    with pytest.raises(InvalidPhoneNumber, match="does not look like a UK mobile"):
        PhoneNumber.parse("0117 496 0860").check(allow_international=True, allow_landline=False)


@given(st.text(alphabet="0123456789+-() \u200ba", max_size=25))
def test_any_text_is_a_number_or_refused_and_a_number_parses_back(text: str) -> None:
    try:
        number = PhoneNumber.parse(text)
    except InvalidPhoneNumber:
        return
    assert PhoneNumber.parse("+" + number.normalised).normalised == number.normalised


@given(st.sampled_from(["", "0", "44", "+44"]), st.integers(7_000_000_000, 7_999_999_999))
def test_the_quick_way_gives_what_the_library_gives(prefix: str, national: int) -> None:
    def outcome(parse: Callable[[str], PhoneNumber]) -> PhoneNumber | str:
        try:
            return parse(f"{prefix}{national}")
        except InvalidPhoneNumber as error:
            return error.code

    assert outcome(PhoneNumber.parse) == outcome(_parse_thoroughly)
