"""Queries for received text messages (contract: public-api 9, internal-services 7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Select, exists, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.content.sms_senders import resolve_sender
from notify.inbound.models import CONTENT, InboundText, InboundTextHistory
from notify.infra.errors import BareProblemError, NotFoundProblemError, PageNotFoundError
from notify.infra.paging import PAGE_SIZE
from notify.infra.secrets import Encryptor
from notify.infra.times import midnight_days_ago
from notify.messages.models import Notification, sent_from_number
from notify.services.inbound_numbers import number_of_service
from notify.services.queries import retention_days

SUMMARY_DAYS: Final = 7
_HIGHEST_PAGE: Final = 2**53


class ReceivedText(NamedTuple):
    """A received text, with its content decrypted."""

    id: UUID
    created_at: datetime
    service_id: UUID
    notify_number: str
    user_number: str
    content: str


class ReceivedPage(NamedTuple):
    """A page of received texts, newest first."""

    texts: list[ReceivedText]
    has_next: bool


@dataclass(frozen=True, slots=True)
class ReceivedSummary:
    """The number of texts of the last seven days, and the time of the newest stored text."""

    count: int
    most_recent: datetime | None


def page(session: Session, service_id: UUID, older_than: UUID | None, limit: int) -> list[InboundText]:
    """The service's received texts, newest first. Empty if the service has no text `older_than` (public-api 9)."""
    query = select(InboundText).where(InboundText.service_id == service_id)
    if older_than is not None:
        cursor = select(InboundText.created_at, InboundText.id).where(
            InboundText.id == older_than, InboundText.service_id == service_id
        )
        query = query.where(tuple_(InboundText.created_at, InboundText.id) < cursor.scalar_subquery())
    return list(session.scalars(query.order_by(InboundText.created_at.desc(), InboundText.id.desc()).limit(limit)))


def list_texts(
    session: Session, encryptor: Encryptor, service_id: UUID, now: datetime, phone_number: str = ""
) -> list[ReceivedText]:
    """The service's stored texts, newest first; only those of one person if a number (in any form) is given."""
    query = _kept(session, service_id, now)
    if phone_number:
        query = query.where(InboundText.user_number == _digits(phone_number))
    return _read(session, encryptor, query)


def newest_by_person(
    session: Session, encryptor: Encryptor, service_id: UUID, now: datetime, number: int
) -> ReceivedPage:
    """The newest stored text of each person, newest first. Raises `PageNotFoundError` for an unknown page."""
    if not 1 <= number <= _HIGHEST_PAGE:
        raise PageNotFoundError
    newer = aliased(InboundText)
    is_newest = ~exists(newer.id).where(
        newer.service_id == InboundText.service_id,
        newer.user_number == InboundText.user_number,
        tuple_(newer.created_at, newer.id) > tuple_(InboundText.created_at, InboundText.id),
    )
    query = _kept(session, service_id, now).where(is_newest).offset((number - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)
    texts = _read(session, encryptor, query)
    if not texts and number > 1:
        raise PageNotFoundError
    return ReceivedPage(texts[:PAGE_SIZE], len(texts) > PAGE_SIZE)


def get_text(session: Session, encryptor: Encryptor, service_id: UUID, text_id: UUID) -> ReceivedText:
    """A text of the service. Raises `NotFoundProblemError`."""
    found = select(InboundText).where(InboundText.id == text_id, InboundText.service_id == service_id)
    texts = _read(session, encryptor, found)
    if not texts:
        raise NotFoundProblemError
    return texts[0]


def summarise(session: Session, service_id: UUID, now: datetime) -> ReceivedSummary:
    """The number of texts of the last seven days, and the time of the newest."""
    own = InboundText.service_id == service_id
    since = midnight_days_ago(now, SUMMARY_DAYS)
    count = session.scalar(select(func.count()).select_from(InboundText).where(own, InboundText.created_at >= since))
    return ReceivedSummary(count or 0, session.scalar(select(func.max(InboundText.created_at)).where(own)))


class NumberUse(NamedTuple):
    """When a number was last used, if ever."""

    most_recent_date: datetime | None


class NoNumberError(BareProblemError):
    """The service has no inbound number."""

    status = 404

    def __init__(self) -> None:
        super().__init__("inbound not found")


def last_use(session: Session, service_id: UUID) -> NumberUse:
    """When the service last sent from its number, or received a text. Raises `NoNumberError`."""
    number = number_of_service(session, service_id)
    if number is None:
        raise NoNumberError
    sent = select(func.max(Notification.created_at)).where(
        Notification.service_id == service_id,
        sent_from_number(),
        Notification.reply_to_text == resolve_sender(number.number),
    )
    received = (
        select(func.max(kind.created_at)).where(kind.service_id == service_id)
        for kind in (InboundText, InboundTextHistory)
    )
    moments = [moment for query in (sent, *received) if (moment := session.scalar(query)) is not None]
    return NumberUse(max(moments, default=None))


def _kept(session: Session, service_id: UUID, now: datetime) -> Select[InboundText]:
    since = midnight_days_ago(now, retention_days(session, service_id, "sms"))
    query = select(InboundText).where(InboundText.service_id == service_id, InboundText.created_at >= since)
    return query.order_by(InboundText.created_at.desc(), InboundText.id.desc())


def _read(session: Session, encryptor: Encryptor, query: Select[InboundText]) -> list[ReceivedText]:
    return [
        ReceivedText(
            id=row.id,
            created_at=row.created_at,
            service_id=row.service_id,
            notify_number=row.notify_number,
            user_number=row.user_number,
            content=encryptor.decrypt(row.content, CONTENT, row.id),
        )
        for row in session.scalars(query)
    ]


def _digits(phone_number: str) -> str:
    """A number in the form in which senders are stored; other text unchanged, because a sender may be a name."""
    try:
        return PhoneNumber.parse(phone_number).normalised
    except InvalidPhoneNumber:
        return phone_number
