"""Permissions of services. Every function flushes; the caller's transaction commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from notify.infra.times import utc_now
from notify.services.errors import InvalidServiceError
from notify.services.models import ServicePermission
from notify.vocabulary import SERVICE_PERMISSIONS

DEFAULT_PERMISSIONS: Final = ("sms", "email", "letter", "international_sms", "international_letters")
"""Permissions of a new service (internal-services 1.1)."""


def set_permissions(session: Session, service_id: UUID, permissions: Sequence[str]) -> None:
    """Replace the permissions of a service. Raises `InvalidServiceError` (internal-services 2.4)."""
    for permission in permissions:
        if permission not in SERVICE_PERMISSIONS:
            raise InvalidServiceError("permissions", f"Invalid Service Permission: '{permission}'")
    repeated = [permission for permission in dict.fromkeys(permissions) if permissions.count(permission) > 1]
    if repeated:
        raise InvalidServiceError("permissions", f"Duplicate Service Permission: {repeated}")
    session.execute(delete(ServicePermission).where(ServicePermission.service_id == service_id))
    moment = utc_now()
    session.add_all(
        # they are shown in the order in which they were given
        ServicePermission(service_id=service_id, permission=name, created_at=moment + timedelta(microseconds=place))
        for place, name in enumerate(permissions)
    )
    session.flush()


def add_permission(session: Session, service_id: UUID, permission: str) -> None:
    """Add a permission to a service, unless it already has it."""
    if session.get(ServicePermission, (service_id, permission)) is None:
        session.add(ServicePermission(service_id=service_id, permission=permission))
        session.flush()


def remove_permission(session: Session, service_id: UUID, permission: str) -> None:
    """Remove a permission from a service, if it has it."""
    session.execute(
        delete(ServicePermission).where(
            ServicePermission.service_id == service_id, ServicePermission.permission == permission
        )
    )
