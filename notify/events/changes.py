"""The log of changes that people make through the internal API: who, when, and what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.events.models import Change


def record_change(
    session: Session,
    *,
    client: str,
    user_id: UUID | None,
    method: str,
    operation: str,
    subject: Mapping[str, object],
) -> None:
    """Record a change in the transaction that makes it. `subject` holds the ids in the endpoint's path, by name."""
    session.add(
        Change(
            client=client,
            user_id=user_id,
            method=method,
            operation=operation,
            service_id=_as_uuid(subject.get("service_id")),
            subject={name: str(value) for name, value in subject.items()},
        )
    )


def _as_uuid(value: object) -> UUID | None:
    """Some paths take any text for an id."""
    try:
        return value if isinstance(value, UUID) else UUID(str(value))
    except ValueError:
        return None


def list_changes(
    session: Session,
    *,
    service_id: UUID | None = None,
    user_id: UUID | None = None,
    older_than: UUID | None = None,
    limit: int = 50,
) -> Sequence[Change]:
    """Changes, newest first: of a service, or by a person, if given. `older_than` is the id of the last change of the
    page before.
    """
    query = select(Change).order_by(Change.id.desc()).limit(limit)
    if service_id is not None:
        query = query.where(Change.service_id == service_id)
    if user_id is not None:
        query = query.where(Change.user_id == user_id)
    if older_than is not None:
        query = query.where(Change.id < older_than)
    return session.scalars(query).all()
