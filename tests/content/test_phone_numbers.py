from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber, _parse_thoroughly, check_contact_number
from notify.content.sms_rates import takes_numeric_senders_only

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
    ("07700 123456", "447700123456"),
    ("007392123456", "447392123456"),
]
HUMAN = [
    ("447900900123", "07900 900123"),
    ("0207 946 0991", "020 7946 0991"),
    ("12025550104", "+1 202-555-0104"),
    ("784951234567", "+7 495 123-45-67"),
    ("+43 676 111 222 333 4", "+43 676 1112223334"),
    ("23052512345", "+230 5251 2345"),
    ("20-12-1234-1234", "+20 12 12341234"),
    ("33(0)1 12345678", "+33 1 12 34 56 78"),
    ("07700 900000", "07700 900000"),
]
TEXTS = {
    "invalid_number": ("Number is not valid – double check the phone number you entered",) * 2,
    "too_long": ("Mobile number is too long", "Too many digits"),
    "too_short": ("Mobile number is too short", "Not enough digits"),
    "not_a_uk_mobile": (
        "This does not look like a UK mobile number – double check the mobile number you entered",
        "Not a UK mobile number",
    ),
    "unknown_character": (
        "Mobile numbers can only include: 0 1 2 3 4 5 6 7 8 9 ( ) + -",
        "Must not contain letters or symbols",
    ),
    "unsupported_country_code": (
        "Country code not found - double check the mobile number you entered",
        "Not a valid country prefix",
    ),
    "unsupported_emergency_number": ("Phone number cannot be an emergency number",) * 2,
}
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
    ("118118", "too_short"),
    ("0790090012", "invalid_number"),
    ("07900/900123", "unknown_character"),
    ("07900900123 ext 5", "unknown_character"),
    ("٠٧٩٠٠٩٠٠١٢٣", "unknown_character"),
    ("0800 123 4567", "invalid_number"),
    ("0845 123 4567", "invalid_number"),
    ("0871 123 4567", "invalid_number"),
    ("0900 123 4567", "invalid_number"),
    ("0560 123 4567", "invalid_number"),
    ("07640 123456", "invalid_number"),
    ("0600 123 4567", "invalid_number"),
    ("+800 1234 5678", "invalid_number"),
    ("7" * 1000, "invalid_number"),
    (" " * 300 + "07900900123", "invalid_number"),
]


@pytest.mark.parametrize(("raw", "normalised"), NORMALISED)
def test_a_number_is_understood_as_a_person_means_it(raw: str, normalised: str) -> None:
    assert PhoneNumber.parse(raw).normalised == normalised


@pytest.mark.parametrize(("raw", "human"), HUMAN)
def test_a_number_is_shown_as_people_write_it(raw: str, human: str) -> None:
    assert PhoneNumber.parse(raw).human == human


@pytest.mark.parametrize(("code", "texts"), TEXTS.items())
def test_every_refusal_has_the_contract_s_words(code: str, texts: tuple[str, str]) -> None:
    fault = InvalidPhoneNumber(code)
    assert (fault.ui_text, fault.api_text) == texts
    assert str(fault) == fault.ui_text


@pytest.mark.parametrize(
    ("raw", "is_landline"),
    [("0117 496 0860", True), ("0300 123 4567", True), ("030 1234 5678", True), ("07044123456", False)],
)
def test_landlines(raw: str, is_landline: bool) -> None:
    assert PhoneNumber.parse(raw).is_landline is is_landline


@pytest.mark.parametrize("raw", ["+290 51234", "+247 40123", "+881 612 345 678"])
def test_a_country_without_a_price_is_refused_at_last(raw: str) -> None:
    number = PhoneNumber.parse(raw)
    with pytest.raises(InvalidPhoneNumber) as caught:
        number.check(allow_international=True, allow_landline=True)
    assert caught.value.code == "unsupported_country_code"


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


