"""Inbound numbers, which people can text (contract: internal-jobs-billing-platform 14)."""

from __future__ import annotations

from uuid import UUID

from pydantic import MISSING
from sqlalchemy.orm import Session

from notify.internal.fields import Moment, Uuid
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data, Empty
from notify.services import inbound_numbers
from notify.services.models import InboundNumber

routes = Routes("inbound_numbers", "/inbound-number")


class WantedNumber(Body):
    """The number to assign; by default any free one."""

    inbound_number_id: Uuid | MISSING = MISSING


class NumberServiceAnswer(Answer):
    """The service that has a number."""

    id: UUID
    name: str


class NumberAnswer(Answer):
    """A number."""

    id: UUID
    number: str
    provider: str
    service: NumberServiceAnswer | None
    active: bool
    created_at: Moment
    updated_at: Moment | None


class NumberSenderAnswer(Answer):
    """The text message sender that belongs to a service's number."""

    id: UUID
    sms_sender: str
    service_id: UUID
    is_default: bool
    archived: bool
    inbound_number_id: UUID
    created_at: Moment
    updated_at: Moment | None


def _answer(number: InboundNumber, service_name: str | None = None) -> NumberAnswer:
    service = None
    if number.service_id is not None and service_name is not None:
        service = NumberServiceAnswer(id=number.service_id, name=service_name)
    return NumberAnswer(
        id=number.id,
        number=number.number,
        provider=number.provider,
        service=service,
        active=number.active,
        created_at=number.created_at,
        updated_at=number.updated_at,
    )


@routes.get("")
def list_numbers(session: Session) -> Data[list[NumberAnswer]]:
    """List inbound numbers."""
    return Data(data=[_answer(*row) for row in inbound_numbers.list_inbound_numbers(session)])


@routes.get("/available")
def list_free_numbers(session: Session) -> Data[list[NumberAnswer]]:
    """List the inbound numbers that are free."""
    return Data(data=[_answer(number) for number in inbound_numbers.list_free_numbers(session)])


@routes.get("/service/<uuid:service_id>")
def get_number_of_service(session: Session, service_id: UUID) -> Data[NumberAnswer | Empty]:
    """Get a service's inbound number."""
    found = inbound_numbers.assigned_number(session, service_id)
    return Data(data=Empty() if found is None else _answer(*found))


@routes.post("/service/<uuid:service_id>", status=201)
def assign_number(session: Session, service_id: UUID, body: WantedNumber) -> NumberSenderAnswer:
    """Assign an inbound number to a service."""
    wanted = body.given().get("inbound_number_id")
    sender = inbound_numbers.assign_inbound_number(session, service_id, inbound_number_id=wanted)
    return NumberSenderAnswer.of(sender)


@routes.post("/service/<uuid:service_id>/off")
def switch_number_off(session: Session, service_id: UUID) -> None:
    """Switch a service's inbound number off."""
    inbound_numbers.switch_off_inbound_number(session, service_id)
