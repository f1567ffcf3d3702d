"""Data retention: how many days a service's messages are kept (contract: internal-services 9.1)."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from notify.internal.fields import Integer, Moment
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Empty, Result
from notify.services import retention

routes = Routes("data_retention", "/service/<uuid:service_id>/data-retention")


class NewRetention(Body):
    """A retention to create."""

    days_of_retention: Integer
    notification_type: Literal["sms", "letter", "email"]


class ChangedRetention(Body):
    """The new number of days."""

    days_of_retention: Integer


class RetentionAnswer(Answer):
    """A retention."""

    id: UUID
    service_id: UUID
    service_name: str
    notification_type: str
    days_of_retention: int
    created_at: Moment
    updated_at: Moment | None


@routes.get("")
def list_retentions(session: Session, service_id: UUID) -> list[RetentionAnswer]:
    """List a service's data retentions."""
    return RetentionAnswer.of_each(retention.list_retentions(session, service_id))


@routes.post("", status=201)
def create_retention(session: Session, service_id: UUID, body: NewRetention) -> Result[RetentionAnswer]:
    """Create a data retention."""
    row = retention.create_retention(session, service_id, body.notification_type, body.days_of_retention)
    return Result(result=RetentionAnswer.of(row))


@routes.get("/<uuid:data_retention_id>")
def get_retention(session: Session, service_id: UUID, data_retention_id: UUID) -> RetentionAnswer | Empty:
    """Get a data retention."""
    row = retention.get_retention(session, service_id, data_retention_id)
    return Empty() if row is None else RetentionAnswer.of(row)


@routes.post("/<uuid:data_retention_id>", status=204)
def change_retention(session: Session, service_id: UUID, data_retention_id: UUID, body: ChangedRetention) -> None:
    """Change a data retention."""
    retention.update_retention(session, service_id, data_retention_id, body.days_of_retention)


@routes.get("/notification-type/<notification_type>")
def get_retention_of_type(session: Session, service_id: UUID, notification_type: str) -> RetentionAnswer | Empty:
    """Get the data retention of a type of message."""
    row = retention.get_retention_of_type(session, service_id, notification_type)
    return Empty() if row is None else RetentionAnswer.of(row)
