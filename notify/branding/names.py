"""Unused names for brandings."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.branding.errors import NoFreeNameError
from notify.branding.models import EmailBranding, LetterBranding

ALTERNATIVES: Final = 99


def free_name(session: Session, kind: type[EmailBranding] | type[LetterBranding], name: str) -> str:
    """The name itself, or the first of `name (alternate 1)` to `name (alternate 99)` that no branding of the kind has,
    ignoring case (internal-jobs-billing-platform 9, 10). Raises `NoFreeNameError`.
    """
    candidates = [name, *(f"{name} (alternate {number})" for number in range(1, ALTERNATIVES + 1))]
    lowered = [candidate.lower() for candidate in candidates]
    taken = set(session.scalars(select(func.lower(kind.name)).where(func.lower(kind.name).in_(lowered))))
    for candidate, key in zip(candidates, lowered, strict=True):
        if key not in taken:
            return candidate
    raise NoFreeNameError(name)
