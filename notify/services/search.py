"""Finds services by name (contract: internal-services 2.1)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.infra.json_rows import json_list
from notify.services.models import Service


def find_services(session: Session, part: str) -> str:
    """Services whose name contains this text, ignoring case, as a JSON array by name; also archived ones."""
    query = (
        select(Service.id, Service.name, Service.active, Service.restricted)
        .where(Service.name.icontains(part, autoescape=True, escape="\\"))
        .order_by(Service.name, Service.id)
    )
    return json_list(session, query)
