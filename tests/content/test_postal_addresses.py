import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.countries import find_country, zone
from notify.content.postal_addresses import PostalAddress, format_postcode


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        ("A\nB st ,,\nsw1a  1aa, ", ["A", "B st", "SW1A 1AA"]),
        ("A\nB\nDeutschland", ["A", "B", "Germany"]),
        ("A\nB\nCF99 1SN\nCymru\nUK", ["A", "B", "CF99 1SN"]),
        ("A\nEngland\nSW1A 1AA", ["A", "England", "SW1A 1AA"]),
        ("A\nBFPO c/o 123\nBF1 1AA", ["A", "BF1 1AA", "BFPO 123"]),
        ("England\nUK", []),
    ],
)
def test_lines_are_printed_in_one_form(raw: str, lines: list[str]) -> None:
    assert PostalAddress(raw, allow_international=True).normalised_lines == lines


@pytest.mark.parametrize(
    ("raw", "international", "error"),
    [
        ("A\nB\nSW1A 1AA", False, None),
        ("A\nB\nFrance", True, None),
        ("A\nSW1A 1AA", False, "Address must be at least 3 lines"),
        ("\n".join("ABCDEFG") + "\nSW1A 1AA", False, "Address must be no more than 7 lines"),
        (
            "A\n!!\nSW1A 1AA",
            False,
            "The first 2 lines of the address must both include at least one alphanumeric character",
        ),
        ("A\nB\nBFPO 1\nFrance", True, "The last line of a BFPO address must not be a country."),
        ("A\nB\nnowhere", True, "Last line of address must be a real UK postcode or another country"),
        ("A\nB\nFrance", False, "Must be a real UK postcode"),
        (
            "A\n(B\nSW1A 1AA",
            False,
            "Address lines must not start with any of the following characters: @ ( ) = [ ] ” \\ / , < >",
        ),
        ("A\nNFA\nSW1A 1AA", False, "Must be a real address"),
    ],
)
def test_the_first_fault_is_told(raw: str, international: bool, error: str | None) -> None:
    assert PostalAddress(raw, allow_international=international).error == error


def test_the_seventh_line_takes_the_place_of_the_postcode() -> None:
    values = {"address_line_1": "A", "address_line_2": "B", "postcode": "SW1A 1AA"}
    assert PostalAddress.from_personalisation(values, allow_international=False).is_valid
    values["address_line_7"] = "France"
    address = PostalAddress.from_personalisation(values, allow_international=True)
    assert (address.country, address.postage_zone) == ("France", "europe")


@pytest.mark.parametrize("text", ["GIR 0AA", "ZZ1 1AA", "SW1A 1AC", "", "SW1A"])
def test_what_is_no_postcode(text: str) -> None:
    assert format_postcode(text) is None


@pytest.mark.parametrize("text", ["BX1 1LT", "BF1 1AA", "JE2 3XP", "sw1 a1 aa"])
def test_postcodes(text: str) -> None:
    assert format_postcode(text) is not None


@pytest.mark.parametrize(
    ("name", "country", "where"),
    [
        ("Yr Almaen", "Germany", "europe"),
        ("ELLAN vannin", "United Kingdom", "united-kingdom"),
        ("côte d’ivoire", "Ivory Coast", "rest-of-world"),
        ("Czechoslovakia", "Czechia", "europe"),
        ("Gambia", "The Gambia", "rest-of-world"),
    ],
)
def test_countries_by_many_names(name: str, country: str, where: str) -> None:
    assert find_country(name) == country
    assert zone(country) == where


@pytest.mark.parametrize("name", ["Yugoslavia", "USSR", "France 1", ""])
def test_what_is_no_country(name: str) -> None:
    assert find_country(name) is None


@given(st.text(), st.booleans())
def test_any_text_is_read_and_normalising_twice_changes_nothing(raw: str, international: bool) -> None:
    address = PostalAddress(raw, allow_international=international)
    again = PostalAddress("\n".join(address.normalised_lines), allow_international=international)
    assert again.error == address.error or not address.is_valid
    if address.is_valid:
        assert again.normalised_lines == address.normalised_lines
