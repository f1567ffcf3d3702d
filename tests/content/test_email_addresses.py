import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.email_addresses import InvalidEmailAddress, is_government, normalise, validate

VALID = [
    "email@domain.COM",
    "o'neil@x.com",
    "a@例え.テスト",
    "email@double--hyphen.com",
    "_______@domain.com",
    "1234567890@domain.com",
    ".leading.and.trailing.@domain.com",
    "a@xn--fiqs8s.xn--fiqs8s",
    "a!#$%&'*+/=?^_`{|}~-b@x.com",
    "a@" + "x" * 63 + ".com",
    "a" * (320 - 6) + "@x.com",
]
INVALID = [
    "a@123.123.123.123",
    "a@[1.2.3.4]",
    "no-tld@domain",
    ";a@x.com",
    "a;b@x.com",
    '"q"@x.com',
    "a@x..uk",
    "a..b@x.uk",
    "a b@x.uk",
    "a@dom_ain.com",
    "a,b@gov.uk",
    "a£@x.com",
    "a’b@x.com",
    "a@.x.com",
    "a(b)@x.com",
    "x@xn---something.com",
    "Name <a@x.com>",
    "",
    "@",
    "a@" + "x" * 64 + ".com",
    "a" * (320 - 5) + "@x.com",
    "a@" + "x." * 126 + "com",
    "a@-x.com",
    "a@x-.com",
    "a@x.c",
    "a@x.c0m",
    "a@x.com.",
    "a@b@x.com",
    "a@\ud800.com",
]


@pytest.mark.parametrize("address", VALID)
def test_an_address_that_can_be_sent_to_is_kept_in_its_case(address: str) -> None:
    assert validate(address) == address


@pytest.mark.parametrize("address", INVALID)
def test_an_address_that_cannot_be_sent_to_is_refused_in_the_contract_s_words(address: str) -> None:
    with pytest.raises(InvalidEmailAddress, match=r"^Not a valid email address$"):
        validate(address)


def test_stray_white_space_is_removed_and_the_normal_form_is_lower_case() -> None:
    assert validate(" Amala\u200b@Example.COM\u00a0") == "Amala@Example.COM"
    assert normalise(" Amala\u200b@Example.COM\u00a0") == "amala@example.com"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("a@gov.uk", True),
        ("a@Cabinet-Office.GOV.UK", True),
        ("a@trust.nhs.net", True),
        ("a@kirkleeseducation.uk", True),
        ("a@notgov.uk", False),
        ("a@gov.uk.com", False),
        ("a@example.com", False),
    ],
)
def test_addresses_of_the_public_sector(address: str, expected: bool) -> None:
    assert is_government(address) is expected


@given(st.text(alphabet="aB1.@-_ é例\u200b'", max_size=30) | st.text())
def test_any_text_is_either_an_address_or_refused(text: str) -> None:
    try:
        address = validate(text)
    except InvalidEmailAddress:
        return
    assert validate(address) == address
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize("mark", [*"\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"])
def test_direction_marks_around_an_address_are_taken_off(mark: str) -> None:
    assert validate(f"{mark}Amala@example.com {mark}") == "Amala@example.com"
    with pytest.raises(InvalidEmailAddress):
        validate(f"am{mark}ala@example.com")
