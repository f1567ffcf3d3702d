"""The address of a letter as the print provider takes it (contract: letters 10.3)."""

from __future__ import annotations

from typing import Any, Final

from notify.content.postal_addresses import PostalAddress

ABROAD: Final = frozenset({"europe", "rest-of-world"})
LONGEST_NAME: Final = 255
LONGEST_LINE: Final = 45
LONGEST_POSTCODE: Final = 10
LONGEST_COUNTRY: Final = 256
MOST_LINES: Final = 5
MOST_BFPO_LINES: Final = 4


def recipient_and_address(to: str, postage: str) -> tuple[str, dict[str, Any]]:
    """The name of the recipient, and an object with exactly one key: `unstructuredAddress`, `internationalAddress` or
    `bfpoAddress`. `postage` is the letter's stored one, not that of the address. Texts that are too long are truncated.
    """
    address = PostalAddress(to, allow_international=True)
    lines = address.normalised_lines or [""]
    return lines[0][:LONGEST_NAME], _address(address, lines, postage)


def _address(address: PostalAddress, lines: list[str], postage: str) -> dict[str, Any]:
    if address.bfpo_number:
        others = {address.postcode, f"BFPO {address.bfpo_number}"}
        numbered = _numbered([line for line in lines if line not in others], MOST_BFPO_LINES)
        postcode = {"postcode": address.postcode[:LONGEST_POSTCODE]} if address.postcode else {}
        return {"bfpoAddress": {**numbered, **postcode, "bfpoNumber": int(address.bfpo_number)}}
    numbered = _numbered(lines[1:-1], MOST_LINES)
    if postage in ABROAD:
        return {"internationalAddress": {**numbered, "country": lines[-1][:LONGEST_COUNTRY]}}
    return {"unstructuredAddress": {**numbered, "postcode": lines[-1][:LONGEST_POSTCODE]}}


def _numbered(lines: list[str], most: int) -> dict[str, str]:
    return {f"line{number}": line[:LONGEST_LINE] for number, line in enumerate(lines[:most], start=1)}
