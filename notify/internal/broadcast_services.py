"""Services of emergency alerts, and the data of the public site of alerts (contract: broadcasts 8.3, 8.5)."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Session

from notify.broadcasts.public_site import public_alerts
from notify.broadcasts.services import set_as_broadcast_service as set_service
from notify.infra.container import Container
from notify.internal.auth import Client
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data
from notify.internal.service_answers import ServiceAnswer, service_answer

routes = Routes("broadcast_services", "/service/<uuid:service_id>", legacy=True)
site_routes = Routes("govuk_alerts", "/govuk-alerts", client=Client.ALERTS, legacy=True)

TimeText = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class BroadcastServiceSettings(Body, extra="forbid"):
    """The settings of a service of emergency alerts."""

    broadcast_channel: Literal["operator", "test", "severe", "government"]
    service_mode: Literal["training", "live"]
    provider_restriction: Literal["three", "o2", "vodafone", "ee", "all"]


class PublicAlertAnswer(Answer):
    """An alert as the public site shows it."""

    id: UUID
    reference: str | None
    channel: str
    content: str
    areas: dict[str, Any]
    status: str
    starts_at: TimeText | None
    finishes_at: TimeText | None
    approved_at: TimeText | None
    cancelled_at: TimeText | None


class PublicAlertsAnswer(Answer):
    """The alerts that were broadcast."""

    alerts: list[PublicAlertAnswer]


@routes.post("/set-as-broadcast-service")
def set_as_broadcast_service(
    session: Session, container: Container, service_id: UUID, body: BroadcastServiceSettings
) -> Data[ServiceAnswer]:
    """Turn a service into one of emergency alerts."""
    set_service(
        session,
        service_id,
        channel=body.broadcast_channel,
        mode=body.service_mode,
        provider=body.provider_restriction,
        environment=container.parts.settings.notify_environment,
    )
    return Data(data=service_answer(session, service_id))


@site_routes.get("")
def list_public_alerts(session: Session) -> PublicAlertsAnswer:
    """List the emergency alerts that were broadcast."""
    return PublicAlertsAnswer(alerts=[PublicAlertAnswer(**alert) for alert in public_alerts(session)])
