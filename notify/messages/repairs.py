"""Repairs messages that old errors left incomplete (contract: workers 17). Safe to run at any time, and again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from notify.infra.database import Database

STEP: Final = timedelta(days=10)
"""Days of the history to repair in one statement."""
POSTAGE: Final = "second"

# no batches: there are few letters, and only those within their retention period
_LIVE_POSTAGE: Final = """
UPDATE notifications SET postage = %(postage)s
WHERE notification_type = 'letter' AND postage IS NULL AND created_at >= %(first)s
"""
_OLD_POSTAGE: Final = """
UPDATE notification_history SET postage = %(postage)s
WHERE notification_type = 'letter' AND postage IS NULL AND created_at >= %(first)s AND created_at < %(last)s
"""


def populate_postage(database: Database, first: datetime, now: datetime) -> int:
    """Set second class on letters without postage that were created from a time on. Returns their number. Ten days of
    the history are one transaction.
    """
    values = {"postage": POSTAGE, "first": first}
    with database.connection() as connection:
        number = connection.execute(_LIVE_POSTAGE, values).rowcount
    while first < now:
        with database.connection() as connection:
            number += connection.execute(_OLD_POSTAGE, values | {"first": first, "last": first + STEP}).rowcount
        first += STEP
    return number
