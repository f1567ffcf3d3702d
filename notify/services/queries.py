"""Queries for services and their settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from notify.accounts.models import ServiceUser, User
from notify.branding.models import EmailBranding, ServiceEmailBranding
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.services.models import (
    API_KEY_SECRET,
    ApiKey,
    DataRetention,
    EmailReplyTo,
    Guest,
    InboundNumber,
    Service,
    ServicePermission,
    SmsSender,
)
from notify.services.retention import USUAL_RETENTION_DAYS

REVOKED_KEYS_KNOWN_DAYS = 7


@dataclass(frozen=True, slots=True)
class CachedApiKey:
    """An API key for authentication. `secret` is decrypted; a key with an `expiry_date` is revoked."""

    id: UUID
    name: str
    key_type: str
    secret: str
    expiry_date: datetime | None
    created_by_id: UUID

    def __repr__(self) -> str:
        return f"CachedApiKey(id={self.id}, key_type={self.key_type!r})"


@dataclass(frozen=True, slots=True)
class CachedEmailBranding:
    """The email branding of a service. `brand_type` is org, both or org_banner; `logo` is a file name."""

    brand_type: str
    logo: str | None
    text: str | None
    alt_text: str | None
    colour: str | None


@dataclass(frozen=True, slots=True)
class CachedService:
    """A service for authentication and sending (contract: public-api 1.3). Limits are messages a day;
    `rate_limit` is requests a minute; `restricted` is trial mode.
    """

    id: UUID
    name: str
    active: bool
    contact_link: str | None
    custom_email_sender_name: str | None
    email_sender_local_part: str
    email_message_limit: int
    letter_message_limit: int
    sms_message_limit: int
    international_sms_message_limit: int
    permissions: frozenset[str]
    rate_limit: int
    restricted: bool
    prefix_sms: bool
    email_branding: CachedEmailBranding | None
    api_keys: tuple[CachedApiKey, ...]


def load_service(
    session: Session, service_id: UUID, encryptor: Encryptor, *, now: datetime | None = None
) -> CachedService | None:
    """A service with its permissions, branding and API keys, archived or not; None for an unknown id.

    Recently revoked keys are included, so that authentication can say why it refuses them (public-api 1.3).
    """
    row = session.execute(
        select(Service, EmailBranding)
        .outerjoin(ServiceEmailBranding, ServiceEmailBranding.service_id == Service.id)
        .outerjoin(EmailBranding, EmailBranding.id == ServiceEmailBranding.email_branding_id)
        .where(Service.id == service_id)
    ).one_or_none()
    if row is None:
        return None
    service, branding = row
    return CachedService(
        id=service.id,
        name=service.name,
        active=service.active,
        contact_link=service.contact_link,
        custom_email_sender_name=service.custom_email_sender_name,
        email_sender_local_part=service.email_sender_local_part,
        email_message_limit=service.email_message_limit,
        letter_message_limit=service.letter_message_limit,
        sms_message_limit=service.sms_message_limit,
        international_sms_message_limit=service.international_sms_message_limit,
        permissions=frozenset(permissions(session, service_id)),
        rate_limit=service.rate_limit,
        restricted=service.restricted,
        prefix_sms=service.prefix_sms,
        email_branding=None if branding is None else _cached_branding(branding),
        api_keys=tuple(_usable_keys(session, service_id, encryptor, now or utc_now())),
    )


def _cached_branding(branding: EmailBranding) -> CachedEmailBranding:
    return CachedEmailBranding(
        brand_type=branding.brand_type,
        logo=branding.logo,
        text=branding.text,
        alt_text=branding.alt_text,
        colour=branding.colour,
    )


def earliest_shown_expiry(now: datetime) -> datetime:
    """Keys revoked since then are still recognised and listed: for 7 days, counted from the midnight (UTC) before they
    were revoked (internal-services 4).
    """
    # midnight of the expiry day > now - 7 days is the same as: expiry >= the first midnight after now - 7 days
    limit = now - timedelta(days=REVOKED_KEYS_KNOWN_DAYS)
    return datetime.combine(limit.date() + timedelta(days=1), time(), limit.tzinfo)


def _usable_keys(session: Session, service_id: UUID, encryptor: Encryptor, now: datetime) -> list[CachedApiKey]:
    usable = or_(ApiKey.expiry_date.is_(None), ApiKey.expiry_date >= earliest_shown_expiry(now))
    keys = session.scalars(
        select(ApiKey)
        .where(ApiKey.service_id == service_id, usable)
        .order_by(ApiKey.expiry_date.is_not(None), ApiKey.created_at.desc())
    )
    return [
        CachedApiKey(
            id=key.id,
            name=key.name,
            key_type=key.key_type,
            secret=encryptor.decrypt(key.secret, API_KEY_SECRET, key.id),
            expiry_date=key.expiry_date,
            created_by_id=key.created_by_id,
        )
        for key in keys
    ]


def permissions(session: Session, service_id: UUID) -> list[str]:
    """The permissions of a service, in alphabetical order."""
    return list(
        session.scalars(
            select(ServicePermission.permission)
            .where(ServicePermission.service_id == service_id)
            .order_by(ServicePermission.permission)
        )
    )


def list_services(session: Session) -> list[Service]:
    """Every service, oldest first."""
    return list(session.scalars(select(Service).order_by(Service.created_at, Service.id)))


def sms_sender(session: Session, service_id: UUID, sender_id: UUID) -> str | None:
    """The text of a sender of this service that is not archived, as stored."""
    return session.scalar(
        select(SmsSender.sms_sender).where(
            SmsSender.id == sender_id, SmsSender.service_id == service_id, SmsSender.archived.is_(False)
        )
    )


def default_sms_sender(session: Session, service_id: UUID) -> str | None:
    """The text of the service's default sender, as stored."""
    return session.scalar(
        select(SmsSender.sms_sender).where(
            SmsSender.service_id == service_id, SmsSender.is_default, SmsSender.archived.is_(False)
        )
    )


