"""The list of all services, serialised as JSON by the database, because it has no pages, and there may be tens of
thousands (contract: internal-services 2.1).
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSON, aggregate_order_by
from sqlalchemy.orm import Session

from notify.accounts.models import ServiceUser
from notify.branding.models import ServiceEmailBranding, ServiceLetterBranding
from notify.services.models import Service, ServicePermission
from notify.webhooks.models import CallbackApi

_EMPTY: Final[ColumnElement[Any]] = literal_column("'[]'::json", JSON)
_SPACED: Final = "YYYY-MM-DD HH24:MI:SS.US"

_permissions = func.json_agg(
    aggregate_order_by(ServicePermission.permission, ServicePermission.created_at, ServicePermission.permission)
)
_callbacks = func.json_agg(
    aggregate_order_by(
        func.json_build_object("callback_id", CallbackApi.id, "callback_type", CallbackApi.callback_type),
        CallbackApi.callback_type,
        CallbackApi.id,
    )
)
_LISTS: Final = (
    ("permissions", _permissions, ServicePermission.service_id),
    ("service_callback_api", _callbacks, CallbackApi.service_id),
)

_PLAIN: Final = (
    "id",
    "name",
    "active",
    "restricted",
    "count_as_live",
    "has_active_go_live_request",
    "confirmed_unique",
    "confirmed_email_sender_name",
    "consent_to_research",
    "contact_link",
    "organisation_type",
    "email_message_limit",
    "sms_message_limit",
    "letter_message_limit",
    "international_sms_message_limit",
    "rate_limit",
    "prefix_sms",
    "custom_email_sender_name",
    "email_sender_local_part",
    "volume_email",
    "volume_sms",
    "volume_letter",
    "notes",
    "purchase_order_number",
    "billing_contact_names",
    "billing_contact_email_addresses",
    "billing_reference",
)
_VALUES: Final[dict[str, Any]] = {name: getattr(Service, name) for name in _PLAIN} | {
    "created_by": Service.created_by_id,
    "go_live_at": func.to_char(func.timezone("UTC", Service.go_live_at), _SPACED),
    "go_live_user": Service.go_live_user_id,
    "organisation": Service.organisation_id,
    "email_branding": ServiceEmailBranding.email_branding_id,
    "letter_branding": ServiceLetterBranding.letter_branding_id,
}


def services_as_json(session: Session, *, only_active: bool, user_id: UUID | None = None) -> str:
    """A JSON array of services, oldest first; only a member's, if given. Each has the form of a single service."""
    values, joins = dict(_VALUES), []
    for name, items, owner in _LISTS:
        if user_id is None:  # faster for all services: one scan of each table
            grouped = select(owner.label("service_id"), items.label("names")).group_by(owner).subquery()
            values[name] = func.coalesce(grouped.c.names, _EMPTY)
            joins.append(grouped)
        else:  # faster for a few
            values[name] = func.coalesce(select(items).where(owner == Service.id).scalar_subquery(), _EMPTY)
    pairs: list[Any] = []
    for name in sorted(values):
        pairs += [literal_column(f"'{name}'"), values[name]]
    query = (
        select(cast(func.json_build_object(*pairs), Text))
        .select_from(Service)
        .outerjoin(ServiceEmailBranding, ServiceEmailBranding.service_id == Service.id)
        .outerjoin(ServiceLetterBranding, ServiceLetterBranding.service_id == Service.id)
        .order_by(Service.created_at, Service.id)
    )
    for grouped in joins:
        query = query.outerjoin(grouped, grouped.c.service_id == Service.id)
    if only_active:
        query = query.where(Service.active)
    if user_id is not None:
        query = query.join(ServiceUser, ServiceUser.service_id == Service.id).where(ServiceUser.user_id == user_id)
    return f"[{','.join(session.scalars(query))}]"
