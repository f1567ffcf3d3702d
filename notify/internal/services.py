"""Services (contract: internal-services 2)."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import MISSING, Field, model_validator
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.errors import FieldProblemError
from notify.internal.detailed_services import DetailedServiceAnswer, detailed_service_answer
from notify.internal.fields import RowId, SpacedTime, TruncatedInt, row_id
from notify.internal.reading import Unread
from notify.internal.routes import Routes
from notify.internal.schemas import Data, Fields, FieldsQuery
from notify.internal.service_answers import ServiceAnswer, service_answer
from notify.notices.live_services import announce_live_service
from notify.notices.sender import Notices
from notify.providers.settings import TextProviderSettings
from notify.services import service as rules
from notify.services.branding import set_email_branding, set_letter_branding
from notify.services.limits import MessageLimits
from notify.services.permissions import set_permissions

routes = Routes("services", "/service")

INTERNATIONAL_SMS_LIMIT: Final = 250_000
"""Default daily limit of international text messages of a new service."""

ShortText = Annotated[str, Field(max_length=rules.LONGEST_NAME)]


class ServiceDetails(Fields):
    """The fields that can be set when a service is created or changed."""

    billing_contact_email_addresses: str | MISSING | None = MISSING
    billing_contact_names: str | MISSING | None = MISSING
    billing_reference: ShortText | MISSING | None = MISSING
    confirmed_email_sender_name: bool | MISSING | None = MISSING
    confirmed_unique: bool | MISSING = MISSING
    consent_to_research: bool | MISSING | None = MISSING
    contact_link: ShortText | MISSING | None = MISSING
    custom_email_sender_name: ShortText | MISSING | None = MISSING
    go_live_at: SpacedTime | MISSING | None = MISSING
    go_live_user: RowId | MISSING | None = MISSING
    has_active_go_live_request: bool | MISSING = MISSING
    notes: str | MISSING | None = MISSING
    organisation_type: str | MISSING | None = MISSING
    prefix_sms: bool | MISSING = MISSING
    purchase_order_number: ShortText | MISSING | None = MISSING
    rate_limit: TruncatedInt | MISSING = MISSING
    volume_email: TruncatedInt | MISSING | None = MISSING
    volume_letter: TruncatedInt | MISSING | None = MISSING
    volume_sms: TruncatedInt | MISSING | None = MISSING


class NewService(ServiceDetails):
    """A service to create. The caller cannot choose whether it is active and counted."""

    user_id: RowId
    name: str
    created_by: RowId
    restricted: bool
    email_message_limit: TruncatedInt
    sms_message_limit: TruncatedInt
    letter_message_limit: TruncatedInt
    international_sms_message_limit: TruncatedInt = INTERNATIONAL_SMS_LIMIT
    id: RowId | MISSING = MISSING

    @model_validator(mode="before")
    @classmethod
    def _has_an_owner(cls, data: Any) -> Any:
        """The contract checks this before anything else, and treats an empty value as missing."""
        if isinstance(data, dict) and not data.get("user_id"):
            raise FieldProblemError("user_id", "Missing data for required field.")
        return data

    @model_validator(mode="before")
    @classmethod
    def _has_one_limit(cls, data: Any) -> Any:
        """In 2020 there was one limit for all types (internal-services 18.1): use it for missing ones."""
        if isinstance(data, dict) and "message_limit" in data:
            names = ("email_message_limit", "sms_message_limit", "letter_message_limit")
            return {**dict.fromkeys(names, data["message_limit"]), **data}
        return data


class ChangedService(ServiceDetails):
    """The fields of a service to change. `email_sender_local_part` and `service_callback_api` cannot be set."""

    name: str | MISSING = MISSING
    active: bool | MISSING = MISSING
    restricted: bool | MISSING = MISSING
    count_as_live: bool | MISSING = MISSING
    created_by: RowId | MISSING = MISSING
    organisation: RowId | MISSING | None = MISSING
    email_branding: RowId | MISSING | None = MISSING
    letter_branding: RowId | MISSING | None = MISSING
    email_message_limit: TruncatedInt | MISSING = MISSING
    sms_message_limit: TruncatedInt | MISSING = MISSING
    letter_message_limit: TruncatedInt | MISSING = MISSING
    international_sms_message_limit: TruncatedInt | MISSING = MISSING
    permissions: list[str] | MISSING = MISSING


class ServiceQuery(FieldsQuery):
    """The form of the answer. Only `True` counts."""

    detailed: str = ""
    today_only: str = ""


def _ids(fields: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Remove the ids from the fields, and return them under other names. Raises `NotFoundProblemError`."""
    found = {new: fields.pop(old) for old, new in names.items() if old in fields}
    return {name: None if value is None else row_id(value) for name, value in found.items()}


@routes.post("", status=201)
def create_service(session: Session, container: Container, body: NewService) -> Data[ServiceAnswer]:
    """Create a service."""
    fields = body.given()
    limits = MessageLimits(
        email=fields.pop("email_message_limit"),
        sms=fields.pop("sms_message_limit"),
        letter=fields.pop("letter_message_limit"),
        international_sms=fields.pop("international_sms_message_limit", INTERNATIONAL_SMS_LIMIT),
    )
    names = {"user_id": "user_id", "created_by": "created_by_id", "go_live_user": "go_live_user_id", "id": "service_id"}
    service = rules.create_service(
        session,
        from_number=container.parts.settings.part(TextProviderSettings).from_number,
        limits=limits,
        **_ids(fields, names),
        **fields,
    )
    return Data(data=service_answer(session, service.id))


@routes.get("/<uuid:service_id>")
def get_service(
    session: Session, container: Container, service_id: UUID, query: ServiceQuery
) -> Data[ServiceAnswer] | Data[DetailedServiceAnswer]:
    """Get a service."""
    if query.detailed == "True":
        cache, today_only = container.parts.cache, query.today_only == "True"
        return Data(data=detailed_service_answer(session, cache, service_id, today_only=today_only))
    return Data(data=service_answer(session, service_id))


@routes.post("/<uuid:service_id>")
def update_service(
    session: Session, container: Container, service_id: UUID, body: Unread[ChangedService]
) -> Data[ServiceAnswer]:
    """Change a service."""
    was_in_trial = rules.lock_service(session, service_id).restricted
    fields = body.read().given()
    brandings = _ids(fields, {"email_branding": "email", "letter_branding": "letter"})
    names = {"created_by": "changed_by_id", "go_live_user": "go_live_user_id", "organisation": "organisation_id"}
    permissions = fields.pop("permissions", None)
    service = rules.update_service(session, service_id, **_ids(fields, names), **fields)
    if permissions is not None:
        set_permissions(session, service_id, permissions)
    if "email" in brandings:
        set_email_branding(session, service_id, brandings["email"])
    if "letter" in brandings:
        set_letter_branding(session, service_id, brandings["letter"])
    if was_in_trial and not service.restricted:
        announce_live_service(session, container.get(Notices), service)
    return Data(data=service_answer(session, service_id))


@routes.post("/<uuid:service_id>/archive", status=204)
def archive_service(session: Session, service_id: UUID) -> None:
    """Archive a service."""
    rules.archive_service(session, service_id)
