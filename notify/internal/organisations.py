"""Organisations (contract: internal-users-orgs-templates 4)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from flask import Response
from pydantic import MISSING, Field
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.errors import (
    NOT_FOUND,
    FieldProblemError,
    MalformedRequestError,
    NotFoundProblemError,
    ProblemError,
    ValidationProblemError,
)
from notify.infra.times import utc_now
from notify.internal.fields import HttpDate, Uuid
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data, Empty, FieldsQuery, Result, data_response
from notify.organisations.actions import OrganisationChanges, create_organisation
from notify.organisations.queries import organisation_of_domain
from notify.services import organisation_details as details
from notify.services import organisations
from notify.teams import archiving
from notify.teams.agreements import AgreementMessages
from notify.vocabulary import OrganisationPermissionType

routes = Routes("organisations", "/organisations")
legacy_routes = Routes("legacy_organisations", "/organisations", legacy=True)
service_routes = Routes("service_organisation", "/service/<uuid:service_id>/organisation")

Kind = Literal[
    "central",
    "local",
    "nhs_central",
    "nhs_local",
    "nhs_gp",
    "nhs_notify",
    "emergency_service",
    "school_or_college",
    "other",
]
"""The types of organisations, in the order of the contract's error texts."""


Number = Annotated[float, Field(strict=False, allow_inf_nan=False)]
"""A number, which may be given as text."""


class ChangedOrganisation(Body):
    """The fields of an organisation to change. If permissions are given, all other fields are ignored."""

    name: str | MISSING | None = MISSING
    active: bool | MISSING | None = MISSING
    crown: bool | MISSING | None = MISSING
    organisation_type: Kind | MISSING = MISSING
    permissions: list[OrganisationPermissionType] | MISSING = MISSING
    can_approve_own_go_live_requests: bool | MISSING = MISSING
    email_branding_id: str | MISSING | None = MISSING
    letter_branding_id: str | MISSING | None = MISSING
    agreement_signed: bool | MISSING | None = MISSING
    agreement_signed_at: str | MISSING | None = MISSING
    agreement_signed_by_id: str | MISSING | None = MISSING
    agreement_signed_version: Number | MISSING | None = MISSING
    agreement_signed_on_behalf_of_name: str | MISSING | None = MISSING
    agreement_signed_on_behalf_of_email_address: str | MISSING | None = MISSING
    request_to_go_live_notes: str | MISSING | None = MISSING
    notes: str | MISSING | None = MISSING
    purchase_order_number: str | MISSING | None = MISSING
    billing_contact_names: str | MISSING | None = MISSING
    billing_contact_email_addresses: str | MISSING | None = MISSING
    billing_reference: str | MISSING | None = MISSING
    domains: list[str] | MISSING = MISSING


class NewOrganisation(ChangedOrganisation):
    """An organisation to create. Its permissions are the default ones."""

    name: str
    crown: bool
    organisation_type: Kind


class ServiceOfOrganisation(Body):
    """A service to link."""

    service_id: Uuid


class DomainQuery(FieldsQuery):
    """The domain of an email address."""

    domain: str = ""


class NameQuery(FieldsQuery):
    """A part of a name."""

    name: str = ""


class UniqueQuery(FieldsQuery):
    """A proposed name of an organisation."""

    org_id: str = ""
    name: str = ""


class OrganisationAnswer(Answer):
    """An organisation."""

    id: UUID
    name: str
    active: bool
    crown: bool | None
    organisation_type: str | None
    letter_branding_id: UUID | None
    email_branding_id: UUID | None
    agreement_signed: bool | None
    agreement_signed_at: HttpDate | None
    agreement_signed_by_id: UUID | None
    agreement_signed_on_behalf_of_name: str | None
    agreement_signed_on_behalf_of_email_address: str | None
    agreement_signed_version: float | None
    domains: list[str]
    request_to_go_live_notes: str | None
    count_of_live_services: int
    notes: str | None
    purchase_order_number: str | None
    billing_contact_names: str | None
    billing_contact_email_addresses: str | None
    billing_reference: str | None
    can_approve_own_go_live_requests: bool
    permissions: list[str]


class ListedOrganisationAnswer(Answer):
    """An organisation in a list."""

    id: UUID
    name: str
    active: bool
    count_of_live_services: int
    domains: list[str]
    organisation_type: str | None


class OrganisationServiceAnswer(Answer):
    """A service of an organisation."""

    id: UUID
    name: str
    active: bool
    restricted: bool


@routes.get("")
def list_organisations(session: Session) -> list[ListedOrganisationAnswer] | Response:
    """List the organisations."""
    return Response(details.list_organisations(session), content_type="application/json")


@routes.post("", status=201)
def make_organisation(session: Session, body: NewOrganisation) -> OrganisationAnswer:
    """Create an organisation."""
    changes, domains = _changes(body)
    organisation = create_organisation(session, domains=domains or (), **changes)
    return OrganisationAnswer.of(details.organisation_details(session, organisation.id))


