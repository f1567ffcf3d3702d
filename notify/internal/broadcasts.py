"""Emergency alerts: drafts, approval and cancellation (contract: broadcasts 3, 8.1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import MISSING, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import Session

from notify.broadcasts.areas import list_form
from notify.broadcasts.messages import Broadcasts, NewBroadcast
from notify.broadcasts.serialise import BroadcastSerialiser
from notify.content.placeholders import TooMuchTextError
from notify.infra.container import Container
from notify.infra.errors import ValidationProblemError
from notify.infra.validation import complain, shown
from notify.internal.fields import IsoDateTime, NonEmpty, Uuid
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body
from notify.messages.errors import too_much_text
from notify.vocabulary import BROADCAST_STATUSES

routes = Routes("broadcasts", "/service/<uuid:service_id>/broadcast-message", legacy=True)


def _form_of_areas(value: object) -> str:
    return "object" if isinstance(value, dict) else "list"


def _status(value: object) -> object:
    if value not in BROADCAST_STATUSES:
        raise complain(f"{shown(value)} is not one of [{', '.join(BROADCAST_STATUSES)}]")
    return value


Areas = Annotated[
    Annotated[list[str], Tag("list")] | Annotated[dict[str, Any], Tag("object")],
    Discriminator(_form_of_areas),
    WithJsonSchema(
        {
            "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "object"}],
            "description": "Ids of areas, beside `simple_polygons`; or an object with `ids`, `names`, "
            "`aggregate_names` and `simple_polygons`.",
        }
    ),
]
Status = Annotated[str, BeforeValidator(_status), WithJsonSchema({"enum": list(BROADCAST_STATUSES)})]
TimeText = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class _Absent:
    """Represents a missing required template."""


def _template_id(value: object) -> object:
    if isinstance(value, _Absent):
        raise PydanticCustomError("missing", "Field required")
    return value


class NewBroadcastMessage(Body, extra="forbid"):
    """A draft: from a template, or from a text with `content` and `reference`."""

    template_id: Annotated[Uuid | MISSING, BeforeValidator(_template_id)] = MISSING
    service_id: Uuid
    created_by: Uuid
    personalisation: dict[str, Any] | MISSING = MISSING
    starts_at: IsoDateTime | MISSING = MISSING
    finishes_at: IsoDateTime | MISSING = MISSING
    areas: Areas | MISSING = MISSING
    simple_polygons: list[list[Any]] | MISSING = MISSING
    content: NonEmpty | MISSING = MISSING
    reference: Annotated[str, Field(min_length=1, max_length=255)] | MISSING = MISSING

    @model_validator(mode="before")
    @classmethod
    def _need_template(cls, data: Any) -> Any:
        """A body without any source of its text lacks a template (3.2)."""
        if isinstance(data, dict) and not data.keys() & {"template_id", "content", "reference"}:
            return data | {"template_id": _Absent()}
        return data

    def check_sources(self) -> None:
        """The text is from a template, or given with a reference (8.1). Raises `ValidationProblemError`."""
        given = self.given()
        instance = shown(self.model_dump(mode="json", exclude_unset=True))
        texts = []
        for other in ("content", "reference"):
            if "template_id" in given and other in given:
                schemas = ", ".join(f"{{required: [{name}]}}" for name in (other, "template_id"))
                texts.append(f"{instance} is valid under each of {schemas}")
            elif "template_id" not in given and other not in given:
                texts.append(f"{instance} is not valid under any of the given schemas")
        if texts:
            raise ValidationProblemError(texts)


class ChangedBroadcastMessage(Body, extra="forbid"):
    """The fields of a draft to change."""

    personalisation: dict[str, Any] | MISSING = MISSING
    starts_at: IsoDateTime | MISSING = MISSING
    finishes_at: IsoDateTime | MISSING = MISSING
    areas: Areas | MISSING = MISSING
    simple_polygons: list[list[Any]] | MISSING = MISSING


class ChangedStatus(Body, extra="forbid"):
    """The new status of a message, and the user who sets it."""

    status: Status
    created_by: Uuid


class _MessageFields(Answer):
    id: UUID
    service_id: UUID
    template_id: UUID | None
    template_version: int | None
    template_name: str | None
    personalisation: dict[str, Any] | None
    content: str
    status: str
    starts_at: TimeText | None
    finishes_at: TimeText | None
    created_at: TimeText
    approved_at: TimeText | None
    cancelled_at: TimeText | None
    updated_at: TimeText | None
    created_by_id: UUID | None


class ListedAreasAnswer(_MessageFields):
    """A message whose areas are a list. Absent people have the text `None`."""

    areas: list[str]
    simple_polygons: list[Any]
    approved_by_id: str
    cancelled_by_id: str


class AreasAnswer(_MessageFields):
    """A message whose areas are an object."""

    areas: dict[str, Any]
    reference: str | None
    cap_event: str | None
    approved_by_id: UUID | None
    cancelled_by_id: UUID | None


MessageAnswer = ListedAreasAnswer | AreasAnswer


class MessagesAnswer(Answer):
    """The messages of a service."""

    broadcast_messages: list[MessageAnswer]


@routes.get("")
def list_broadcast_messages(session: Session, container: Container, service_id: UUID) -> MessagesAnswer:
    """List the emergency alerts of a service."""
    found = container.get(BroadcastSerialiser).list_of(session, service_id)
    return MessagesAnswer(broadcast_messages=[_answer(message) for message in found])


@routes.get("/<uuid:broadcast_message_id>")
def get_broadcast_message(
    session: Session, container: Container, service_id: UUID, broadcast_message_id: UUID
) -> MessageAnswer:
    """Get an emergency alert."""
    return _answer(container.get(BroadcastSerialiser).one(session, service_id, broadcast_message_id))


@routes.post("", status=201)
def create_broadcast_message(
    session: Session, container: Container, service_id: UUID, body: NewBroadcastMessage
) -> MessageAnswer:
    """Draft an emergency alert. The service in the body counts, not that in the path."""
    del service_id
    body.check_sources()
    given = body.given()
    polygons, areas = given.pop("simple_polygons", []), given.pop("areas", None)
    if areas is None and "template_id" in given:
        areas = []
    new = NewBroadcast(
        created_by_id=given.pop("created_by"),
        areas=list_form(areas, polygons) if isinstance(areas, list) else areas or {},
        **given,
    )
    with _bounded():
        message = container.get(Broadcasts).create(session, new)
    return _answer(container.get(BroadcastSerialiser).one(session, message.service_id, message.id))


@routes.post("/<uuid:broadcast_message_id>")
def update_broadcast_message(
    session: Session,
    container: Container,
    service_id: UUID,
    broadcast_message_id: UUID,
    body: ChangedBroadcastMessage,
) -> MessageAnswer:
    """Change a draft of an emergency alert."""
    given = body.given()
    times: dict[str, datetime] = {name: given.pop(name) for name in ("starts_at", "finishes_at") if name in given}
    with _bounded():
        container.get(Broadcasts).update(session, service_id, broadcast_message_id, times=times, **given)
    return _answer(container.get(BroadcastSerialiser).one(session, service_id, broadcast_message_id))


@routes.post("/<uuid:broadcast_message_id>/status")
def set_broadcast_message_status(
    session: Session, container: Container, service_id: UUID, broadcast_message_id: UUID, body: ChangedStatus
) -> MessageAnswer:
    """Approve, reject or cancel an emergency alert, or submit it for approval."""
    container.get(Broadcasts).set_status(session, service_id, broadcast_message_id, body.status, body.created_by)
    return _answer(container.get(BroadcastSerialiser).one(session, service_id, broadcast_message_id))


def _answer(message: dict[str, Any]) -> MessageAnswer:
    return (ListedAreasAnswer if "simple_polygons" in message else AreasAnswer)(**message)


@contextmanager
def _bounded() -> Iterator[None]:
    try:
        yield
    except TooMuchTextError as error:
        raise too_much_text("sms", error.length) from None
