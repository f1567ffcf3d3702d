"""Links of invitations (contract: internal-users-orgs-templates 3)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.errors import NotFoundProblemError
from notify.internal.organisation_invitations import OrganisationInvitationAnswer, answer_organisation_invitation
from notify.internal.routes import Routes
from notify.internal.schemas import Data
from notify.internal.service_invitations import ServiceInvitationAnswer, answer_service_invitation
from notify.teams.invitations import get_invitation
from notify.teams.links import InvitationLinks
from notify.teams.models import OrganisationInvitation, ServiceInvitation

routes = Routes("invitation_links", "/invite")
legacy_routes = Routes("legacy_invitation_links", "/invite", legacy=True)


@routes.get("/service/<uuid:invited_user_id>")
def get_service_invitation_by_id(session: Session, invited_user_id: UUID) -> Data[ServiceInvitationAnswer]:
    """Get an invitation to a service by its id."""
    return answer_service_invitation(get_invitation(session, ServiceInvitation, invited_user_id))


@routes.get("/service/check/<token>")
def check_service_invitation(session: Session, container: Container, token: str) -> Data[ServiceInvitationAnswer]:
    """Check the link of an invitation to a service."""
    return open_service_invitation(session, container, token)


@routes.get("/service/<token>")
def open_service_invitation(session: Session, container: Container, token: str) -> Data[ServiceInvitationAnswer]:
    """Open the link of an invitation to a service."""
    invitation_id = container.get(InvitationLinks).read(token)
    return answer_service_invitation(get_invitation(session, ServiceInvitation, invitation_id))


@routes.get("/organisation/<uuid:invited_org_user_id>")
def get_organisation_invitation_by_id(
    session: Session, invited_org_user_id: UUID
) -> Data[OrganisationInvitationAnswer]:
    """Get an invitation to an organisation by its id."""
    return answer_organisation_invitation(get_invitation(session, OrganisationInvitation, invited_org_user_id))


@routes.get("/organisation/check/<token>")
def check_organisation_invitation(
    session: Session, container: Container, token: str
) -> Data[OrganisationInvitationAnswer]:
    """Check the link of an invitation to an organisation."""
    return open_organisation_invitation(session, container, token)


@routes.get("/organisation/<token>")
def open_organisation_invitation(
    session: Session, container: Container, token: str
) -> Data[OrganisationInvitationAnswer]:
    """Open the link of an invitation to an organisation."""
    invitation_id = container.get(InvitationLinks).read(token)
    return answer_organisation_invitation(get_invitation(session, OrganisationInvitation, invitation_id))


@legacy_routes.get("/<invitation_type>/<token>")
def open_invitation(container: Container, invitation_type: str, token: str) -> Data[ServiceInvitationAnswer]:
    """Refuse the link of an unknown kind of invitation."""
    container.get(InvitationLinks).read(token)
    raise NotFoundProblemError
