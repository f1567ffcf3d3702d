"""Invitations to services (contract: internal-users-orgs-templates 3.1)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import MISSING, Field
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.errors import NotFoundProblemError
from notify.internal.fields import AnyJson, EmailAddress, Moment
from notify.internal.reading import Unread
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Data, Fields
from notify.teams import invitations
from notify.teams.invitations import Invitations
from notify.teams.models import ServiceInvitation
from notify.vocabulary import AuthType, InvitationStatus

routes = Routes("service_invitations", "/service/<service_id>/invite")

Address = Annotated[EmailAddress, Field(max_length=255)]


class ChangedServiceInvitation(Fields):
    """The fields of an invitation to change."""

    service: AnyJson | MISSING | None = MISSING
    email_address: Address | MISSING = MISSING
    from_user: AnyJson | MISSING = MISSING
    permissions: str | MISSING = MISSING
    auth_type: AuthType | MISSING = MISSING
    folder_permissions: AnyJson | MISSING = MISSING
    status: InvitationStatus | MISSING = MISSING


class NewServiceInvitation(ChangedServiceInvitation):
    """An invitation to send. `permissions` are comma-separated."""

    email_address: Address
    from_user: AnyJson
    permissions: str
    invite_link_host: str | MISSING = MISSING


class ServiceInvitationAnswer(Answer):
    """An invitation to a service."""

    id: UUID
    service: UUID
    from_user: UUID
    email_address: str
    auth_type: str
    status: str
    permissions: str
    folder_permissions: Any
    created_at: Moment


@routes.post("", status=201)
def invite_to_service(
    session: Session, container: Container, service_id: str, body: NewServiceInvitation
) -> Data[ServiceInvitationAnswer]:
    """Invite a person to a service."""
    values = _columns(body)
    admin_url = values.pop("invite_link_host", None)
    values.setdefault("service_id", _known_id(service_id))
    invitation = ServiceInvitation(**values)
    container.get(Invitations).invite_to_service(session, invitation, admin_url=admin_url)
    return answer_service_invitation(invitation)


@routes.get("")
def list_service_invitations(session: Session, service_id: UUID) -> Data[list[ServiceInvitationAnswer]]:
    """List the invitations to a service."""
    return Data(data=[_answer(row) for row in invitations.list_service_invitations(session, service_id)])


@routes.get("/<invited_user_id>")
def get_service_invitation(session: Session, service_id: UUID, invited_user_id: UUID) -> Data[ServiceInvitationAnswer]:
    """Get an invitation to a service."""
    return answer_service_invitation(invitations.get_service_invitation(session, service_id, invited_user_id))


@routes.post("/<invited_user_id>")
def change_service_invitation(
    session: Session, service_id: UUID, invited_user_id: UUID, unread: Unread[ChangedServiceInvitation]
) -> Data[ServiceInvitationAnswer]:
    """Change an invitation to a service."""
    invitation = invitations.get_service_invitation(session, service_id, invited_user_id, lock=True)
    invitations.update_service_invitation(session, invitation, **_columns(unread.read()))
    return answer_service_invitation(invitation)


def answer_service_invitation(invitation: ServiceInvitation) -> Data[ServiceInvitationAnswer]:
    """The answer for an invitation."""
    return Data(data=_answer(invitation))


def _answer(row: ServiceInvitation) -> ServiceInvitationAnswer:
    return ServiceInvitationAnswer(
        id=row.id,
        service=row.service_id,
        from_user=row.user_id,
        email_address=row.email_address,
        auth_type=row.auth_type,
        status=row.status,
        permissions=row.permissions,
        folder_permissions=row.folder_permissions,
        created_at=row.created_at,
    )


def _columns(body: ChangedServiceInvitation) -> dict[str, Any]:
    """The given values by column. Raises `NotFoundProblemError` for a malformed id."""
    values = body.given()
    for name, column in (("service", "service_id"), ("from_user", "user_id")):
        given = values.pop(name, None)
        if given is not None:
            values[column] = _known_id(given)
    return values


def _known_id(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise NotFoundProblemError from None
