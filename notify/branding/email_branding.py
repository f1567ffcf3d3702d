"""Email branding: the header of emails. Every function flushes; the caller's transaction commits."""

from __future__ import annotations

from typing import TypedDict, Unpack
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from notify.branding.errors import BrandingTextError, DuplicateEmailBrandingError, InvalidBrandingError
from notify.branding.models import BRAND_TYPES, EmailBranding
from notify.infra.columns import violated_constraint
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_public_id
from notify.infra.times import utc_now


class EmailBrandingChanges(TypedDict, total=False):
    """The fields of an email branding that can be changed. An empty text counts as None."""

    name: str
    colour: str | None
    logo: str | None
    text: str | None
    alt_text: str | None
    brand_type: str


def list_email_brandings(session: Session) -> list[EmailBranding]:
    """The email brandings that are not archived, by name."""
    return list(session.scalars(select(EmailBranding).where(EmailBranding.active).order_by(EmailBranding.name)))


def get_email_branding(session: Session, branding_id: UUID, *, lock: bool = False) -> EmailBranding:
    """An email branding, archived or not. Raises `NotFoundProblemError`."""
    branding = session.get(EmailBranding, branding_id, with_for_update=lock or None)
    if branding is None:
        raise NotFoundProblemError
    return branding


def create_email_branding(
    session: Session,
    *,
    name: str,
    colour: str | None = None,
    logo: str | None = None,
    text: str | None = None,
    alt_text: str | None = None,
    brand_type: str = "org",
    created_by_id: UUID | None = None,
) -> EmailBranding:
    """Create an email branding (contract: internal-jobs-billing-platform 9). `logo` is a file name; `colour` is like
    `#1d70b8`; exactly one of `text`, shown beside the logo, and `alt_text`, of the logo, is needed.

    Raises `InvalidBrandingError`, `BrandingTextError`, `DuplicateEmailBrandingError`.
    """
    branding = EmailBranding(id=new_public_id(), created_by=created_by_id)
    _change(
        branding,
        {
            "name": name,
            "colour": colour,
            "logo": logo,
            "text": text,
            "alt_text": alt_text,
            "brand_type": brand_type,
        },
    )
    session.add(branding)
    _flush(session)
    return branding


def update_email_branding(
    session: Session,
    branding_id: UUID,
    *,
    updated_by_id: UUID | None = None,
    **changes: Unpack[EmailBrandingChanges],
) -> EmailBranding:
    """Change what is given. Raises `NotFoundProblemError` and what `create_email_branding` does."""
    branding = get_email_branding(session, branding_id, lock=True)
    with session.no_autoflush:
        _change(branding, changes)
    if updated_by_id is not None:
        branding.updated_by = updated_by_id
    branding.updated_at = utc_now()  # even if nothing differs
    _flush(session)
    return branding


def _change(branding: EmailBranding, changes: EmailBrandingChanges) -> None:
    for field, value in changes.items():
        setattr(branding, field, value or None)
    if branding.name is None:
        raise InvalidBrandingError("name", "Missing data for required field.")
    if branding.brand_type not in BRAND_TYPES:
        raise InvalidBrandingError(
            "brand_type", f"brand_type {branding.brand_type} is not one of [{', '.join(BRAND_TYPES)}]"
        )
    if (branding.text is None) == (branding.alt_text is None):
        raise BrandingTextError


def _flush(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        if violated_constraint(error) == "uq_email_branding_name":
            raise DuplicateEmailBrandingError from None
        raise
