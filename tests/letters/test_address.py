"""Addresses in the form of the print provider (contract: letters 10.3)."""

from __future__ import annotations

from typing import Any

import pytest

from notify.letters.printing.address import recipient_and_address


@pytest.mark.parametrize(
    ("to", "postage", "recipient", "address"),
    [
        (
            "Ivy Green\n1 Oak Street\nne11aa",
            "second",
            "Ivy Green",
            {"unstructuredAddress": {"line1": "1 Oak Street", "postcode": "NE1 1AA"}},
        ),
        (
            "Ivy\nFlat 1\nThe Oaks\nOak Street\nOakham\nRutland\nNE1 1AA",
            "first",
            "Ivy",
            {
                "unstructuredAddress": {
                    "line1": "Flat 1",
                    "line2": "The Oaks",
                    "line3": "Oak Street",
                    "line4": "Oakham",
                    "line5": "Rutland",
                    "postcode": "NE1 1AA",
                }
            },
        ),
        (
            "Ivy\n1 rue du Chêne\n75001 Paris\nfrance",
            "europe",
            "Ivy",
            {"internationalAddress": {"line1": "1 rue du Chêne", "line2": "75001 Paris", "country": "France"}},
        ),
        # the postage of the row decides, whatever the address says
        (
            "Ivy\n1 rue du Chêne\nFrance",
            "second",
            "Ivy",
            {"unstructuredAddress": {"line1": "1 rue du Chêne", "postcode": "France"}},
        ),
        (
            "Ivy\n1 Oak Street\nNE1 1AA",
            "rest-of-world",
            "Ivy",
            {"internationalAddress": {"line1": "1 Oak Street", "country": "NE1 1AA"}},
        ),
        (
            "Pte Green\n1 Rifles\nBFPO 1234\nBF1 1AA",
            "second",
            "Pte Green",
            {"bfpoAddress": {"line1": "Pte Green", "line2": "1 Rifles", "postcode": "BF1 1AA", "bfpoNumber": 1234}},
        ),
        (
            "a\nb\nc\nd\ne\nBFPO C/O 5",
            "first",
            "a",
            {"bfpoAddress": {"line1": "a", "line2": "b", "line3": "c", "line4": "d", "bfpoNumber": 5}},
        ),
    ],
)
def test_addresses(to: str, postage: str, recipient: str, address: dict[str, Any]) -> None:
    assert recipient_and_address(to, postage) == (recipient, address)


def test_what_is_too_long_is_cut() -> None:
    recipient, address = recipient_and_address("\n".join(["n" * 300, "l" * 100, "p" * 100]), "second")
    assert recipient == "n" * 255
    assert address == {"unstructuredAddress": {"line1": "l" * 45, "postcode": "p" * 10}}
    _, abroad = recipient_and_address("\n".join(["n", "l", "c" * 300]), "europe")
    assert abroad["internationalAddress"]["country"] == "c" * 256


def test_nothing_at_all_does_not_break() -> None:
    assert recipient_and_address("", "second") == ("", {"unstructuredAddress": {"postcode": ""}})
