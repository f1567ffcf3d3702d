"""Requests to join services (contract: internal-services 5.1)."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, Field, PlainValidator, WithJsonSchema
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.times import utc_now
from notify.infra.validation import complain, shown
from notify.internal.fields import Moment
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body
from notify.teams.join_requests import Approval, JoinRequests, join_request_details
from notify.vocabulary import JoinRequestStatus

routes = Routes("join_requests", "/service/<uuid:service_id>/service-join-request")


def _uuid(value: object) -> UUID:
    """An id. This group of endpoints has its own error text."""
    if not isinstance(value, str):
        raise complain(f"{shown(value)} is not of type string")
    try:
        return UUID(value)
    except ValueError:
        raise complain("badly formed hexadecimal UUID string") from None


Id = Annotated[UUID, PlainValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]


class NewJoinRequest(Body, extra="forbid"):
    """The requester, and the members to ask."""

    requester_id: Id
    contacted_user_ids: Annotated[list[Id], Field(min_length=1)]
    invite_link_host: str
    reason: str | MISSING | None = MISSING


class AnsweredJoinRequest(Body, extra="forbid"):
    """The decision about a request."""

    min_properties = 2

    status_changed_by_id: Id
    status: JoinRequestStatus
    permissions: (
        list[
            Literal[
                "manage_users",
                "manage_templates",
                "manage_settings",
                "send_texts",
                "send_emails",
                "send_letters",
                "manage_api_keys",
                "view_activity",
            ]
        ]
        | MISSING
    ) = MISSING
    folder_permissions: list[str] | MISSING = MISSING
    reason: str | MISSING | None = MISSING
    auth_type: Literal["email_auth", "sms_auth"] | MISSING = MISSING


class MadeAnswer(Answer):
    """The id of a new request."""

    service_join_request_id: UUID


class ChangerAnswer(Answer):
    """Who answered a request."""

    id: UUID
    name: str


class RequesterAnswer(Answer):
    """Who asks to join."""

    id: UUID
    name: str
    email_address: str
    belongs_to_service: list[UUID]


class JoinRequestAnswer(Answer):
    """A request to join a service."""

    id: UUID
    service_id: UUID
    created_at: Moment
    status: str
    status_changed_at: Moment | None
    status_changed_by: ChangerAnswer | None
    reason: str | None
    contacted_service_users: list[UUID]
    requester: RequesterAnswer


@routes.post("", status=201)
def ask_to_join(session: Session, container: Container, service_id: UUID, body: NewJoinRequest) -> MadeAnswer:
    """Ask to join a service."""
    request = container.get(JoinRequests).ask(
        session,
        service_id,
        requester_id=body.requester_id,
        contacted_user_ids=body.contacted_user_ids,
        reason=body.given().get("reason") or "",
        admin_url=body.invite_link_host,
    )
    return MadeAnswer(service_join_request_id=request.id)


@routes.get("/<uuid:request_id>")
def get_join_request(session: Session, service_id: UUID, request_id: UUID) -> JoinRequestAnswer:
    """Get a request to join a service."""
    return JoinRequestAnswer.of(join_request_details(session, service_id, request_id))


@routes.post("/<uuid:request_id>")
def answer_join_request(
    session: Session, container: Container, service_id: UUID, request_id: UUID, body: AnsweredJoinRequest
) -> JoinRequestAnswer:
    """Answer a request to join a service."""
    given = body.given()
    container.get(JoinRequests).answer(
        session,
        service_id,
        request_id,
        status=body.status,
        changed_by_id=body.status_changed_by_id,
        reason=given.get("reason"),
        approval=Approval(
            permissions=given.get("permissions", ()),
            folder_permissions=given.get("folder_permissions", ()),
            auth_type=given.get("auth_type"),
        ),
        now=utc_now(),
    )
    return JoinRequestAnswer.of(join_request_details(session, service_id, request_id))
