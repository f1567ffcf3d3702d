"""Finds letters for operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


class FoundLetter(NamedTuple):
    """A letter, live or in the history."""

    id: UUID
    service_id: UUID
    reference: str
    status: str


_BY_ID = text("""
SELECT id, service_id, reference, notification_status AS status FROM notifications
WHERE id = :id AND notification_type = 'letter'
""")
_BY_REFERENCE = text("""
SELECT id, service_id, reference, notification_status AS status FROM notifications
WHERE reference = ANY(:references) AND notification_type = 'letter'
UNION ALL
SELECT id, service_id, reference, notification_status FROM notification_history
WHERE reference = ANY(:references) AND notification_type = 'letter'
ORDER BY reference
""")


def find_letter(session: Session, notification_id: UUID) -> FoundLetter | None:
    """A letter by its id, unless it is in the history."""
    row = session.execute(_BY_ID, {"id": notification_id}).first()
    return None if row is None else FoundLetter(*row)


def find_by_reference(session: Session, references: Sequence[str]) -> list[FoundLetter]:
    """Letters by the references in their file names, also from the history, ordered by reference."""
    rows = session.execute(_BY_REFERENCE, {"references": list(references)})
    return [FoundLetter(*row) for row in rows]
