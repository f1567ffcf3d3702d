"""Letter branding: the logo of letters. Every function flushes; the caller's transaction commits."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from notify.branding.errors import DuplicateLetterBrandingError, InvalidBrandingError
from notify.branding.models import LetterBranding
from notify.infra.columns import violated_constraint
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_public_id

_UNIQUE: Final = {"uq_letter_branding_name": "name", "uq_letter_branding_filename": "filename"}


def list_letter_brandings(session: Session) -> list[LetterBranding]:
    """Every letter branding, by name."""
    return list(session.scalars(select(LetterBranding).order_by(LetterBranding.name)))


def get_letter_branding(session: Session, branding_id: UUID, *, lock: bool = False) -> LetterBranding:
    """A letter branding. Raises `NotFoundProblemError`."""
    branding = session.get(LetterBranding, branding_id, with_for_update=lock or None)
    if branding is None:
        raise NotFoundProblemError
    return branding


def create_letter_branding(
    session: Session, *, name: str, filename: str, created_by_id: UUID | None = None
) -> LetterBranding:
    """Create a letter branding (contract: internal-jobs-billing-platform 10). `filename` is without extension.

    Raises `InvalidBrandingError`, `DuplicateLetterBrandingError`.
    """
    _check(name=name, filename=filename)
    branding = LetterBranding(id=new_public_id(), name=name, filename=filename, created_by_id=created_by_id)
    session.add(branding)
    _flush(session)
    return branding


def update_letter_branding(
    session: Session, branding_id: UUID, *, name: str, filename: str, updated_by_id: UUID | None = None
) -> LetterBranding:
    """Change a letter branding. Raises `NotFoundProblemError` and what `create_letter_branding` does."""
    _check(name=name, filename=filename)
    branding = get_letter_branding(session, branding_id, lock=True)
    branding.name, branding.filename = name, filename
    if updated_by_id is not None:
        branding.updated_by_id = updated_by_id
    _flush(session)
    return branding


def _check(**texts: str) -> None:
    for field, text in texts.items():
        if not text:
            raise InvalidBrandingError(field, "Missing data for required field.")


def _flush(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        if field := _UNIQUE.get(violated_constraint(error) or ""):
            raise DuplicateLetterBrandingError(field) from None
        raise
