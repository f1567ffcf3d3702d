"""Emails about requests to make a service live (contract: internal-users-orgs-templates 4.3, 10). They are stored in
the transaction of the session.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Self
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.accounts.models import OrganisationUser, OrganisationUserPermission, User
from notify.accounts.queries import get_user
from notify.infra.container import Container
from notify.infra.errors import NotFoundProblemError
from notify.notices import catalogue
from notify.notices.sender import Notices
from notify.organisations.models import Organisation
from notify.services.models import Service
from notify.teams.errors import NoGoLiveRequestError
from notify.teams.quoting import quoted

APPROVE: Final = "can_make_services_live"
SUPPORT_ADDRESS: Final = "gov-uk-notify-support@digital.cabinet-office.gov.uk"
"""Reply-to address of the requester's receipt."""


class Rejection(NamedTuple):
    """What the email about a rejected request contains."""

    name: str
    service_name: str
    organisation_name: str
    reason: str
    organisation_team_member_name: str
    organisation_team_member_email: str


class GoLiveMessages:
    """Sends the emails about requests to make a service live."""

    def __init__(self, notices: Notices, admin_url: str) -> None:
        self._notices = notices
        self._admin_url = admin_url.rstrip("/")

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.get(Notices), container.parts.settings.admin_base_url)

    def send_request(self, session: Session, service_id: UUID) -> None:
        """Ask the members of the service's organisation who can make services live; if there are any, the requester
        gets a receipt. Raises `NotFoundProblemError`, `NoGoLiveRequestError` (no request, or no organisation).
        """
        service = _get(session, service_id)
        if service.go_live_user_id is None or service.organisation_id is None:
            raise NoGoLiveRequestError
        requester = get_user(session, service.go_live_user_id)
        organisation = session.get_one(Organisation, service.organisation_id)
        approvers = _approvers(session, organisation.id)
        for approver in approvers:
            values = {
                "service_name": service.name,
                "requester_name": requester.name,
                "requester_email_address": requester.email_address,
                "make_service_live_link": f"{self._admin_url}/services/{service.id}/make-service-live",
                "support_page_link": f"{self._admin_url}/support",
                "organisation_name": organisation.name,
                "name": approver.name,
            }
            self._notices.send(
                session,
                catalogue.GO_LIVE_REQUEST_TO_APPROVERS,
                approver.email_address,
                values,
                sender=requester.email_address,
            )
        if approvers:
            receipt = {
                "service_name": service.name,
                "name": requester.name,
                "organisation_name": organisation.name,
                "organisation_team_member_names": [approver.name for approver in approvers],
            }
            self._notices.send(
                session,
                catalogue.GO_LIVE_REQUEST_TO_REQUESTER,
                requester.email_address,
                receipt,
                sender=SUPPORT_ADDRESS,
            )

    def send_next_steps(self, session: Session, service_id: UUID, *, to: str, service_name: str, body: str) -> None:
        """Email a member of the organisation the next steps. Raises `NotFoundProblemError`, `NoGoLiveRequestError`."""
        _requester_id(_get(session, service_id))
        values = {"service_name": service_name, "body": body}
        self._notices.send(session, catalogue.GO_LIVE_NEXT_STEPS, to, values)

    def send_rejection(self, session: Session, service_id: UUID, rejection: Rejection) -> None:
        """Tell the requester that the request was rejected. Raises `NotFoundProblemError`, `NoGoLiveRequestError`."""
        requester = get_user(session, _requester_id(_get(session, service_id)))
        values = rejection._asdict() | {"reason": quoted(rejection.reason)}
        self._notices.send(session, catalogue.GO_LIVE_REJECTED, requester.email_address, values)


def _get(session: Session, service_id: UUID) -> Service:
    service = session.get(Service, service_id)
    if service is None:
        raise NotFoundProblemError
    return service


def _requester_id(service: Service) -> UUID:
    if service.go_live_user_id is None or not service.has_active_go_live_request:
        raise NoGoLiveRequestError
    return service.go_live_user_id


def _approvers(session: Session, organisation_id: UUID) -> list[User]:
    """The active members of an organisation who can make services live, oldest account first."""
    permission = OrganisationUserPermission
    query = (
        select(User)
        .join(OrganisationUser, OrganisationUser.user_id == User.id)
        .join(permission, permission.user_id == User.id)
        .where(
            OrganisationUser.organisation_id == organisation_id,
            permission.organisation_id == organisation_id,
            permission.permission == APPROVE,
            User.state == "active",
        )
        .order_by(User.created_at, User.id)
    )
    return list(session.scalars(query))
