"""Emergency alerts that services send as CAP (contract: broadcasts 8.4)."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

from flask import Blueprint, Response, g, request
from pydantic import AfterValidator, Field
from sqlalchemy.orm import Session

from notify.broadcasts.cap_messages import CapMessages, NamedArea
from notify.broadcasts.errors import MissingReferencesError, NotAllowedError, UnsupportedTypeError
from notify.broadcasts.serialise import BroadcastSerialiser
from notify.infra.container import Container
from notify.infra.http import json_answer, read_body
from notify.infra.request_gate import allow_large_body
from notify.infra.validation import Schema, complain, shown, validate
from notify.messages.accept.base import Caller
from notify.messages.idempotency import KeptAnswer, keep_answer
from notify.public.auth import Authenticator
from notify.public.idempotency import HEADER, RepeatedRequests
from notify.public.v2 import errors

Keep = Callable[[Any], KeptAnswer]

CAP_TYPE: Final = "application/cap+xml"
MOST_BYTES: Final = 1024 * 1024
NAME: Final = r"([a-zA-Z1-9]+ )*[a-zA-Z1-9]+"


def _point(value: list[float]) -> list[float]:
    for number, most in zip(value, (90, 180), strict=True):
        if not -most <= number <= most:  # also true for NaN
            raise complain(f"{shown(number)} is not between -{most} and {most}")
    return value


Point = Annotated[list[float], Field(min_length=2, max_length=2), AfterValidator(_point)]
Polygon = Annotated[list[Point], Field(min_length=4)]


class CapArea(Schema):
    """An area of an alert. Points are latitude and longitude."""

    name: Annotated[str, Field(pattern=NAME)]
    polygons: Annotated[list[Polygon], Field(min_length=1)]


class CapMessage(Schema):
    """A CAP message as JSON."""

    msgType: Literal["Alert", "Cancel"]  # noqa: N815 - the contract's name
    reference: Annotated[str, Field(max_length=255)]
    references: str | None
    cap_event: str | None
    category: Literal[
        "Geo",
        "Met",
        "Safety",
        "Security",
        "Rescue",
        "Fire",
        "Health",
        "Env",
        "Transport",
        "Infra",
        "CBRNE",
        "Other",
    ]
    expires: str | None
    content: str
    areas: Annotated[list[CapArea], Field(min_length=1)]


def blueprint(container: Container) -> Blueprint:
    """`POST /v2/broadcast`."""
    authenticator, repeated = container.get(Authenticator), container.get(RepeatedRequests)
    routes = Blueprint("v2_broadcast", __name__, url_prefix="/v2")

    @routes.before_request
    def authenticate() -> None:
        g.caller = authenticator.authenticate(request.headers.get("Authorization"))
        allow_large_body(request.environ)

    errors.handle(routes)

    @routes.post("/broadcast")
    def create_broadcast() -> Response:
        caller: Caller = g.caller
        if "broadcast" not in caller.service.permissions:
            raise NotAllowedError
        if request.content_type != CAP_TYPE:
            raise UnsupportedTypeError(str(request.content_type))
        from notify.broadcasts.cap import read_cap  # loads lxml, which no other request needs

        request.max_content_length = min(request.max_content_length or MOST_BYTES, MOST_BYTES)
        raw = read_body(request)

        def make(keep: Keep | None) -> dict[str, object]:
            message = validate(CapMessage, read_cap(raw))
            with container.parts.database.transaction() as session:
                answer = _store(container, session, caller, message)
                if keep is not None:
                    keep_answer(session, keep(answer))
            return answer

        key = request.environ.get(HEADER)
        if key is None:
            return json_answer(make(None), 201)
        digest = sha256(raw).hexdigest()
        return repeated.answer(
            key, caller, address="/v2/broadcast", body=digest, status=201, show=lambda answer: answer, make=make
        )

    return routes


def _store(container: Container, session: Session, caller: Caller, message: CapMessage) -> dict[str, object]:
    messages, service_id = container.get(CapMessages), caller.service.id
    if message.msgType == "Cancel":
        if message.references is None:
            raise MissingReferencesError
        stored = messages.cancel(session, service_id, caller.key.id, message.references)
    else:
        stored = messages.create(
            session,
            service_id,
            caller.key.id,
            reference=message.reference,
            cap_event=message.cap_event,
            content=message.content,
            areas=[NamedArea(area.name, area.polygons) for area in message.areas],
        )
    return container.get(BroadcastSerialiser).one(session, service_id, stored.id)
