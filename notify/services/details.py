"""Services with all their settings, for the internal API (contract: internal-services 1.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Select, String, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from notify.accounts.models import ServiceUser
from notify.branding.models import ServiceEmailBranding, ServiceLetterBranding
from notify.infra.errors import NotFoundProblemError
from notify.services.models import Service, ServicePermission


class DetailedService(NamedTuple):
    """A service. `created_by` is the user who made the last change; `restricted` is trial mode; limits are messages a
    day, `rate_limit` is requests a minute; `permissions` are in the order in which they were given.
    """

    id: UUID
    name: str
    active: bool
    restricted: bool
    created_by: UUID
    created_at: datetime
    updated_at: datetime | None
    count_as_live: bool
    go_live_at: datetime | None
    go_live_user: UUID | None
    has_active_go_live_request: bool
    confirmed_unique: bool
    confirmed_email_sender_name: bool | None
    consent_to_research: bool | None
    contact_link: str | None
    organisation: UUID | None
    organisation_type: str | None
    email_branding: UUID | None
    letter_branding: UUID | None
    email_message_limit: int
    sms_message_limit: int
    letter_message_limit: int
    international_sms_message_limit: int
    rate_limit: int
    prefix_sms: bool
    custom_email_sender_name: str | None
    email_sender_local_part: str
    permissions: list[str]
    volume_email: int | None
    volume_sms: int | None
    volume_letter: int | None
    notes: str | None
    purchase_order_number: str | None
    billing_contact_names: str | None
    billing_contact_email_addresses: str | None
    billing_reference: str | None


_permissions = (
    select(
        func.array_agg(
            aggregate_order_by(
                ServicePermission.permission, ServicePermission.created_at, ServicePermission.permission
            ),
            type_=ARRAY(String),
        )
    )
    .where(ServicePermission.service_id == Service.id)
    .scalar_subquery()
)
_OTHER_NAMES: Final[dict[str, Any]] = {
    "created_by": Service.created_by_id,
    "go_live_user": Service.go_live_user_id,
    "organisation": Service.organisation_id,
    "email_branding": ServiceEmailBranding.email_branding_id,
    "letter_branding": ServiceLetterBranding.letter_branding_id,
    "permissions": _permissions,
}
_COLUMNS: Final = [
    (_OTHER_NAMES[name] if name in _OTHER_NAMES else getattr(Service, name)).label(name)
    for name in DetailedService._fields
]


def _services() -> Select[*tuple[Any, ...]]:
    return (
        select(*_COLUMNS)
        .select_from(Service)
        .outerjoin(ServiceEmailBranding, ServiceEmailBranding.service_id == Service.id)
        .outerjoin(ServiceLetterBranding, ServiceLetterBranding.service_id == Service.id)
    )


def _detailed(row: Any) -> DetailedService:
    service = DetailedService._make(row)
    return service._replace(permissions=list(service.permissions or ()))


def get_detailed(session: Session, service_id: UUID) -> DetailedService:
    """A service, archived or not. Raises `NotFoundProblemError`."""
    row = session.execute(_services().where(Service.id == service_id)).one_or_none()
    if row is None:
        raise NotFoundProblemError
    return _detailed(row)


def list_detailed(
    session: Session, *, only_active: bool = False, user_id: UUID | None = None, organisation_id: UUID | None = None
) -> list[DetailedService]:
    """Every service, oldest first; only those of a member, or of an organisation, if given."""
    query = _services().order_by(Service.created_at, Service.id)
    if only_active:
        query = query.where(Service.active)
    if user_id is not None:
        query = query.where(Service.id.in_(select(ServiceUser.service_id).where(ServiceUser.user_id == user_id)))
    if organisation_id is not None:
        query = query.where(Service.organisation_id == organisation_id)
    return [_detailed(row) for row in session.execute(query)]
