"""The internal API's answers for services (contract: internal-services 1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from pydantic import MISSING, Field
from sqlalchemy.orm import Session

from notify.broadcasts.services import settings_of
from notify.internal.fields import SpacedMoment
from notify.internal.schemas import Answer
from notify.services.details import DetailedService, get_detailed
from notify.webhooks.queries import callback_names


class CallbackNameAnswer(Answer):
    """The id and type of a callback of a service."""

    callback_id: UUID
    callback_type: str | None


class ServiceAnswer(Answer):
    """A service."""

    id: UUID
    name: str
    active: bool
    restricted: bool
    created_by: UUID
    count_as_live: bool
    go_live_at: SpacedMoment | None
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
    service_callback_api: list[CallbackNameAnswer] = Field(default_factory=list)
    volume_email: int | None
    volume_sms: int | None
    volume_letter: int | None
    notes: str | None
    purchase_order_number: str | None
    billing_contact_names: str | None
    billing_contact_email_addresses: str | None
    billing_reference: str | None
    broadcast_channel: str | MISSING | None = MISSING
    allowed_broadcast_provider: str | MISSING | None = MISSING


def service_answer(session: Session, service_id: UUID) -> ServiceAnswer:
    """A service by its id. Raises `NotFoundProblemError`."""
    return service_answers(session, [get_detailed(session, service_id)])[0]


def service_answers(session: Session, services: Sequence[DetailedService]) -> list[ServiceAnswer]:
    """Answers for services, in the same order. Their callbacks are read with one query. Services of emergency alerts
    also have the channel and network of their alerts (contract: broadcasts 8.3).
    """
    callbacks = callback_names(session, [service.id for service in services])
    alerting = [service.id for service in services if "broadcast" in service.permissions]
    alerts = settings_of(session, alerting) if alerting else {}
    answers = []
    for service in services:
        answer = ServiceAnswer.of(service)
        answer.service_callback_api = CallbackNameAnswer.of_each(callbacks.get(service.id, ()))
        if "broadcast" in service.permissions:
            settings = alerts.get(service.id)
            answer.broadcast_channel = None if settings is None else settings.channel
            answer.allowed_broadcast_provider = None if settings is None else settings.provider
        answers.append(answer)
    return answers
