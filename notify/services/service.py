"""Creates, changes, archives, suspends and resumes services. Every function flushes; the caller commits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final, TypedDict, Unpack
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from notify.accounts.actions import MEMBER_PERMISSIONS, add_to_service
from notify.accounts.models import User
from notify.branding.models import EmailBranding, LetterBranding
from notify.infra.columns import violated_constraint
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_public_id
from notify.infra.times import utc_now
from notify.infra.versions import save_version
from notify.organisations.models import Organisation
from notify.organisations.queries import organisation_of_address
from notify.services import hooks
from notify.services.branding import set_email_branding, set_letter_branding
from notify.services.errors import DuplicateServiceNameError, InvalidServiceError
from notify.services.limits import MessageLimits
from notify.services.models import ApiKey, Service, SmsSender
from notify.services.names import email_local_part
from notify.services.permissions import DEFAULT_PERMISSIONS, set_permissions
from notify.vocabulary import ORGANISATION_TYPES

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


class ServiceDetails(TypedDict, total=False):
    """Settings that can be set when a service is created, and later (internal-services 2.2)."""

    go_live_user_id: UUID | None
    has_active_go_live_request: bool
    confirmed_unique: bool
    confirmed_email_sender_name: bool | None
    consent_to_research: bool | None
    rate_limit: int
    custom_email_sender_name: str | None
    volume_email: int | None
    volume_sms: int | None
    volume_letter: int | None
    notes: str | None
    purchase_order_number: str | None
    billing_contact_names: str | None
    billing_contact_email_addresses: str | None
    billing_reference: str | None


class ServiceChanges(ServiceDetails, total=False):
    """The fields of a service that can be changed (internal-services 2.4). Permissions and brandings have their own
    functions: `set_permissions`, `set_email_branding`, `set_letter_branding`.
    """

    name: str
    active: bool
    restricted: bool
    count_as_live: bool
    go_live_at: datetime | None
    contact_link: str | None
    organisation_id: UUID | None
    organisation_type: str | None
    email_message_limit: int
    sms_message_limit: int
    letter_message_limit: int
    international_sms_message_limit: int
    prefix_sms: bool


LONGEST_NAME: Final = 255

_SHORT_TEXTS: Final = (
    "contact_link",
    "custom_email_sender_name",
    "purchase_order_number",
    "billing_reference",
)
"""Settings of at most `LONGEST_NAME` characters."""


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
    created_by_id: UUID | None = None,
    now: datetime | None = None,
    **details: Unpack[ServiceDetails],
) -> Service:
    """Create a service (contract: internal-services 2.2) with its first member, who gets all permissions of members;
    its own permissions; its default text message sender (`from_number`); and the organisation and branding implied by
    the member's email address. Other rooms add their objects (`hooks.created`). Its author is the member unless
    `created_by_id` is given.

    Raises `NotFoundProblemError` (no such user, or a name longer than 255 characters), `DuplicateServiceNameError`,
    `InvalidServiceError`, and what the subscribers of `hooks.created` raise.
    """
    moment = now or utc_now()
    user = session.get(User, user_id)
    if user is None or (created_by_id is not None and session.get(User, created_by_id) is None):
        raise NotFoundProblemError
    _check_organisation_type(organisation_type)
    organisation = _organisation_of(session, user, organisation_type)
    if organisation is not None:
        organisation_type = organisation.organisation_type
    service = Service(
        id=service_id or new_public_id(),
        restricted=restricted,
        created_by_id=created_by_id or user_id,
        organisation_id=organisation.id if organisation else None,
        organisation_type=organisation_type,
        crown=organisation.crown if organisation else CROWN_BY_TYPE.get(organisation_type or ""),
        count_as_live=not user.platform_admin,
        go_live_at=go_live_at,
        prefix_sms=prefix_sms,
    )
    _set_limits(service, limits or MessageLimits())
    _set_fields(service, contact_link=contact_link, **details)
    _set_name(service, name)
    with _unique_name(name):
        save_version(session, service, now=moment)
    add_to_service(session, user_id, service.id, MEMBER_PERMISSIONS)
    set_permissions(session, service.id, permissions)
    session.add(SmsSender(service_id=service.id, sms_sender=from_number, is_default=True))
    _brand(session, service, organisation, user.email_address)
    session.flush()
    hooks.created(session, service, moment)
    return service


def update_service(
    session: Session,
    service_id: UUID,
    *,
    changed_by_id: UUID | None = None,
    now: datetime | None = None,
    **changes: Unpack[ServiceChanges],
) -> Service:
    """Change a service's settings: always a new version, even if nothing differs (internal-services 1.4, 2.4).

    Raises `NotFoundProblemError` (no such service, or a name longer than 255 characters), `DuplicateServiceNameError`,
    `InvalidServiceError`.
    """
    service = lock_service(session, service_id)
    _check_organisation_type(changes.get("organisation_type"))
    _check_name(changes.get("name", ""))
    _set_fields(service, **changes)
    if "name" in changes or "custom_email_sender_name" in changes:
        _set_name(service, service.name)
    if changed_by_id is not None:
        service.created_by_id = changed_by_id
    with _unique_name(service.name):
        save_version(session, service, now=now)
    return service


def get_service(session: Session, service_id: UUID) -> Service:
    """A service, archived or not. Raises `NotFoundProblemError`."""
    service = session.get(Service, service_id)
    if service is None:
        raise NotFoundProblemError
    return service


def lock_service(session: Session, service_id: UUID) -> Service:
    """Load a service and lock its row, so that changes of its objects happen one at a time. Raises
    `NotFoundProblemError`.
    """
    service = session.get(Service, service_id, with_for_update=True)
    if service is None:
        raise NotFoundProblemError
    return service


def _check_organisation_type(organisation_type: str | None) -> None:
    if organisation_type is not None and organisation_type not in ORGANISATION_TYPES:
        raise InvalidServiceError("organisation_type", f"Invalid organisation type: {organisation_type}")


def _set_fields(service: Service, **fields: Unpack[ServiceChanges]) -> None:
    for field, value in fields.items():
        if field in _SHORT_TEXTS and isinstance(value, str) and len(value) > LONGEST_NAME:
            raise InvalidServiceError(field, f"Longer than maximum length {LONGEST_NAME}.")
    for field, value in fields.items():
        setattr(service, field, value)


def _organisation_of(session: Session, user: User, organisation_type: str | None) -> Organisation | None:
    """The organisation of a user's email domain; else that of all services of NHS Notify."""
    organisation = organisation_of_address(session, user.email_address)
    if organisation is None and organisation_type == "nhs_notify":
        return session.get(Organisation, NHS_NOTIFY_ORGANISATION)
    return organisation


