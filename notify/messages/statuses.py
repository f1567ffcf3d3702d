"""The status machine of a message (contract: workers 5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from notify.vocabulary import STATUSES

COMPLETED: Final = frozenset(
    {
        "sent",
        "delivered",
        "failed",
        "technical-failure",
        "temporary-failure",
        "permanent-failure",
        "returned-letter",
        "cancelled",
        "validation-failed",
    }
)
"""Statuses with a `completed_at` (workers 5.1)."""

OPEN_TO_RECEIPTS: Final = frozenset({"created", "sending", "pending", "sent", "pending-virus-check"})
"""Statuses that a receipt can change (workers 5.2); for any other, it is a duplicate."""

OPEN_TO_SES: Final = frozenset({"sending", "pending"})
"""Statuses of emails that an SES event can change: it identifies emails by a reference, which rows get with these."""

FAILED: Final = (
    "technical-failure",
    "temporary-failure",
    "permanent-failure",
    "validation-failed",
    "virus-scan-failed",
    "returned-letter",
)

_SUBSTITUTES: Final = {"failed": FAILED, "accepted": ("created", "sending"), "received": ("delivered",)}

_LETTER_WORDS: Final = {
    "created": "accepted",
    "sending": "accepted",
    "delivered": "received",
    "returned-letter": "received",
}


def filter_statuses(names: Iterable[str]) -> frozenset[str] | None:
    """The stored statuses for a filter by these names; None if all match (workers 5.3)."""
    wanted: set[str] = set()
    for name in names:
        wanted.update(_SUBSTITUTES.get(name, (name,)))
    if not wanted or wanted >= set(STATUSES) - {"failed"}:
        return None
    return frozenset(wanted)


def shown_status(notification_type: str, status: str) -> str:
    """The status in the public API, which has other names for letters."""
    return _LETTER_WORDS.get(status, status) if notification_type == "letter" else status
