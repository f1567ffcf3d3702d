"""Changing organisations. Every function flushes; the caller's transaction commits."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from notify.infra.columns import violated_constraint
from notify.infra.ids import new_public_id
from notify.organisations.errors import DuplicateDomainError, DuplicateOrganisationError, InvalidOrganisationError
from notify.organisations.models import Domain, Organisation
from notify.vocabulary import ORGANISATION_TYPES


def create_organisation(
    session: Session,
    *,
    name: str,
    organisation_type: str,
    crown: bool,
    domains: Iterable[str] = (),
    can_approve_own_go_live_requests: bool = False,
) -> Organisation:
    """Create an organisation (contract: internal-users-orgs-templates 4.3). Domains are stored in lower case.

    Raises `InvalidOrganisationError`, `DuplicateOrganisationError`, `DuplicateDomainError`.
    """
    if organisation_type not in ORGANISATION_TYPES:
        words = ", ".join(ORGANISATION_TYPES)
        raise InvalidOrganisationError(
            "organisation_type", f"organisation_type {organisation_type} is not one of [{words}]"
        )
    if len(name) > 255:
        raise InvalidOrganisationError("name", "Longer than maximum length 255.")
    organisation = Organisation(
        id=new_public_id(),
        name=name,
        organisation_type=organisation_type,
        crown=crown,
        can_approve_own_go_live_requests=can_approve_own_go_live_requests,
    )
    session.add(organisation)
    try:
        session.flush()
        session.add_all(
            Domain(domain=domain, organisation_id=organisation.id)
            for domain in dict.fromkeys(domain.lower() for domain in domains)
        )
        session.flush()
    except IntegrityError as error:
        if violated_constraint(error) == "ix_organisation_name":
            raise DuplicateOrganisationError from None
        if violated_constraint(error) == "pk_domain":
            raise DuplicateDomainError from None
        raise
    return organisation
