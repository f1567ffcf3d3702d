"""Changing services and their settings. Every function flushes; the caller's transaction commits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from notify.accounts.actions import MEMBER_PERMISSIONS, add_to_service
from notify.accounts.models import User
from notify.branding.models import EmailBranding, LetterBranding, ServiceEmailBranding, ServiceLetterBranding
from notify.content.email_addresses import InvalidEmailAddress, validate
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.infra.columns import violated_constraint
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_id
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.infra.versions import save_version
from notify.organisations.models import Organisation
from notify.organisations.queries import organisation_of_address
from notify.services import hooks
from notify.services.errors import (
    DefaultNeededError,
    DuplicateApiKeyNameError,
    DuplicateReplyToError,
    DuplicateServiceNameError,
    HasInboundNumberError,
    InvalidApiKeyError,
    InvalidGuestListError,
    InvalidInboundNumberError,
    InvalidReplyToError,
    InvalidServiceError,
    InvalidSmsSenderError,
    NoFreeNumberError,
)
from notify.services.models import ApiKey, EmailReplyTo, Guest, InboundNumber, Service, ServicePermission, SmsSender
from notify.services.names import email_local_part, key_prefix
from notify.vocabulary import KEY_TYPES, ORGANISATION_TYPES, SERVICE_PERMISSIONS

DEFAULT_PERMISSIONS: Final = ("sms", "email", "letter", "international_sms", "international_letters")
"""What a new service may do (internal-services 1.1)."""

NHS_NOTIFY_ORGANISATION: Final = UUID("477f8870-af2b-4b81-9a2c-1fad12028919")
NHS_BRANDING: Final = "NHS"

CROWN_BY_TYPE: Final = {
    "nhs_central": True,
    "local": False,
    "nhs_local": False,
    "nhs_gp": False,
    "nhs_notify": False,
    "emergency_service": False,
    "school_or_college": False,
}

_SENDER = re.compile(r"[a-zA-Z0-9 &.\-_]{3,11}")
_INBOUND = re.compile(r"0[0-9]{9,10}")


@dataclass(frozen=True)
class MessageLimits:
    """How many messages a service may send a day. The defaults are those of a service in trial mode."""

    email: int = 50
    sms: int = 50
    letter: int = 50
    international_sms: int = 100


LIVE_LIMITS: Final = MessageLimits(email=250_000, sms=250_000, letter=20_000, international_sms=100)
"""What a service gets when it goes live (internal-services 2.4)."""


@dataclass(frozen=True)
class NewApiKey:
    """An API key that was just made. `full` is what its user is given, once: `name-serviceid-secret`."""

    key: ApiKey
    full: str


def create_service(
    session: Session,
    *,
    name: str,
    user_id: UUID,
    from_number: str,
    restricted: bool = True,
    limits: MessageLimits | None = None,
    permissions: Sequence[str] = DEFAULT_PERMISSIONS,
    organisation_type: str | None = None,
    contact_link: str | None = None,
    prefix_sms: bool = False,
    go_live_at: datetime | None = None,
    service_id: UUID | None = None,
    now: datetime | None = None,
) -> Service:
    """A new service (contract: internal-services 2.2) with everything a service needs from the start: its first member
    (who may do everything there), its permissions, its default text message sender (`from_number`), the free allowance
    of this financial year, and organisation and branding where the member's email address tells them.

    Raises `NotFoundProblemError` (no such user), `DuplicateServiceNameError`, `InvalidServiceError`, and what
    the subscribers of `hooks.created` raise.
    """
    moment = now or utc_now()
    user = session.get(User, user_id)
    if user is None:
        raise NotFoundProblemError
    if organisation_type is not None and organisation_type not in ORGANISATION_TYPES:
        raise InvalidServiceError("organisation_type", f"Invalid organisation type: {organisation_type}")
    if len(name) > 255:
        raise InvalidServiceError("name", "Longer than maximum length 255.")
    organisation = organisation_of_address(session, user.email_address)
    if organisation is None and organisation_type == "nhs_notify":
        organisation = session.get(Organisation, NHS_NOTIFY_ORGANISATION)
    if organisation is not None:
        organisation_type = organisation.organisation_type
    local_part = email_local_part(name)
    bounds = limits or MessageLimits()
    service = Service(
        id=service_id or new_id(),
        name=name,
        normalised_service_name=local_part,
        email_sender_local_part=local_part,
        restricted=restricted,
        created_by_id=user_id,
        organisation_id=organisation.id if organisation else None,
        organisation_type=organisation_type,
        crown=organisation.crown if organisation else CROWN_BY_TYPE.get(organisation_type or ""),
        count_as_live=not user.platform_admin,
        go_live_at=go_live_at,
        contact_link=contact_link,
        prefix_sms=prefix_sms,
        email_message_limit=bounds.email,
        sms_message_limit=bounds.sms,
        letter_message_limit=bounds.letter,
        international_sms_message_limit=bounds.international_sms,
    )
    with _unique_name(name):
        save_version(session, service, now=moment)
    add_to_service(session, user_id, service.id, MEMBER_PERMISSIONS)
    set_permissions(session, service.id, permissions)
    session.add(SmsSender(service_id=service.id, sms_sender=from_number, is_default=True))
    _brand(session, service, organisation, user.email_address)
    session.flush()
    hooks.created(session, service, moment)
    return service


@contextmanager
def _unique_name(name: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if violated_constraint(error) in ("services_name_key", "services_normalised_service_name_key"):
            raise DuplicateServiceNameError(name) from None
        raise


def _brand(session: Session, service: Service, organisation: Organisation | None, address: str) -> None:
    email_branding = organisation.email_branding_id if organisation else None
    letter_branding = organisation.letter_branding_id if organisation else None
    if organisation is None and _is_nhs(service.organisation_type, address):
        email_branding = session.scalar(select(EmailBranding.id).where(EmailBranding.name == NHS_BRANDING))
        letter_branding = session.scalar(select(LetterBranding.id).where(LetterBranding.name == NHS_BRANDING))
    if email_branding is not None:
        session.add(ServiceEmailBranding(service_id=service.id, email_branding_id=email_branding))
    if letter_branding is not None:
        session.add(ServiceLetterBranding(service_id=service.id, letter_branding_id=letter_branding))


def _is_nhs(organisation_type: str | None, address: str) -> bool:
    host = "." + address.rpartition("@")[2].lower()
    return (organisation_type or "").startswith("nhs_") or host.endswith((".nhs.uk", ".nhs.net"))


def set_permissions(session: Session, service_id: UUID, permissions: Sequence[str]) -> None:
    """Replace what a service is allowed to do. Raises `InvalidServiceError` (internal-services 2.4)."""
    for permission in permissions:
        if permission not in SERVICE_PERMISSIONS:
            raise InvalidServiceError("permissions", f"Invalid Service Permission: '{permission}'")
    repeated = [permission for permission in dict.fromkeys(permissions) if permissions.count(permission) > 1]
    if repeated:
        raise InvalidServiceError("permissions", f"Duplicate Service Permission: {repeated}")
    session.execute(delete(ServicePermission).where(ServicePermission.service_id == service_id))
    session.add_all(ServicePermission(service_id=service_id, permission=permission) for permission in permissions)
    session.flush()


def archive_service(session: Session, service_id: UUID, *, now: datetime | None = None) -> None:
    """Archive a service (contract: internal-services 2.5): it can send nothing any more, its API keys are revoked, and
    its name is free. Other rooms archive what they hold of it (`hooks.archived`). Does nothing to a service that is
    archived already. Raises `NotFoundProblemError`.
    """
    moment = now or utc_now()
    service = session.get(Service, service_id, with_for_update=True)
    if service is None:
        raise NotFoundProblemError
    if not service.active:
        return
    hooks.archived(session, service, moment)
    service.active = False
    service.name = f"_archived_{moment:%Y-%m-%d-%H:%M:%S}_{service.name}"
    service.normalised_service_name = email_local_part(service.name)
    if not service.custom_email_sender_name:
        service.email_sender_local_part = service.normalised_service_name
    save_version(session, service, now=moment)
    keys = select(ApiKey).where(ApiKey.service_id == service.id, ApiKey.expiry_date.is_(None)).order_by(ApiKey.id)
    for key in session.scalars(keys.with_for_update()).all():
        key.expiry_date = moment
        save_version(session, key, now=moment)


def create_api_key(
    session: Session, encryptor: Encryptor, *, service_id: UUID, name: str, key_type: str, created_by_id: UUID
) -> NewApiKey:
    """A new API key (internal-services 4). Its secret is kept encrypted and never shown again.

    Raises `NotFoundProblemError` (no such service), `InvalidApiKeyError`, `DuplicateApiKeyNameError`.
    """
    if session.get(Service, service_id) is None:
        raise NotFoundProblemError
    if key_type not in KEY_TYPES:
        raise InvalidApiKeyError("key_type", f"Invalid key type: {key_type}")
    if len(name) > 255:
        raise InvalidApiKeyError("name", "Longer than maximum length 255.")
    secret = str(uuid4())
    key = ApiKey(
        id=new_id(),
        name=name,
        secret=encryptor.encrypt(secret),
        service_id=service_id,
        key_type=key_type,
        created_by_id=created_by_id,
    )
    try:
        save_version(session, key)
    except IntegrityError as error:
        if violated_constraint(error) == "uix_service_to_key_name":
            raise DuplicateApiKeyNameError(name) from None
        raise
    return NewApiKey(key, full_api_key(name, service_id, secret))


def full_api_key(name: str, service_id: UUID, secret: str) -> str:
    """A key as its user is given it. The name is made safe: no accents, `_` for blanks, lower-case letters, digits."""
    return f"{key_prefix(name)}-{service_id}-{secret}"


def revoke_api_key(
    session: Session, service_id: UUID, key_id: UUID, *, revoked_by_id: UUID | None = None, now: datetime | None = None
) -> ApiKey:
    """End an API key now, for good; its name is free again. Raises `NotFoundProblemError`, also for a key of another
    service.
    """
    moment = now or utc_now()
    wanted = select(ApiKey).where(ApiKey.id == key_id, ApiKey.service_id == service_id)
    key = session.scalar(wanted.with_for_update())
    if key is None:
        raise NotFoundProblemError
    key.expiry_date = moment
    if revoked_by_id is not None:
        key.created_by_id = revoked_by_id
    save_version(session, key, now=moment)
    return key


def check_sms_sender(text: str) -> None:
    """Raises `InvalidSmsSenderError` unless networks show this sender as it is: 3 to 11 letters, digits, blanks and
    `& . - _`, not beginning with `00` (internal-services 6.3).
    """
    if len(text) > 11:
        raise InvalidSmsSenderError("A text message sender has at most 11 characters")
    if len(text) < 3:
        raise InvalidSmsSenderError("A text message sender has at least 3 characters")
    if not _SENDER.fullmatch(text):
        raise InvalidSmsSenderError("A text message sender is made of letters, digits, blanks and & . - _")
    if text.startswith("00"):
        raise InvalidSmsSenderError("A text message sender does not begin with 00")


def add_sms_sender(session: Session, service_id: UUID, text: str, *, is_default: bool) -> SmsSender:
    """A further text message sender of a service; as the default it takes the place of the old one.

    Raises `NotFoundProblemError`, `InvalidSmsSenderError`, `DefaultNeededError`.
    """
    check_sms_sender(text)
    _lock(session, service_id)
    _settle_default(session, SmsSender, service_id, is_default, "text message sender")
    sender = SmsSender(id=new_id(), service_id=service_id, sms_sender=text, is_default=is_default)
    session.add(sender)
    session.flush()
    return sender


def insert_inbound_numbers(session: Session, numbers: Iterable[str], *, provider: str = "mmg") -> int:
    """Numbers that people can text, free to be given to services; those that are there already stay as they are. Gives
    the number of new ones. Raises `InvalidInboundNumberError`, before anything is changed.
    """
    wanted = list(dict.fromkeys(numbers))
    for number in wanted:
        if not _INBOUND.fullmatch(number):
            raise InvalidInboundNumberError(number)
    known = set(session.scalars(select(InboundNumber.number).where(InboundNumber.number.in_(wanted))))
    session.add_all(InboundNumber(number=number, provider=provider) for number in wanted if number not in known)
    session.flush()
    return len(set(wanted) - known)


def assign_inbound_number(session: Session, service_id: UUID, *, inbound_number_id: UUID | None = None) -> SmsSender:
    """Give a service a number to receive texts on, this one or any free one (internal-services 7.1). A service's only
    text message sender becomes the number; beside others it is one more, and the default. The permission `inbound_sms`
    is another matter.

    Raises `NotFoundProblemError`, `NoFreeNumberError`, `HasInboundNumberError`.
    """
    _lock(session, service_id)
    if session.scalar(select(InboundNumber).where(InboundNumber.service_id == service_id)) is not None:
        raise HasInboundNumberError
    free = select(InboundNumber).where(InboundNumber.active, InboundNumber.service_id.is_(None))
    if inbound_number_id is not None:
        free = free.where(InboundNumber.id == inbound_number_id)
    free = free.order_by(InboundNumber.created_at, InboundNumber.id).limit(1)
    number = session.scalar(free.with_for_update(skip_locked=True))
    if number is None:
        raise NoFreeNumberError
    number.service_id = service_id
    senders = select(SmsSender).where(SmsSender.service_id == service_id, SmsSender.archived.is_(False))
    present = list(session.scalars(senders))
    if len(present) == 1:
        (sender,) = present
        sender.sms_sender = number.number
    else:
        _settle_default(session, SmsSender, service_id, True, "text message sender")
        sender = SmsSender(id=new_id(), service_id=service_id, sms_sender=number.number, is_default=True)
        session.add(sender)
    sender.inbound_number_id = number.id
    session.flush()
    return sender


def add_permission(session: Session, service_id: UUID, permission: str) -> None:
    """Allow a service one more thing; what it may do already it may go on doing."""
    if session.get(ServicePermission, (service_id, permission)) is None:
        session.add(ServicePermission(service_id=service_id, permission=permission))
        session.flush()


def add_reply_to(session: Session, service_id: UUID, email_address: str, *, is_default: bool) -> EmailReplyTo:
    """A further reply-to address of a service (internal-services 6.1); as the default it replaces the old one.

    Raises `NotFoundProblemError`, `InvalidReplyToError`, `DuplicateReplyToError`, `DefaultNeededError`.
    """
    if not _is_email_address(email_address):
        raise InvalidReplyToError
    _lock(session, service_id)
    own = select(EmailReplyTo).where(EmailReplyTo.service_id == service_id, EmailReplyTo.archived.is_(False))
    if session.scalar(own.where(EmailReplyTo.email_address == email_address)) is not None:
        raise DuplicateReplyToError(email_address)
    _settle_default(session, EmailReplyTo, service_id, is_default, "reply to email address")
    reply_to = EmailReplyTo(id=new_id(), service_id=service_id, email_address=email_address, is_default=is_default)
    session.add(reply_to)
    session.flush()
    return reply_to


def _is_email_address(text: str) -> bool:
    try:
        validate(text)
    except InvalidEmailAddress:
        return False
    return True


def _is_mobile_number(text: str) -> bool:
    try:
        PhoneNumber.parse(text).check(allow_international=True, allow_landline=False)
    except InvalidPhoneNumber:
        return False
    return True


def _lock(session: Session, service_id: UUID) -> Service:
    """The service, locked, so that what hangs on it changes one at a time."""
    service = session.get(Service, service_id, with_for_update=True)
    if service is None:
        raise NotFoundProblemError
    return service


def _settle_default(
    session: Session, kind: type[SmsSender] | type[EmailReplyTo], service_id: UUID, is_default: bool, thing: str
) -> None:
    default = select(kind).where(kind.service_id == service_id, kind.is_default, kind.archived.is_(False))
    if is_default:
        session.execute(
            update(kind)
            .where(kind.service_id == service_id, kind.is_default, kind.archived.is_(False))
            .values(is_default=False)
        )
    elif session.scalar(default) is None:
        raise DefaultNeededError(thing)


def set_guest_list(
    session: Session, service_id: UUID, *, phone_numbers: Iterable[str], email_addresses: Iterable[str]
) -> None:
    """Replace the guest list of a service, kept as typed (internal-services 9.2). Numbers may be international, but not
    landlines. Raises `NotFoundProblemError`, and `InvalidGuestListError` for the first bad entry, leaving the old list.
    """
    phones, addresses = list(phone_numbers), list(email_addresses)
    for entry in phones:
        if not _is_mobile_number(entry):
            raise InvalidGuestListError(entry)
    for entry in addresses:
        if not _is_email_address(entry):
            raise InvalidGuestListError(entry)
    _lock(session, service_id)
    session.execute(delete(Guest).where(Guest.service_id == service_id))
    session.add_all(
        Guest(service_id=service_id, recipient_type=kind, recipient=entry)
        for kind, entries in (("mobile", phones), ("email", addresses))
        for entry in entries
    )
    session.flush()
