"""Reading received text messages."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from notify.content.sms_senders import resolve_sender
from notify.inbound.models import InboundText, InboundTextHistory
from notify.infra.errors import NotFoundProblemError
from notify.infra.paging import Page, page_of
from notify.infra.times import local_days_ago
from notify.messages.models import Notification
from notify.services.inbound_numbers import number_of_service
from notify.services.queries import retention_days

SUMMARY_DAYS: Final = 7


class NoNumberError(Exception):
    """The service has no number on which it receives texts."""


class Summary(NamedTuple):
    """How many texts a service received in the last days, and when the last one of all that are kept."""

    received: int
    most_recent: datetime | None


def page(session: Session, service_id: UUID, older_than: UUID | None, limit: int) -> list[InboundText]:
    """The service's received texts, newest first; those older than an id that it does not have are none
    (public-api 9).
    """
    query = select(InboundText).where(InboundText.service_id == service_id)
    if older_than is not None:
        cursor = select(InboundText.created_at, InboundText.id).where(
            InboundText.id == older_than, InboundText.service_id == service_id
        )
        query = query.where(tuple_(InboundText.created_at, InboundText.id) < cursor.scalar_subquery())
    return list(session.scalars(query.order_by(InboundText.created_at.desc(), InboundText.id.desc()).limit(limit)))


def search(session: Session, service_id: UUID, phone_number: str, *, now: datetime) -> list[InboundText]:
    """A service's texts within its retention, newest first; only those of a number, unless it is empty
    (internal-services 7.2). A number is compared in its international form, if it has one.
    """
    query = select(InboundText).where(
        InboundText.service_id == service_id, InboundText.created_at >= _kept_since(session, service_id, now)
    )
    if phone_number:
        query = query.where(InboundText.user_number == resolve_sender(phone_number))
    return list(session.scalars(query.order_by(InboundText.created_at.desc(), InboundText.id.desc())))


def newest_of_each_number(session: Session, service_id: UUID, number: int, *, now: datetime) -> Page[InboundText]:
    """The newest text of everybody who wrote to a service, within its retention, newest first. Raises
    `PageNotFoundError`.
    """
    newest = (
        select(InboundText.id)
        .distinct(InboundText.user_number)
        .where(InboundText.service_id == service_id, InboundText.created_at >= _kept_since(session, service_id, now))
        .order_by(InboundText.user_number, InboundText.created_at.desc(), InboundText.id.desc())
    )
    query = select(InboundText).where(InboundText.id.in_(newest))
    return page_of(session, query.order_by(InboundText.created_at.desc(), InboundText.id.desc()), number)


def summarise(session: Session, service_id: UUID, *, now: datetime) -> Summary:
    """What a service received lately; an unknown one nothing."""
    own = InboundText.service_id == service_id
    recent = InboundText.created_at >= local_days_ago(now, SUMMARY_DAYS)
    count = session.scalar(select(func.count()).where(own, recent)) or 0
    return Summary(count, session.scalar(select(func.max(InboundText.created_at)).where(own)))


def get_text(session: Session, service_id: UUID, text_id: UUID) -> InboundText:
    """A text that a service received. Raises `NotFoundProblemError`."""
    text = session.get(InboundText, text_id)
    if text is None or text.service_id != service_id:
        raise NotFoundProblemError
    return text


def last_use(session: Session, service_id: UUID) -> datetime | None:
    """When a service last received a text, or sent one from its number; None: never. Raises `NoNumberError`."""
    number = number_of_service(session, service_id)
    if number is None:
        raise NoNumberError
    shown = resolve_sender(number.number)
    sent = (
        select(Notification.created_at)
        .where(Notification.service_id == service_id, Notification.reply_to_text.in_({number.number, shown}))
        .order_by(Notification.created_at.desc())
        .limit(1)
    )
    received = select(func.max(InboundText.created_at)).where(InboundText.service_id == service_id)
    archived = select(func.max(InboundTextHistory.created_at)).where(InboundTextHistory.service_id == service_id)
    moments = [session.scalar(query) for query in (sent, received, archived)]
    return max((moment for moment in moments if moment is not None), default=None)


def _kept_since(session: Session, service_id: UUID, now: datetime) -> datetime:
    return local_days_ago(now, retention_days(session, service_id, "sms"))
