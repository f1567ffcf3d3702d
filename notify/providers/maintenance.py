"""Deletes messages of the sandbox after some days, because they are not encrypted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from notify.infra.database import Database

SANDBOX_KEPT_FOR: Final = timedelta(days=7)
"""The default retention period of messages."""
DELETED_AT_A_TIME: Final = 10_000

_DELETE: Final = """
DELETE FROM sandbox_messages WHERE id IN (
    SELECT id FROM sandbox_messages WHERE created_at < %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
"""


def delete_sandbox_messages(database: Database, now: datetime) -> int:
    """Delete messages that the sandbox stored more than `SANDBOX_KEPT_FOR` ago, with or without a receipt. Returns
    their number.
    """
    return database.execute_in_batches(_DELETE, now - SANDBOX_KEPT_FOR, DELETED_AT_A_TIME)
