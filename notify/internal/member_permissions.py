"""Permissions of users in services and organisations (contract: internal-users 1.5)."""

from __future__ import annotations

from uuid import UUID

from pydantic import MISSING
from sqlalchemy.orm import Session

from notify.infra.errors import NotFoundProblemError
from notify.internal.reading import Unread
from notify.internal.routes import Routes
from notify.internal.schemas import Body
from notify.services import members
from notify.templates import folder_members

routes = Routes("member_permissions", "/user/<uuid:user_id>")


class PermissionItem(Body):
    """A permission."""

    permission: str


class MemberPermissions(Body, extra="forbid"):
    """The permissions of a member of a service, and the folders the member can see."""

    permissions: list[PermissionItem]
    folder_permissions: list[str] | MISSING = MISSING

    def names(self) -> list[str]:
        """The permissions."""
        return [item.permission for item in self.permissions]


class OrganisationPermissions(Body, extra="forbid"):
    """The permissions of a member of an organisation."""

    permissions: list[PermissionItem]


@routes.post("/service/<uuid:service_id>/permission")
def set_service_permissions(
    session: Session, user_id: UUID, service_id: UUID, unread: Unread[MemberPermissions]
) -> None:
    """Replace the permissions of a member of a service."""
    if not members.is_member(session, service_id, user_id):
        raise NotFoundProblemError
    body = unread.read()
    members.set_member_permissions(session, service_id, user_id, body.names())
    if body.folder_permissions is not MISSING:
        folder_members.set_folders_of_member(session, service_id, user_id, body.folder_permissions)


@routes.post("/organisation/<uuid:organisation_id>/permissions")
def set_organisation_permissions(
    session: Session, user_id: UUID, organisation_id: UUID, body: OrganisationPermissions
) -> None:
    """Replace the permissions of a member of an organisation."""
    names = [item.permission for item in body.permissions]
    members.set_organisation_permissions(session, organisation_id, user_id, names)
