"""Members of organisations (contract: internal-users-orgs-templates 4.2, 4.3)."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Session

from notify.internal.member_permissions import PermissionItem
from notify.internal.routes import Routes
from notify.internal.schemas import Body, Data
from notify.internal.users import UserAnswer, answer_user
from notify.services.user_details import members_of_organisation
from notify.teams import organisation_members

routes = Routes("organisation_members", "/organisations/<uuid:organisation_id>/users")


class NewMember(Body):
    """The permissions of a new member. In 2020 there were none (internal-services 18.1)."""

    permissions: list[PermissionItem] = Field(default_factory=list)


@routes.get("")
def list_organisation_members(session: Session, organisation_id: UUID) -> Data[list[UserAnswer]]:
    """List the active members of an organisation."""
    return Data(data=UserAnswer.of_each(members_of_organisation(session, organisation_id)))


@routes.post("/<uuid:user_id>")
def add_organisation_member(
    session: Session, organisation_id: UUID, user_id: UUID, body: NewMember
) -> Data[UserAnswer]:
    """Add a member to an organisation."""
    names = [item.permission for item in body.permissions]
    organisation_members.add_member(session, organisation_id, user_id, names)
    return answer_user(session, user_id)


@routes.delete("/<uuid:user_id>", status=204)
def remove_organisation_member(session: Session, organisation_id: UUID, user_id: UUID) -> None:
    """Remove a member from an organisation."""
    organisation_members.remove_member(session, organisation_id, user_id)
