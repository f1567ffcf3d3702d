"""Texts that a service received (contract: internal-services 7.2)."""

from __future__ import annotations

from uuid import UUID

from pydantic import MISSING
from sqlalchemy.orm import Session

from notify.inbound import queries
from notify.infra.container import Container
from notify.infra.replica import BulkSession
from notify.infra.times import utc_now
from notify.internal.fields import HttpDate, IntText, Moment, NaiveMoment
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data, Empty, Query
from notify.providers.settings import TextProviderSettings
from notify.services.inbound_numbers import remove_inbound_number

routes = Routes("inbound_sms", "/service/<uuid:service_id>/inbound-sms")


class WantedTexts(Body):
    """The person whose texts to list; everyone's if empty or missing."""

    phone_number: str | MISSING = MISSING


class PageQuery(Query):
    """The page to list."""

    page: IntText = 1


class RemovedNumber(Body, extra="forbid"):
    """Whether to archive the number, so that no other service gets it."""

    archive: bool


class TextAnswer(Answer):
    """A received text."""

    id: UUID
    created_at: Moment
    service_id: UUID
    notify_number: str
    user_number: str
    content: str


class NewestTextsAnswer(Answer):
    """A page of the newest texts of each person."""

    data: list[TextAnswer]
    has_next: bool


class SummaryAnswer(Answer):
    """The number of texts of the last seven days, and the time of the newest of all."""

    count: int
    most_recent: NaiveMoment | None


class UseAnswer(Answer):
    """When the service's number was last used."""

    most_recent_date: HttpDate | None


@routes.post("", writes=False)
def list_texts(
    session: BulkSession, container: Container, service_id: UUID, body: WantedTexts
) -> Data[list[TextAnswer]]:
    """List the texts that a service received, newest first."""
    number = body.given().get("phone_number", "")
    texts = queries.list_texts(session, container.parts.encryptor, service_id, utc_now(), number)
    return Data(data=TextAnswer.of_each(texts))


@routes.get("/most-recent")
def list_newest_texts(session: Session, container: Container, service_id: UUID, query: PageQuery) -> NewestTextsAnswer:
    """List the newest text of each person, newest first."""
    page = queries.newest_by_person(session, container.parts.encryptor, service_id, utc_now(), query.page)
    return NewestTextsAnswer(data=TextAnswer.of_each(page.texts), has_next=page.has_next)


@routes.get("/summary")
def summarise_texts(session: BulkSession, service_id: UUID) -> SummaryAnswer:
    """Count the texts of the last seven days."""
    return SummaryAnswer.of(queries.summarise(session, service_id, utc_now()))


@routes.get("/<uuid:inbound_sms_id>")
def get_text(session: Session, container: Container, service_id: UUID, inbound_sms_id: UUID) -> TextAnswer:
    """Get a received text."""
    return TextAnswer.of(queries.get_text(session, container.parts.encryptor, service_id, inbound_sms_id))


@routes.get("/most-recent-usage")
def get_last_use(session: Session, service_id: UUID) -> UseAnswer:
    """Get when a service's number was last used."""
    return UseAnswer.of(queries.last_use(session, service_id))


@routes.post("/remove")
def remove_number(session: Session, container: Container, service_id: UUID, body: RemovedNumber) -> Empty:
    """Remove a service's inbound number and its permission to receive texts."""
    from_number = container.parts.settings.part(TextProviderSettings).from_number
    remove_inbound_number(session, service_id, archive=body.archive, from_number=from_number)
    return Empty()
