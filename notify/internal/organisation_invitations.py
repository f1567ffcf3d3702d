"""Invitations to organisations (contract: internal-users-orgs-templates 3.2)."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import MISSING
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.internal.fields import EmailAddress, Moment, Uuid
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data
from notify.teams import invitations
from notify.teams.invitations import Invitations
from notify.teams.models import OrganisationInvitation
from notify.vocabulary import InvitationStatus

routes = Routes("organisation_invitations", "/organisation/<uuid:organisation_id>/invite")


class NewOrganisationInvitation(Body):
    """An invitation to send."""

    email_address: EmailAddress
    invited_by: Uuid
    permissions: list[Literal["can_make_services_live"]] | MISSING = MISSING
    invite_link_host: str | MISSING = MISSING


class ChangedOrganisationInvitation(Body):
    """The new status of an invitation."""

    status: InvitationStatus


class OrganisationInvitationAnswer(Answer):
    """An invitation to an organisation."""

    id: UUID
    email_address: str
    invited_by: UUID
    organisation: UUID
    created_at: Moment
    permissions: list[str]
    status: str


@routes.post("", status=201)
def invite_to_organisation(
    session: Session, container: Container, organisation_id: UUID, body: NewOrganisationInvitation
) -> Data[OrganisationInvitationAnswer]:
    """Invite a person to an organisation."""
    permissions = [] if body.permissions is MISSING else body.permissions
    invitation = OrganisationInvitation(
        email_address=body.email_address,
        invited_by_id=body.invited_by,
        organisation_id=organisation_id,
        permissions=",".join(dict.fromkeys(permissions)),
    )
    admin_url = None if body.invite_link_host is MISSING else body.invite_link_host
    container.get(Invitations).invite_to_organisation(session, invitation, admin_url=admin_url)
    return answer_organisation_invitation(invitation)


@routes.get("")
def list_organisation_invitations(session: Session, organisation_id: UUID) -> Data[list[OrganisationInvitationAnswer]]:
    """List the invitations to an organisation."""
    return Data(data=[_answer(row) for row in invitations.list_organisation_invitations(session, organisation_id)])


@routes.get("/<invited_org_user_id>")
def get_organisation_invitation(
    session: Session, organisation_id: UUID, invited_org_user_id: UUID
) -> Data[OrganisationInvitationAnswer]:
    """Get an invitation to an organisation."""
    invitation = invitations.get_organisation_invitation(session, organisation_id, invited_org_user_id)
    return answer_organisation_invitation(invitation)


@routes.post("/<invited_org_user_id>")
def change_organisation_invitation(
    session: Session, organisation_id: UUID, invited_org_user_id: UUID, body: ChangedOrganisationInvitation
) -> Data[OrganisationInvitationAnswer]:
    """Accept or cancel an invitation to an organisation."""
    invitation = invitations.get_organisation_invitation(session, organisation_id, invited_org_user_id, lock=True)
    invitation.status = body.status
    return answer_organisation_invitation(invitation)


def answer_organisation_invitation(invitation: OrganisationInvitation) -> Data[OrganisationInvitationAnswer]:
    """The answer for an invitation."""
    return Data(data=_answer(invitation))


def _answer(row: OrganisationInvitation) -> OrganisationInvitationAnswer:
    return OrganisationInvitationAnswer(
        id=row.id,
        email_address=row.email_address,
        invited_by=row.invited_by_id,
        organisation=row.organisation_id,
        created_at=row.created_at,
        permissions=row.permissions.split(",") if row.permissions else [],
        status=row.status,
    )
