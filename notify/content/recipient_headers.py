"""Headers of the columns that a list has its recipients in (contract: content 13.2)."""

from __future__ import annotations

from typing import Final

EMAIL_HEADERS: Final = ("email address",)
SMS_HEADERS: Final = ("phone number",)
LETTER_HEADERS: Final = (*(f"address line {number}" for number in range(1, 7)), "postcode", "address line 7")
