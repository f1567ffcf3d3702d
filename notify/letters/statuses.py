"""Fails letters that cannot be printed (contract: letters 8.6)."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from notify.infra.database import Database
from notify.messages.metrics import measure_statuses
from notify.messages.statuses import OPEN_TO_RECEIPTS

_FAIL: Final = """
UPDATE notifications SET notification_status = 'technical-failure', updated_at = %(now)s
WHERE id = %(id)s AND notification_type = 'letter' AND notification_status = ANY(%(open)s)
RETURNING key_type
"""


class LetterFailedError(Exception):
    """A letter became `technical-failure`. Makes the task fail visibly."""

    def __init__(self, notification_id: UUID, reason: str) -> None:
        super().__init__(notification_id, reason)

    def __str__(self) -> str:
        return f"letter {self.args[0]}: {self.args[1]}"


def mark_failed(database: Database, notification_id: UUID, now: datetime) -> bool:
    """Set an unfinished letter to `technical-failure`. Returns whether it was unfinished."""
    values = {"now": now, "id": notification_id, "open": sorted(OPEN_TO_RECEIPTS)}
    with database.connection() as connection:
        found = connection.execute(_FAIL, values).fetchone()
    if found is None:
        return False
    measure_statuses([("letter", str(found[0]), "technical-failure")])
    return True
