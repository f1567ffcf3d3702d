from __future__ import annotations

import pytest

from notify.content.phone_numbers_2020 import fault_of_2020

LETTERS, FEW, MANY = "Must not contain letters or symbols", "Not enough digits", "Too many digits"
NO_MOBILE, NO_COUNTRY = "Not a UK mobile number", "Not a valid country prefix"


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("07900900123", None),
        ("+44 (0)7900 900-123", None),
        ("00447900900123", None),
        ("7900900123", None),
        ("447900900123", None),
        ("\u200b07900\u00a0900123", None),
        ("abc", LETTERS),
        ("07900900123;", LETTERS),
        ("٠٧٩٠٠٩٠٠١٢٣", LETTERS),
        ("", FEW),
        ("+", FEW),
        ("0790090012", FEW),
        ("44790090012", FEW),
        ("079009001234", MANY),
        ("4479009001234", MANY),
        ("02079460000", NO_MOBILE),
        ("0", NO_MOBILE),
        ("442079460000", NO_MOBILE),
        ("+33612345678", None),
        ("0033612345678", None),
        ("1664 491 3789", None),
        ("+3361234", FEW),
        ("1234567890123456", MANY),
        ("2111111111", None),
        ("2101234567", NO_COUNTRY),
        ("79009001234", None),  # of eleven digits: Russia
    ],
)
def test_what_is_wrong_with_a_number(number: str, fault: str | None) -> None:
    assert fault_of_2020(number) == fault
