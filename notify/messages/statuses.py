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
"""Statuses that give a message its `completed_at` (workers 5.1)."""

OPEN_TO_RECEIPTS: Final = frozenset({"created", "sending", "pending", "sent", "pending-virus-check"})
"""Statuses that a receipt may still change (workers 5.2); a receipt for any other is a duplicate."""

OPEN_TO_SES: Final = frozenset({"sending", "pending"})
"""Statuses that what SES says of an email may change: it names the email by a reference, which a row gets with them."""

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
    """The stored statuses that a filter by these names means; None where that is every one (workers 5.3)."""
    wanted: set[str] = set()
    for name in names:
        wanted.update(_SUBSTITUTES.get(name, (name,)))
    if not wanted or wanted >= set(STATUSES) - {"failed"}:
        return None
    return frozenset(wanted)


def shown_status(notification_type: str, status: str) -> str:
    """The status as the public API shows it: letters have other words."""
    return _LETTER_WORDS.get(status, status) if notification_type == "letter" else status
