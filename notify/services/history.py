"""The history of a service and its API keys (contract: internal-services 2.5)."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.services.models import ApiKeyHistory, ServiceHistory


class History(NamedTuple):
    """The versions of a service and of its API keys."""

    service: list[ServiceHistory]
    api_keys: list[ApiKeyHistory]


def get_history(session: Session, service_id: UUID) -> History:
    """Every version, oldest first; those of keys by the time of the change. Empty for an unknown service."""
    services = select(ServiceHistory).where(ServiceHistory.id == service_id).order_by(ServiceHistory.version)
    keys = (
        select(ApiKeyHistory)
        .where(ApiKeyHistory.service_id == service_id)
        .order_by(ApiKeyHistory.created_at, ApiKeyHistory.id, ApiKeyHistory.version)
    )
    return History(list(session.scalars(services)), list(session.scalars(keys)))
