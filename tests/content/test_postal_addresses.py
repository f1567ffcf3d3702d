import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.countries import _data, find_country, zone
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
        ("", []),
        (" \n,,\n\u200b", []),
        ("A\r\nB\x85SW1A1AA", ["A", "B", "SW1A 1AA"]),
        ("A , b\nC\u00a0 d\nSW1A 1AA", ["A, b", "C d", "SW1A 1AA"]),
        ("A\nB\nBFPO\nBFPO 12\nbfpo 13", ["A", "B", "BFPO 12"]),
        ("A\nB\nbfpoc/o9", ["A", "B", "BFPO 9"]),
        ("A\nB\nBFPO", ["A", "B", "BFPO"]),
        ("A\nB\nBFPO 1\nUnited Kingdom", ["A", "B", "BFPO 1"]),
        ("A\nB\nBFPO 1\nFrance", ["A", "B", "BFPO 1", "France"]),
        ("A\nB\nBF1 1AA\nBFPO 1", ["A", "B", "BF1 1AA", "BFPO 1"]),
        ("A\nB\nWales\nFrance", ["A", "B", "Wales", "France"]),
        ("A\nB\nSW1A 1AA\nFrance", ["A", "B", "SW1A 1AA", "France"]),
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
        ("A\nof No Fixed Abode, Leeds\nSW1A 1AA", False, "Must be a real address"),
        ("A\nno fixed address\nSW1A 1AA", False, "Must be a real address"),
        ("A\nNFA House\nSW1A 1AA", False, None),
        ("A\nB\nBFPO 1", False, None),
        ("A\nBFPO 1", False, "Address must be at least 3 lines"),
        ("A\nB\nUnited Kingdom", False, "Address must be at least 3 lines"),
        ("A\nB\nC\nUnited Kingdom", True, "Last line of address must be a real UK postcode or another country"),
        ("\n".join("ABCDEF") + "\nSW1A 1AA\nWales", False, None),
    ],
)
def test_the_first_error_is_reported(raw: str, international: bool, error: str | None) -> None:
    assert PostalAddress(raw, allow_international=international).error == error


def test_the_seventh_line_takes_the_place_of_the_postcode() -> None:
    values = {"address_line_1": "A", "address_line_2": "B", "postcode": "SW1A 1AA"}
    assert PostalAddress.from_personalisation(values, allow_international=False).is_valid
    values["address_line_7"] = "France"
    address = PostalAddress.from_personalisation(values, allow_international=True)
    assert (address.country, address.postage_zone) == ("France", "europe")


@pytest.mark.parametrize("start", list('@()=[]"\\/,<>~'))
def test_no_line_begins_with_a_mark_that_machines_read(start: str) -> None:
    error = PostalAddress(f"A\n{start}B\nSW1A 1AA").error
    assert error == "Address lines must not start with any of the following characters: @ ( ) = [ ] ” \\ / , < >"


def test_an_empty_seventh_line_takes_the_place_of_the_postcode_too() -> None:
    values = {"address_line_1": "A", "address_line_2": "B", "address_line_3": None, "postcode": "SW1A 1AA"}
    assert PostalAddress.from_personalisation({**values, "address_line_4": False}, allow_international=False).is_valid
    assert not PostalAddress.from_personalisation({**values, "address_line_7": ""}, allow_international=False).is_valid


@pytest.mark.parametrize(
    ("raw", "lines", "last", "postcode"),
    [
        ("A\nB\nSW1A 1AA", ["A", "B", "", "", "", ""], "SW1A 1AA", "SW1A 1AA"),
        ("A\nB\nFrance", ["A", "B", "", "", "", ""], "France", "France"),
        ("A\nB\nBF1 1AA\nBFPO 12", ["A", "B", "", "", "", "BF1 1AA"], "BFPO 12", "BF1 1AA"),
        ("A\nB\nBFPO 12", ["A", "B", "", "", "", ""], "BFPO 12", ""),
        ("A\nB\nC\nD\nE\nF\nBFPO 12", list("ABCDEF"), "BFPO 12", ""),
        ("A\nB\nC\nD\nE\nF\nG\nSW1A 1AA", list("ABCDEF"), "SW1A 1AA", "SW1A 1AA"),
        ("", [""] * 6, "", ""),
    ],
)
def test_an_address_fills_its_placeholders(raw: str, lines: list[str], last: str, postcode: str) -> None:
    values = PostalAddress(raw, allow_international=True).as_personalisation()
    assert [values[f"address_line_{number}"] for number in range(1, 7)] == lines
    assert (values["address_line_7"], values["postcode"]) == (last, postcode)


def test_an_address_on_one_line() -> None:
    assert PostalAddress("A\nB st,\nsw1a1aa").as_single_line == "A, B st, SW1A 1AA"


def test_addresses_are_equal_that_are_printed_alike_and_allowed_alike() -> None:
    one, same = PostalAddress("A\nB\nSW1A 1AA"), PostalAddress("A \nB,\n\nsw1a1aa\nEngland")
    assert one == same
    assert len({one, same}) == 1
    assert one != PostalAddress("A\nB\nSW1A 1AA", allow_international=True)
    assert one != PostalAddress("A\nC\nSW1A 1AA")
    assert one != "A, B, SW1A 1AA"


@pytest.mark.parametrize("text", ["GIR 0AA", "ZZ1 1AA", "SW1A 1AC", "", "SW1A", "ß1 1AA", "SW1A 1AA x", "٣SW1A 1AA"])
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
        ("Channel Islands", "United Kingdom", "united-kingdom"),
        ("N. Ireland", "United Kingdom", "united-kingdom"),
        ("U.K.", "United Kingdom", "united-kingdom"),
        ("West Germany", "Germany", "europe"),
        ("trinidad & tobago", "Trinidad and Tobago", "rest-of-world"),
        ("TRINIDAD + TOBAGO", "Trinidad and Tobago", "rest-of-world"),
        ("Swistir", "Switzerland", "europe"),
        ("Deutschland", "Germany", "europe"),
        ("日本", "Japan", "rest-of-world"),
        ("Ελλάδα", "Greece", "europe"),
        ("  Turkiye  ", "Turkey", "europe"),
    ],
)
def test_countries_by_many_names(name: str, country: str, where: str) -> None:
    assert find_country(name) == country
    assert zone(country) == where


@pytest.mark.parametrize("name", ["Yugoslavia", "USSR", "France 1", ""])
def test_what_is_no_country(name: str) -> None:
    assert find_country(name) is None


def test_every_country_has_its_own_name_and_the_map_is_whole() -> None:
    names, europe = _data()
    assert len(names) == 1709
    assert len(europe) == 62
    assert all(find_country(country) == country for country in europe)


@given(st.text(), st.booleans())
def test_any_text_is_read_and_normalising_twice_changes_nothing(raw: str, international: bool) -> None:
    address = PostalAddress(raw, allow_international=international)
    again = PostalAddress("\n".join(address.normalised_lines), allow_international=international)
    assert again.error == address.error or not address.is_valid
    if address.is_valid:
        assert again.normalised_lines == address.normalised_lines
