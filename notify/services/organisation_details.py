"""Organisations with their details, for the internal API (contract: internal-users-orgs-templates 4.1, 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, array
from sqlalchemy.orm import InstrumentedAttribute, Session

from notify.infra.errors import NotFoundProblemError
from notify.infra.json_rows import json_list
from notify.organisations.models import Domain, Organisation, OrganisationPermission
from notify.services.models import Service


class OrganisationDetails(NamedTuple):
    """An organisation. A live service is active and not in trial mode; domains and permissions are in order."""

    id: UUID
    name: str
    active: bool
    crown: bool | None
    organisation_type: str | None
    letter_branding_id: UUID | None
    email_branding_id: UUID | None
    agreement_signed: bool | None
    agreement_signed_at: datetime | None
    agreement_signed_by_id: UUID | None
    agreement_signed_on_behalf_of_name: str | None
    agreement_signed_on_behalf_of_email_address: str | None
    agreement_signed_version: float | None
    request_to_go_live_notes: str | None
    notes: str | None
    purchase_order_number: str | None
    billing_contact_names: str | None
    billing_contact_email_addresses: str | None
    billing_reference: str | None
    can_approve_own_go_live_requests: bool
    domains: list[str]
    count_of_live_services: int
    permissions: list[str]


class OrganisationService(NamedTuple):
    """A service of an organisation, in a list."""

    id: UUID
    name: str
    active: bool
    restricted: bool


_COLUMNS: Final = OrganisationDetails._fields[:20]
_BY_NAME: Final[tuple[ColumnElement[str], InstrumentedAttribute[UUID]]] = (
    Organisation.name.collate("C"),
    Organisation.id,
)


def organisation_details(session: Session, organisation_id: UUID) -> OrganisationDetails:
    """An organisation. Raises `NotFoundProblemError`."""
    query = select(
        *(getattr(Organisation, name) for name in _COLUMNS), _domains(), _live_services(), _permissions()
    ).where(Organisation.id == organisation_id)
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFoundProblemError
    return OrganisationDetails._make(row)


def organisation_of_service(session: Session, service_id: UUID) -> OrganisationDetails | None:
    """The organisation of a service; None also if there is no such service."""
    organisation_id = session.scalar(select(Service.organisation_id).where(Service.id == service_id))
    return None if organisation_id is None else organisation_details(session, organisation_id)


def list_organisations(session: Session) -> str:
    """Every organisation, as a JSON array: the active ones first, each by name."""
    return json_list(session, _list().order_by(Organisation.active.desc(), *_BY_NAME))


def find_organisations(session: Session, part: str) -> str:
    """Organisations whose name contains this text, ignoring case, as a JSON array by name; also archived ones."""
    matching = Organisation.name.icontains(part, autoescape=True, escape="\\")
    return json_list(session, _list().where(matching).order_by(*_BY_NAME))


def is_name_free(session: Session, name: str, organisation_id: UUID) -> bool:
    """Whether no other organisation has a name like this one, ignoring case; `%` and `_` are wildcards (4.2, as of
    2020).
    """
    others = select(Organisation.id).where(Organisation.name.ilike(name), Organisation.id != organisation_id)
    return session.scalar(others.limit(1)) is None


def services_of_organisation(session: Session, organisation_id: UUID) -> list[OrganisationService]:
    """The services of an organisation: the active ones first, each by name. Raises `NotFoundProblemError`."""
    if session.get(Organisation, organisation_id) is None:
        raise NotFoundProblemError
    query = (
        select(Service.id, Service.name, Service.active, Service.restricted)
        .where(Service.organisation_id == organisation_id)
        .order_by(Service.active.desc(), Service.name.collate("C"), Service.id)
    )
    return [OrganisationService(*row) for row in session.execute(query)]


def _list() -> Select[*tuple[Any, ...]]:
    """One query, however many organisations: domains and services are counted once for all."""
    domains = (
        select(Domain.organisation_id, _ordered(Domain.domain).label("domains"))
        .group_by(Domain.organisation_id)
        .subquery()
    )
    live = (
        select(Service.organisation_id, func.count().label("number"))
        .where(Service.active, ~Service.restricted)
        .group_by(Service.organisation_id)
        .subquery()
    )
    return (
        select(
            Organisation.id,
            Organisation.name,
            Organisation.active,
            Organisation.organisation_type,
            func.coalesce(domains.c.domains, array([], type_=String)).label("domains"),
            func.coalesce(live.c.number, 0).label("count_of_live_services"),
        )
        .outerjoin(domains, domains.c.organisation_id == Organisation.id)
        .outerjoin(live, live.c.organisation_id == Organisation.id)
    )


def _domains() -> ColumnElement[list[str]]:
    return func.array(
        select(Domain.domain).where(Domain.organisation_id == Organisation.id).order_by(Domain.domain).scalar_subquery()
    )


def _permissions() -> ColumnElement[list[str]]:
    permission = cast(OrganisationPermission.permission, String)
    own = OrganisationPermission.organisation_id == Organisation.id
    return func.array(select(permission).where(own).order_by(permission).scalar_subquery())


def _live_services() -> ColumnElement[int]:
    return (
        select(func.count())
        .where(Service.organisation_id == Organisation.id, Service.active, ~Service.restricted)
        .scalar_subquery()
    )


def _ordered(column: InstrumentedAttribute[str]) -> ColumnElement[Sequence[str]]:
    return cast(func.array_agg(aggregate_order_by(column, column)), ARRAY(String))
