"""Emails about requests to make a service live (contract: internal-users-orgs-templates 4.3)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.internal.fields import EmailAddress
from notify.internal.routes import Routes
from notify.internal.schemas import Body
from notify.teams.go_live import GoLiveMessages, Rejection

routes = Routes("go_live", "/organisations")


class NextSteps(Body):
    """The content of an email to a member of the organisation."""

    to: EmailAddress
    service_name: str
    body: str


class RejectedRequest(Body):
    """The content of an email to the requester."""

    name: str
    service_name: str
    organisation_name: str
    reason: str
    organisation_team_member_name: str
    organisation_team_member_email: str


@routes.post("/notify-users-of-request-to-go-live/<uuid:service_id>", status=204)
def send_go_live_request(session: Session, container: Container, service_id: UUID) -> None:
    """Email a request to go live to those who can approve it."""
    container.get(GoLiveMessages).send_request(session, service_id)


@routes.post("/notify-org-member-about-next-steps-of-go-live-request/<uuid:service_id>", status=204)
def send_go_live_next_steps(session: Session, container: Container, service_id: UUID, body: NextSteps) -> None:
    """Email the next steps of a request to go live."""
    container.get(GoLiveMessages).send_next_steps(
        session, service_id, to=body.to, service_name=body.service_name, body=body.body
    )


@routes.post("/notify-service-member-of-rejected-go-live-request/<uuid:service_id>", status=204)
def send_go_live_rejection(session: Session, container: Container, service_id: UUID, body: RejectedRequest) -> None:
    """Email the rejection of a request to go live."""
    container.get(GoLiveMessages).send_rejection(session, service_id, Rejection(**body.model_dump()))
