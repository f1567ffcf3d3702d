"""Members of services (contract: internal-users 1.5)."""

from __future__ import annotations

from uuid import UUID

from pydantic import MISSING
from sqlalchemy.orm import Session

from notify.infra.errors import NotFoundProblemError
from notify.internal.member_permissions import MemberPermissions
from notify.internal.reading import Unread
from notify.internal.routes import Routes
from notify.internal.schemas import Data
from notify.internal.service_answers import ServiceAnswer, service_answer
from notify.internal.users import UserAnswer
from notify.services import members
from notify.services.models import Service
from notify.services.user_details import members_of_service
from notify.templates import folder_members

routes = Routes("service_members", "/service/<uuid:service_id>/users")


@routes.get("")
def list_members(session: Session, service_id: UUID) -> Data[list[UserAnswer]]:
    """List the members of a service."""
    if session.get(Service, service_id) is None:
        raise NotFoundProblemError
    return Data(data=UserAnswer.of_each(members_of_service(session, service_id)))


@routes.post("/<user_id>", status=201)
def add_member(
    session: Session, service_id: UUID, user_id: UUID, unread: Unread[MemberPermissions]
) -> Data[ServiceAnswer]:
    """Add a member to a service."""
    members.check_no_member(session, service_id, user_id)
    body = unread.read()
    members.add_member(session, service_id, user_id, body.names())
    if body.folder_permissions is not MISSING:
        folder_members.add_folders_of_member(session, service_id, user_id, body.folder_permissions)
    return Data(data=service_answer(session, service_id))


@routes.delete("/<user_id>")
def remove_member(session: Session, service_id: UUID, user_id: UUID) -> None:
    """Remove a member from a service."""
    members.remove_member(session, service_id, user_id)
