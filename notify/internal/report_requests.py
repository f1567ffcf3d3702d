"""Requests for reports: CSV files that are made in the background (contract: internal-jobs 4)."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Response
from pydantic import MISSING, BeforeValidator, WithJsonSchema
from pydantic_core import to_jsonable_python
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.database import after_commit
from notify.infra.errors import ValidationProblemError
from notify.infra.http import json_answer
from notify.infra.times import utc_now
from notify.infra.validation import InOrder, complain, parse_uuid, shown
from notify.internal.fields import Moment
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data
from notify.jobs import report_requests
from notify.jobs.publish import publish_report

routes = Routes("report_requests", "/service/<uuid:service_id>/report-request")


def _user_id(value: object) -> UUID:
    if not isinstance(value, str):
        raise complain(f"{shown(value)} is not of type string")
    try:
        return parse_uuid(value)
    except ValueError:
        raise complain("badly formed hexadecimal UUID string") from None


UserId = Annotated[UUID, BeforeValidator(_user_id), WithJsonSchema({"type": "string", "format": "uuid"})]


class NewReportRequest(Body, extra="forbid"):
    """The content of a report to create."""

    user_id: UserId
    report_type: Literal["notifications_report"]
    notification_type: Annotated[Literal["email", "sms", "letter"], InOrder()] | MISSING = MISSING
    notification_status: Literal["all", "sending", "delivered", "failed"] | MISSING = MISSING


class ReportRequestAnswer(Answer):
    """A request for a report."""

    id: UUID
    user_id: UUID
    service_id: UUID
    report_type: str
    status: str
    parameter: dict[str, Any]
    created_at: Moment
    updated_at: Moment | None


@routes.get("/<uuid:request_id>")
def get_report_request(session: Session, service_id: UUID, request_id: UUID) -> Data[ReportRequestAnswer]:
    """Get a request for a report."""
    return Data(data=ReportRequestAnswer.of(report_requests.get_request(session, service_id, request_id)))


@routes.post("", status=201)
def create_report_request(
    session: Session, container: Container, service_id: UUID, body: NewReportRequest
) -> Data[ReportRequestAnswer] | Response:
    """Request a report. While the same one is being created, its request is returned."""
    given = body.given()
    absent = [name for name in ("notification_type", "notification_status") if name not in given]
    if absent:
        raise ValidationProblemError([f"{name} is a required property" for name in absent])
    request, is_new = report_requests.request_report(
        session,
        service_id,
        user_id=body.user_id,
        notification_type=given["notification_type"],
        notification_status=given["notification_status"],
        now=utc_now(),
    )
    answer: Data[ReportRequestAnswer] = Data(data=ReportRequestAnswer.of(request))
    if not is_new:
        return json_answer(to_jsonable_python(answer))
    request_id = request.id
    after_commit(session, lambda: publish_report(container.parts.queue, service_id, request_id))
    return answer
