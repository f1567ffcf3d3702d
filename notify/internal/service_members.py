"""Members of services (contract: internal-users 1.5)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from notify.infra.errors import NotFoundProblemError
from notify.internal.routes import Routes
from notify.internal.schemas import Data
from notify.internal.users import UserAnswer
from notify.services import members
from notify.services.models import Service
from notify.services.user_details import members_of_service

routes = Routes("service_members", "/service/<uuid:service_id>/users")


@routes.get("")
def list_members(session: Session, service_id: UUID) -> Data[list[UserAnswer]]:
    """List the members of a service."""
    if session.get(Service, service_id) is None:
        raise NotFoundProblemError
    return Data(data=UserAnswer.of_each(members_of_service(session, service_id)))


@routes.delete("/<user_id>")
def remove_member(session: Session, service_id: UUID, user_id: UUID) -> None:
    """Take a member out of a service."""
    members.remove_member(session, service_id, user_id)
