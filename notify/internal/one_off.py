"""Messages that people send to one recipient (contract: internal-services 11.1)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import MISSING

from notify.infra.container import Container
from notify.infra.errors import NotFoundProblemError
from notify.infra.validation import parse_uuid
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body
from notify.messages.accept.one_off import OneOff, OneOffAcceptor

routes = Routes("one_off", "/service/<uuid:service_id>/send-notification")


class NewOneOff(Body):
    """A message to one recipient: a phone number, an email address, or the first line of an address."""

    template_id: str
    to: str | None
    created_by: str
    personalisation: dict[str, Any] | MISSING | None = MISSING
    sender_id: str | MISSING | None = MISSING


class AcceptedAnswer(Answer):
    """The message's id."""

    id: UUID


def _id(text: str) -> UUID:
    try:
        return parse_uuid(text)
    except ValueError:
        raise NotFoundProblemError from None


@routes.post("", status=201)
def send_one_off(container: Container, service_id: UUID, body: NewOneOff) -> AcceptedAnswer:
    """Send a message to one recipient."""
    given = body.given()
    sender_id = given.get("sender_id")
    wanted = OneOff(
        template_id=_id(body.template_id),
        to=body.to,
        personalisation=given.get("personalisation") or {},
        created_by_id=_id(body.created_by),
        sender_id=_id(sender_id) if sender_id else None,
    )
    return AcceptedAnswer(id=container.get(OneOffAcceptor).accept(service_id, wanted))
