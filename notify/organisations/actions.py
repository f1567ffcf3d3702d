"""Changes organisations. Every function flushes; the caller's transaction commits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final, TypedDict, Unpack
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from notify.branding.models import NHS_EMAIL_BRANDING_ID, NHS_LETTER_BRANDING_ID
from notify.branding.pools import add_to_email_pool, add_to_letter_pool
from notify.infra.columns import violated_constraint
from notify.infra.ids import new_public_id
from notify.organisations.errors import DuplicateDomainError, DuplicateOrganisationError, InvalidOrganisationError
from notify.organisations.models import Domain, Organisation, OrganisationPermission
from notify.vocabulary import ORGANISATION_TYPES

DEFAULT_PERMISSIONS: Final = ("can_ask_to_join_a_service",)
"""Permissions of a new organisation, for the members of its services."""


class OrganisationChanges(TypedDict, total=False):
    """The columns of an organisation that can be set (contract: internal-users-orgs-templates 4.3)."""

    name: str
    active: bool
    crown: bool | None
    organisation_type: str
    email_branding_id: UUID | None
    letter_branding_id: UUID | None
    agreement_signed: bool | None
    agreement_signed_at: datetime | None
    agreement_signed_by_id: UUID | None
    agreement_signed_version: float | None
    agreement_signed_on_behalf_of_name: str | None
    agreement_signed_on_behalf_of_email_address: str | None
    request_to_go_live_notes: str | None
    notes: str | None
    purchase_order_number: str | None
    billing_contact_names: str | None
    billing_contact_email_addresses: str | None
    billing_reference: str | None
    can_approve_own_go_live_requests: bool


def create_organisation(
    session: Session,
    *,
    domains: Iterable[str] = (),
    **fields: Unpack[OrganisationChanges],
) -> Organisation:
    """Create an organisation (contract: internal-users-orgs-templates 4.3); name, type and crown are required. Domains
    are stored in lower case. An organisation of the NHS gets the NHS brandings.

    Raises `InvalidOrganisationError`, `DuplicateOrganisationError`, `DuplicateDomainError`.
    """
    organisation = Organisation(id=new_public_id())
    if is_nhs(fields.get("organisation_type")):
        fields["email_branding_id"] = NHS_EMAIL_BRANDING_ID
        fields["letter_branding_id"] = NHS_LETTER_BRANDING_ID
    session.add(organisation)
    set_columns(session, organisation, fields)
    set_domains(session, organisation.id, dict.fromkeys(domain.lower() for domain in domains))
    set_permissions(session, organisation.id, DEFAULT_PERMISSIONS)
    add_defaults_to_pools(session, organisation)
    return organisation


def is_nhs(organisation_type: str | None) -> bool:
    """Whether a type of organisation is part of the NHS."""
    return organisation_type is not None and organisation_type.startswith("nhs_")


def set_columns(session: Session, organisation: Organisation, fields: OrganisationChanges) -> None:
    """Set columns of an organisation. Raises `InvalidOrganisationError`, `DuplicateOrganisationError`."""
    organisation_type = fields.get("organisation_type", organisation.organisation_type)
    if organisation_type is not None and organisation_type not in ORGANISATION_TYPES:
        words = ", ".join(ORGANISATION_TYPES)
        raise InvalidOrganisationError(
            "organisation_type", f"organisation_type {organisation_type} is not one of [{words}]"
        )
    for name, value in fields.items():
        setattr(organisation, name, value)
    with _unique_values():
        session.flush()


def set_domains(session: Session, organisation_id: UUID, domains: Iterable[str]) -> None:
    """Replace an organisation's domains; they are stored in lower case. Raises `DuplicateDomainError`, also if one is
    given twice.
    """
    wanted = [domain.lower() for domain in domains]
    if len(wanted) != len(set(wanted)):
        raise DuplicateDomainError
    session.execute(delete(Domain).where(Domain.organisation_id == organisation_id))
    session.add_all(Domain(domain=domain, organisation_id=organisation_id) for domain in wanted)
    with _unique_values():
        session.flush()


def set_permissions(session: Session, organisation_id: UUID, permissions: Sequence[str]) -> None:
    """Replace the permissions of an organisation, for the members of its services."""
    session.execute(delete(OrganisationPermission).where(OrganisationPermission.organisation_id == organisation_id))
    session.add_all(
        OrganisationPermission(organisation_id=organisation_id, permission=permission)
        for permission in dict.fromkeys(permissions)
    )
    session.flush()


def add_defaults_to_pools(session: Session, organisation: Organisation) -> None:
    """Add an organisation's default brandings to its pools."""
    if organisation.email_branding_id is not None:
        add_to_email_pool(session, organisation.id, [organisation.email_branding_id])
    if organisation.letter_branding_id is not None:
        add_to_letter_pool(session, organisation.id, [organisation.letter_branding_id])


@contextmanager
def _unique_values() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if violated_constraint(error) == "ix_organisation_name":
            raise DuplicateOrganisationError from None
        if violated_constraint(error) == "pk_domain":
            raise DuplicateDomainError from None
        raise