@pytest.mark.parametrize(
    ("raw", "prefix", "multiplier"),
    [
        ("+1 664 491 3789", "1664", 6),
        ("+1 787 234 5678", "1", 1),
        ("+201212341234", "20", 7),
        ("+74951234567", "7", 10),
        ("23052512345", "230", 4),
        ("07900900123", "44", 1),
        ("07700900123", "44", 1),
        ("07797123456", "44", 2),
    ],
)
def test_the_price_depends_on_the_prefix(raw: str, prefix: str, multiplier: int) -> None:
    number = PhoneNumber.parse(raw)
    assert (number.country_prefix, number.rate_multiplier) == (prefix, multiplier)


def test_permissions_decide_who_may_be_sent_to() -> None:
    with pytest.raises(InvalidPhoneNumber, match="does not look like a UK mobile"):
        PhoneNumber.parse("+33612345678").check(allow_international=False, allow_landline=False)
    with pytest.raises(InvalidPhoneNumber, match="does not look like a UK mobile"):
        PhoneNumber.parse("0117 496 0860").check(allow_international=True, allow_landline=False)


@pytest.mark.parametrize(
    ("prefix", "numeric"), [("1", True), ("49", False), ("20", False), ("1441", False), ("?", False)]
)
def test_some_countries_take_numbers_only_as_senders(prefix: str, numeric: bool) -> None:
    assert takes_numeric_senders_only(prefix) is numeric


@pytest.mark.parametrize("raw", ["111", "101", "+111", "0300 123 4567", "07900900123"])
def test_a_service_may_be_called_by_a_short_number(raw: str) -> None:
    check_contact_number(raw)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("999", "unsupported_emergency_number"),
        ("112", "unsupported_emergency_number"),
        ("+999", "unsupported_emergency_number"),
        ("9999", "too_short"),
        ("nonsense", "unknown_character"),
        ("", "too_short"),
    ],
)
def test_a_service_may_not_be_called_by_an_emergency_number(raw: str, code: str) -> None:
    with pytest.raises(InvalidPhoneNumber) as caught:
        check_contact_number(raw)
    assert caught.value.code == code


@given(st.text(alphabet="0123456789+-() \u200ba", max_size=25))
def test_any_text_is_a_number_or_refused_and_a_number_parses_back(text: str) -> None:
    try:
        number = PhoneNumber.parse(text)
    except InvalidPhoneNumber:
        return
    for form in ("+" + number.normalised, number.human):
        assert PhoneNumber.parse(form).normalised == number.normalised


PREFIXES = ["", "0", "44", "+44", "0044", "+44(0)", "44 (0)", "0044(0)", "+440", "00", "+ 44", "-44", "+-44", "+"]
NATIONAL = st.one_of(
    st.integers(7_000_000_000, 7_999_999_999),
    st.integers(7_700_000_000, 7_700_999_999),
    st.integers(7_600_000_000, 7_699_999_999),
    st.integers(7_900_000_000, 7_900_999_999),
).map(str)


@st.composite
def written_mobiles(draw: st.DrawFn) -> str:
    """Numbers that begin with 7, and things like them, with blanks and hyphens anywhere."""
    separator = st.sampled_from(["", "", "", " ", "-", "  ", "- "])
    digits = "".join(digit + draw(separator) for digit in draw(NATIONAL))
    return draw(separator) + draw(st.sampled_from(PREFIXES)) + draw(separator) + digits


@given(written_mobiles())
def test_the_quick_way_gives_what_the_library_gives(text: str) -> None:
    def outcome(parse: Callable[[str], PhoneNumber]) -> PhoneNumber | str:
        try:
            return parse(text)
        except InvalidPhoneNumber as error:
            return error.code

    assert outcome(PhoneNumber.parse) == outcome(_parse_thoroughly)


@pytest.mark.parametrize("mark", [*"\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"])
def test_direction_marks_around_a_number_are_taken_off(mark: str) -> None:
    assert PhoneNumber.parse(f"{mark}07900 900123{mark}") == PhoneNumber.parse("07900900123")
    assert PhoneNumber.parse(f" {mark}+1 202-555-0104\u00a0{mark}").normalised == "12025550104"
    check_contact_number(f"{mark}0300 123 4567")
    with pytest.raises(InvalidPhoneNumber) as caught:
        PhoneNumber.parse(f"07900{mark}900123")
    assert caught.value.code == "unknown_character"
