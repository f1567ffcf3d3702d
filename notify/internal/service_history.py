"""The history of a service and its API keys (contract: internal-services 2.5)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from notify.internal.fields import Moment
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Data
from notify.services import history

routes = Routes("service_history", "/service/<uuid:service_id>/history")


class ServiceVersionAnswer(Answer):
    """A version of a service. `created_by_id` is the user who made that change."""

    id: UUID
    name: str
    created_at: Moment
    updated_at: Moment | None
    active: bool
    email_message_limit: int
    sms_message_limit: int
    letter_message_limit: int
    restricted: bool
    custom_email_sender_name: str | None
    email_sender_local_part: str
    created_by_id: UUID
    version: int


class ApiKeyVersionAnswer(Answer):
    """A version of an API key."""

    id: UUID
    name: str
    service_id: UUID
    expiry_date: Moment | None
    created_at: Moment
    updated_at: Moment | None
    created_by_id: UUID


class HistoryAnswer(Answer):
    """Every version."""

    service_history: list[ServiceVersionAnswer]
    api_key_history: list[ApiKeyVersionAnswer]


@routes.get("")
def get_history(session: Session, service_id: UUID) -> Data[HistoryAnswer]:
    """Get the history of a service and its API keys."""
    found = history.get_history(session, service_id)
    return Data(
        data=HistoryAnswer(
            service_history=ServiceVersionAnswer.of_each(found.service),
            api_key_history=ApiKeyVersionAnswer.of_each(found.api_keys),
        )
    )
