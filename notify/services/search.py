"""Finds services by name (contract: internal-services 2.1)."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.services.models import Service


class FoundService(NamedTuple):
    """A service in search results. `restricted` is trial mode."""

    id: UUID
    name: str
    active: bool
    restricted: bool


def find_services(session: Session, part: str) -> list[FoundService]:
    """Services whose name contains this text, ignoring case, by name; also archived ones."""
    query = (
        select(Service.id, Service.name, Service.active, Service.restricted)
        .where(Service.name.icontains(part, autoescape=True, escape="\\"))
        .order_by(Service.name, Service.id)
    )
    return [FoundService(*row) for row in session.execute(query)]
