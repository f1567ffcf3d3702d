"""Suspends and resumes services, and checks whether a name is free (contract: internal-services 18)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from notify.internal.organisations import MissingValuesError, known_id
from notify.internal.routes import Routes
from notify.internal.schemas import FieldsQuery, Result
from notify.services import service as rules
from notify.services.queries import is_service_name_free

routes = Routes("legacy_services", "/service", legacy=True)


class UniqueServiceQuery(FieldsQuery):
    """A proposed name of a service, and the local part of its email address."""

    service_id: str = ""
    name: str = ""
    email_from: str = ""


@routes.post("/<uuid:service_id>/suspend", status=204)
def suspend_service(session: Session, service_id: UUID) -> None:
    """Suspend a service, and revoke its API keys."""
    rules.suspend_service(session, service_id)


@routes.post("/<uuid:service_id>/resume", status=204)
def resume_service(session: Session, service_id: UUID) -> None:
    """Make a suspended service active again."""
    rules.resume_service(session, service_id)


@routes.get("/unique")
def is_service_name_unique(session: Session, query: UniqueServiceQuery) -> Result[bool]:
    """Check whether a service may have a name."""
    missing = [name for name in ("service_id", "name", "email_from") if not getattr(query, name)]
    if missing:
        raise MissingValuesError(missing)
    return Result(result=is_service_name_free(session, known_id(query.service_id), query.name, query.email_from))