def reply_to(session: Session, service_id: UUID, reply_to_id: UUID) -> str | None:
    """The address of a reply-to of this service that is not archived."""
    return session.scalar(
        select(EmailReplyTo.email_address).where(
            EmailReplyTo.id == reply_to_id, EmailReplyTo.service_id == service_id, EmailReplyTo.archived.is_(False)
        )
    )


def default_reply_to(session: Session, service_id: UUID) -> str | None:
    """The address of the service's default reply-to."""
    return session.scalar(
        select(EmailReplyTo.email_address).where(
            EmailReplyTo.service_id == service_id, EmailReplyTo.is_default, EmailReplyTo.archived.is_(False)
        )
    )


def inbound_number(session: Session, service_id: UUID) -> str | None:
    """The number on which the service receives texts, in local form."""
    return session.scalar(
        select(InboundNumber.number).where(InboundNumber.service_id == service_id, InboundNumber.active)
    )


def team_recipients(session: Session, service_id: UUID) -> list[str]:
    """Mobile numbers and addresses of a service's users, as stored and in no defined order."""
    team = select(ServiceUser.user_id).where(ServiceUser.service_id == service_id)
    phones = select(User.mobile_number).where(User.id.in_(team), User.mobile_number.is_not(None))
    addresses = select(User.email_address).where(User.id.in_(team))
    return [recipient for (recipient,) in session.execute(phones.union_all(addresses)) if recipient is not None]


def allowed_recipients(session: Session, service_id: UUID) -> list[str]:
    """The recipients that a service in trial mode, or a team key, may send to (public-api 5.2): its team and its guest
    list, as stored and in no defined order.
    """
    guests = select(Guest.recipient).where(Guest.service_id == service_id)
    return [*team_recipients(session, service_id), *session.scalars(guests)]


def retention_days(session: Session, service_id: UUID, notification_type: str) -> int:
    """The days for which the service's messages of this type are kept; 7 by default."""
    days = session.scalar(
        select(DataRetention.days_of_retention).where(
            DataRetention.service_id == service_id, DataRetention.notification_type == notification_type
        )
    )
    return USUAL_RETENTION_DAYS if days is None else days


class LiveCounts(NamedTuple):
    """Numbers of live services and of organisations that have one."""

    organisations: int
    services: int


def count_live(session: Session) -> LiveCounts:
    """Count live services that are not left out of counts, and their organisations (public-api 14.5)."""
    row = session.execute(
        select(func.count(Service.organisation_id.distinct()), func.count()).where(
            Service.active, ~Service.restricted, Service.count_as_live
        )
    ).one()
    return LiveCounts(*row)


def is_service_name_free(session: Session, service_id: UUID, name: str, email_from: str) -> bool:
    """Whether no service, including this one, has exactly this name, and no other one has this `email_from` (contract:
    internal-services 18).
    """
    taken = or_(Service.name == name, and_(Service.normalised_service_name == email_from, Service.id != service_id))
    return session.scalar(select(Service.id).where(taken).limit(1)) is None