def _check_name(name: str) -> None:
    # as in the contract: a text that is too long for the column gives "not found"
    if len(name) > LONGEST_NAME:
        raise NotFoundProblemError


def _set_name(service: Service, name: str) -> None:
    """Set the name and what follows from it (internal-services 1.3)."""
    _check_name(name)
    service.name = name
    service.normalised_service_name = email_local_part(name)
    service.email_sender_local_part = email_local_part(service.custom_email_sender_name or name)


def _set_limits(service: Service, limits: MessageLimits) -> None:
    service.email_message_limit = limits.email
    service.sms_message_limit = limits.sms
    service.letter_message_limit = limits.letter
    service.international_sms_message_limit = limits.international_sms


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
    set_email_branding(session, service.id, email_branding)
    set_letter_branding(session, service.id, letter_branding)


def _is_nhs(organisation_type: str | None, address: str) -> bool:
    host = "." + address.rpartition("@")[2].lower()
    return (organisation_type or "").startswith("nhs_") or host.endswith((".nhs.uk", ".nhs.net"))


def archive_service(session: Session, service_id: UUID, *, now: datetime | None = None) -> None:
    """Archive a service (contract: internal-services 2.5): it can no longer send, its API keys are revoked, and its
    name becomes free. Other rooms archive their objects (`hooks.archived`). Does nothing if it is already archived.
    Raises `NotFoundProblemError`.
    """
    moment = now or utc_now()
    service = lock_service(session, service_id)
    if not service.active:
        return
    hooks.archived(session, service, moment)
    service.active = False
    _set_name(service, f"_archived_{moment:%Y-%m-%d-%H:%M:%S}_{service.name}"[:LONGEST_NAME])
    save_version(session, service, now=moment)
    _revoke_keys(session, service, moment)


def _revoke_keys(session: Session, service: Service, moment: datetime) -> None:
    keys = select(ApiKey).where(ApiKey.service_id == service.id, ApiKey.expiry_date.is_(None)).order_by(ApiKey.id)
    for key in session.scalars(keys.with_for_update()).all():
        key.expiry_date = moment
        save_version(session, key, now=moment)


def suspend_service(session: Session, service_id: UUID, *, now: datetime | None = None) -> None:
    """Suspend a service, as in 2020 (contract: internal-services 18): it cannot send, and its API keys are revoked; it
    keeps its name and everything else. Does nothing if it is not active. Raises `NotFoundProblemError`.
    """
    moment = now or utc_now()
    service = lock_service(session, service_id)
    if service.active:
        service.active = False
        save_version(session, service, now=moment)
        _revoke_keys(session, service, moment)


def resume_service(session: Session, service_id: UUID, *, now: datetime | None = None) -> None:
    """Make a service active again; its API keys stay revoked. Does nothing if it is active. Raises
    `NotFoundProblemError`.
    """
    service = lock_service(session, service_id)
    if not service.active:
        service.active = True
        save_version(session, service, now=now)