@routes.get("/<uuid:organisation_id>")
def get_organisation(session: Session, organisation_id: UUID) -> OrganisationAnswer:
    """Get an organisation."""
    return OrganisationAnswer.of(details.organisation_details(session, organisation_id))


@routes.post("/<uuid:organisation_id>", status=204)
def change_organisation(
    session: Session, container: Container, organisation_id: UUID, body: ChangedOrganisation
) -> None:
    """Change an organisation."""
    if body.permissions is not MISSING:
        organisations.set_permissions(session, organisation_id, body.permissions)
        return
    changes, domains = _changes(body)
    organisation = organisations.update_organisation(session, organisation_id, changes, domains=domains)
    if changes.get("agreement_signed") and "agreement_signed_by_id" in changes:
        container.get(AgreementMessages).send_receipts(session, organisation)


@routes.post("/<uuid:organisation_id>/archive", status=204)
def archive_organisation(session: Session, organisation_id: UUID) -> None:
    """Archive an organisation."""
    archiving.archive_organisation(session, organisation_id, now=utc_now())


@routes.get("/by-domain")
def get_organisation_of_domain(session: Session, query: DomainQuery) -> OrganisationAnswer:
    """Get the organisation of an email domain."""
    if not query.domain or "@" in query.domain:
        raise MalformedRequestError
    organisation = organisation_of_domain(session, query.domain)
    if organisation is None:
        raise NotFoundProblemError(NOT_FOUND)
    return OrganisationAnswer.of(details.organisation_details(session, organisation.id))


@routes.get("/search")
def find_organisations(session: Session, query: NameQuery) -> Data[list[ListedOrganisationAnswer]] | Response:
    """Find organisations by a part of their name."""
    if not query.name:
        raise FieldProblemError("name", "Missing data for required field.")
    return data_response(details.find_organisations(session, query.name))


@legacy_routes.get("/unique")
def is_organisation_name_unique(session: Session, query: UniqueQuery) -> Result[bool]:
    """Check whether an organisation may have a name."""
    missing = [name for name in ("org_id", "name") if not getattr(query, name)]
    if missing:
        raise MissingValuesError(missing)
    return Result(result=details.is_name_free(session, query.name, known_id(query.org_id)))


@routes.post("/<uuid:organisation_id>/service", status=204)
def link_service(session: Session, organisation_id: UUID, body: ServiceOfOrganisation) -> None:
    """Link a service to an organisation."""
    organisations.link_service(session, organisation_id, body.service_id)


@routes.get("/<uuid:organisation_id>/services")
def list_services_of_organisation(session: Session, organisation_id: UUID) -> list[OrganisationServiceAnswer]:
    """List an organisation's services."""
    return OrganisationServiceAnswer.of_each(details.services_of_organisation(session, organisation_id))


@service_routes.get("")
def get_organisation_of_service(session: Session, service_id: UUID) -> OrganisationAnswer | Empty:
    """Get the organisation of a service."""
    organisation = details.organisation_of_service(session, service_id)
    return Empty() if organisation is None else OrganisationAnswer.of(organisation)


class MissingValuesError(ProblemError):
    """Values are missing; the answer lists them (contract: internal-users-orgs-templates 4.2, as of 2020)."""

    def __init__(self, names: list[str]) -> None:
        super().__init__([f"{name}: Can't be empty" for name in names])
        self._names = names

    def message(self) -> Any:
        """A list with one object per value."""
        return [{name: ["Can't be empty"]} for name in self._names]


def known_id(text: str) -> UUID:
    """The text as an id. Raises `NotFoundProblemError` if it is not one."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundProblemError from None


def _moment(text: str) -> datetime:
    """A time in UTC, also in the form of our answers. Raises `NotFoundProblemError` for other text, as the contract
    does for values that no column can hold.
    """
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return read(text).replace(tzinfo=UTC)
        except (ValueError, TypeError, IndexError):
            continue
    raise NotFoundProblemError


def _changes(body: ChangedOrganisation) -> tuple[OrganisationChanges, list[str] | None]:
    """The columns that are given, and the domains. Raises `ValidationProblemError`, `NotFoundProblemError`."""
    given = body.given()
    given.pop("permissions", None)
    domains: list[str] | None = given.pop("domains", None)
    for name, kind in (("name", "string"), ("active", "boolean")):
        if name in given and given[name] is None:
            raise ValidationProblemError(f"{name} None is not of type {kind}")
    for name in ("email_branding_id", "letter_branding_id", "agreement_signed_by_id"):
        if given.get(name) is not None:
            given[name] = known_id(given[name])
    if given.get("agreement_signed_at") is not None:
        given["agreement_signed_at"] = _moment(given["agreement_signed_at"])
    return cast(OrganisationChanges, given), domains
