"""Text messages that services received (contract: internal-services 7.2)."""

from __future__ import annotations

from uuid import UUID

from flask import Response
from pydantic import MISSING
from sqlalchemy.orm import Session

from notify.inbound import queries as inbound
from notify.inbound.models import CONTENT, InboundText
from notify.infra.container import Container
from notify.infra.json_values import dump_json
from notify.infra.replica import BulkSession
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.internal.fields import HttpDate, IntText, Moment, NaiveMoment
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data, Empty, FieldsQuery
from notify.services.inbound_numbers import remove_inbound_number

routes = Routes("received_texts", "/service/<uuid:service_id>/inbound-sms")


class TextSearch(Body):
    """Whose texts are looked for; everybody's where no number is given."""

    phone_number: str | MISSING = MISSING


class PageQuery(FieldsQuery):
    """Which page."""

    page: IntText = 1


class Removal(Body, extra="forbid"):
    """Whether the number is kept from other services."""

    archive: bool


class TextAnswer(Answer):
    """A text."""

    id: UUID
    created_at: Moment
    service_id: UUID
    notify_number: str
    user_number: str
    content: str


class TextPageAnswer(Answer):
    """A page of texts."""

    data: list[TextAnswer]
    has_next: bool


class SummaryAnswer(Answer):
    """How many texts came in the last 7 days, and when the newest came."""

    count: int
    most_recent: NaiveMoment | None


class LastUseAnswer(Answer):
    """When the number was used last."""

    most_recent_date: HttpDate | None


def _answer(text: InboundText, encryptor: Encryptor) -> TextAnswer:
    return TextAnswer(
        id=text.id,
        created_at=text.created_at,
        service_id=text.service_id,
        notify_number=text.notify_number,
        user_number=text.user_number,
        content=encryptor.decrypt(text.content, CONTENT, text.id),
    )


@routes.post("", writes=False)
def search_texts(
    session: BulkSession, container: Container, service_id: UUID, body: TextSearch
) -> Data[list[TextAnswer]]:
    """Find the texts that a service received."""
    wanted = body.given().get("phone_number", "")
    texts = inbound.search(session, service_id, wanted, now=utc_now())
    return Data(data=[_answer(text, container.parts.encryptor) for text in texts])


@routes.get("/most-recent")
def list_newest_texts(session: Session, container: Container, service_id: UUID, query: PageQuery) -> TextPageAnswer:
    """List the newest text of everybody who wrote to a service."""
    page = inbound.newest_of_each_number(session, service_id, query.page, now=utc_now())
    answers = [_answer(text, container.parts.encryptor) for text in page.rows]
    return TextPageAnswer(data=answers, has_next=page.has_next)


@routes.get("/summary")
def summarise_texts(session: BulkSession, service_id: UUID) -> SummaryAnswer:
    """Count the texts that a service received lately."""
    summary = inbound.summarise(session, service_id, now=utc_now())
    return SummaryAnswer(count=summary.received, most_recent=summary.most_recent)


@routes.get("/most-recent-usage")
def get_last_use(session: Session, service_id: UUID) -> LastUseAnswer | Response:
    """Get when a service's number was used last."""
    try:
        return LastUseAnswer(most_recent_date=inbound.last_use(session, service_id))
    except inbound.NoNumberError:
        # the contract's body has no `result` here
        return Response(dump_json({"message": "inbound not found"}), 404, content_type="application/json")


@routes.get("/<uuid:inbound_sms_id>")
def get_text(session: Session, container: Container, service_id: UUID, inbound_sms_id: UUID) -> TextAnswer:
    """Get a text that a service received."""
    return _answer(inbound.get_text(session, service_id, inbound_sms_id), container.parts.encryptor)


@routes.post("/remove")
def remove_number(session: Session, container: Container, service_id: UUID, body: Removal) -> Empty:
    """Take its number from a service."""
    remove_inbound_number(session, service_id, archive=body.archive, from_number=container.parts.settings.from_number)
    return Empty()
