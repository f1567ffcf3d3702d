"""Invitations to services and to organisations (contract: internal-users-orgs-templates 3). Every function and method
flushes; the caller's transaction commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Self, TypedDict, TypeVar, Unpack
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.accounts.queries import get_user
from notify.infra.container import Container
from notify.infra.errors import NotFoundProblemError
from notify.notices import catalogue
from notify.notices.sender import Notices
from notify.organisations.models import Organisation
from notify.services.models import Service
from notify.services.queries import permissions
from notify.teams.links import InvitationLinks
from notify.teams.models import OrganisationInvitation, ServiceInvitation

Invitation = TypeVar("Invitation", ServiceInvitation, OrganisationInvitation)

PLATFORM_TEAM: Final = "The GOV.UK Notify team"
"""Shown as the inviter if a platform admin invites to an organisation (internal-users-orgs-templates 10)."""


class ServiceInvitationChanges(TypedDict, total=False):
    """The fields of an invitation to a service that can be changed."""

    email_address: str
    user_id: UUID
    service_id: UUID
    permissions: str
    auth_type: str
    folder_permissions: Any
    status: str


class Invitations:
    """Creates invitations and sends their emails, in one transaction."""

    def __init__(self, notices: Notices, links: InvitationLinks) -> None:
        self._notices = notices
        self._links = links

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.get(Notices), container.get(InvitationLinks))

    def invite_to_service(self, session: Session, invitation: ServiceInvitation, *, admin_url: str | None) -> None:
        """Store an invitation to a service, and send it. Raises `NotFoundProblemError` (no such service or user)."""
        service = session.get(Service, invitation.service_id)
        if service is None:
            raise NotFoundProblemError
        inviter = get_user(session, invitation.user_id)
        session.add(invitation)
        session.flush()
        values = {
            "user_name": inviter.name,
            "service_name": service.name,
            "url": self._links.make("invitation", invitation.id, admin_url),
        }
        alerts = "broadcast" in permissions(session, service.id)
        self._notices.send(
            session,
            catalogue.BROADCAST_INVITATION if alerts else catalogue.SERVICE_INVITATION,
            invitation.email_address,
            values,
            sender=inviter.email_address,
        )

    def invite_to_organisation(
        self, session: Session, invitation: OrganisationInvitation, *, admin_url: str | None
    ) -> None:
        """Store an invitation to an organisation, and send it. Raises `NotFoundProblemError` (no such organisation or
        user).
        """
        organisation = session.get(Organisation, invitation.organisation_id)
        if organisation is None:
            raise NotFoundProblemError
        inviter = get_user(session, invitation.invited_by_id)
        session.add(invitation)
        session.flush()
        values = {
            "user_name": PLATFORM_TEAM if inviter.platform_admin else inviter.name,
            "organisation_name": organisation.name,
            "url": self._links.make("organisation-invitation", invitation.id, admin_url),
        }
        self._notices.send(
            session,
            catalogue.ORGANISATION_INVITATION,
            invitation.email_address,
            values,
            sender=inviter.email_address,
        )


def get_invitation(session: Session, kind: type[Invitation], invitation_id: UUID) -> Invitation:
    """An invitation: pending, accepted or cancelled. Raises `NotFoundProblemError`."""
    invitation = session.get(kind, invitation_id)
    if invitation is None:
        raise NotFoundProblemError
    return invitation


def list_service_invitations(session: Session, service_id: UUID) -> Sequence[ServiceInvitation]:
    """The invitations to a service, oldest first."""
    query = select(ServiceInvitation).where(ServiceInvitation.service_id == service_id)
    return session.scalars(query.order_by(ServiceInvitation.created_at, ServiceInvitation.id)).all()


def get_service_invitation(
    session: Session, service_id: UUID, invitation_id: UUID, *, lock: bool = False
) -> ServiceInvitation:
    """An invitation to a service. Raises `NotFoundProblemError`."""
    invitation = session.get(ServiceInvitation, invitation_id, with_for_update=lock or None)
    if invitation is None or invitation.service_id != service_id:
        raise NotFoundProblemError
    return invitation


def update_service_invitation(
    session: Session, invitation: ServiceInvitation, **changes: Unpack[ServiceInvitationChanges]
) -> None:
    """Change an invitation. This adds no member and sends nothing."""
    for name, value in changes.items():
        setattr(invitation, name, value)
    session.flush()


def list_organisation_invitations(session: Session, organisation_id: UUID) -> Sequence[OrganisationInvitation]:
    """The invitations to an organisation, oldest first."""
    query = select(OrganisationInvitation).where(OrganisationInvitation.organisation_id == organisation_id)
    return session.scalars(query.order_by(OrganisationInvitation.created_at, OrganisationInvitation.id)).all()


def get_organisation_invitation(
    session: Session, organisation_id: UUID, invitation_id: UUID, *, lock: bool = False
) -> OrganisationInvitation:
    """An invitation to an organisation. Raises `NotFoundProblemError`."""
    invitation = session.get(OrganisationInvitation, invitation_id, with_for_update=lock or None)
    if invitation is None or invitation.organisation_id != organisation_id:
        raise NotFoundProblemError
    return invitation
