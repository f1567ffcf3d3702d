"""Providers for platform admins (contract: internal-jobs-billing-platform 8)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from notify.accounts.models import User
from notify.infra.errors import NotFoundProblemError
from notify.infra.times import utc_now
from notify.providers.actions import save_change
from notify.providers.models import ProviderDetails, ProviderDetailsHistory

MOST_VERSIONS: Final = 100


class ProviderView(NamedTuple):
    """A provider, or a version of one, with the author of the last change."""

    id: UUID
    display_name: str
    identifier: str
    priority: int
    notification_type: str
    active: bool
    version: int
    updated_at: datetime | None
    supports_international: bool
    reason: str | None
    created_by_id: UUID | None
    created_by_name: str | None
    created_by_email_address: str | None


def _views(table: type[ProviderDetails] | type[ProviderDetailsHistory]) -> Select[*tuple[Any, ...]]:
    own = [getattr(table, name) for name in ProviderView._fields[:-2]]
    return select(*own, User.name, User.email_address).outerjoin(User, User.id == table.created_by_id)


def list_providers(session: Session) -> list[ProviderView]:
    """Every provider, by type of message and priority."""
    table = ProviderDetails
    query = _views(table).order_by(table.notification_type, table.priority, table.identifier)
    return [ProviderView(*row) for row in session.execute(query)]


def get_provider(session: Session, provider_id: UUID) -> ProviderView | None:
    """A provider, or None."""
    row = session.execute(_views(ProviderDetails).where(ProviderDetails.id == provider_id)).one_or_none()
    return None if row is None else ProviderView(*row)


def list_versions(session: Session, provider_id: UUID) -> list[ProviderView]:
    """The newest versions of a provider, the newest first; an unknown one has none."""
    table = ProviderDetailsHistory
    query = _views(table).where(table.id == provider_id).order_by(table.version.desc()).limit(MOST_VERSIONS)
    return [ProviderView(*row) for row in session.execute(query)]


class Unchanged:
    """A value that is not given, so it stays."""


UNCHANGED: Final = Unchanged()


def change_provider(
    session: Session,
    provider_id: UUID,
    *,
    changed_by: UUID | None = None,
    priority: int | None = None,
    active: bool | None = None,
    reason: str | Unchanged | None = UNCHANGED,
    now: datetime | None = None,
) -> ProviderView:
    """Change what is given: the provider's next version. Raises `NotFoundProblemError`: no such provider or user."""
    provider = session.get(ProviderDetails, provider_id, with_for_update=True)
    if provider is None or (changed_by is not None and session.get(User, changed_by) is None):
        raise NotFoundProblemError
    save_change(
        session,
        provider,
        changed_by=changed_by or provider.created_by_id,
        now=now or utc_now(),
        reason=provider.reason if isinstance(reason, Unchanged) else reason,
        priority=priority,
        active=active,
    )
    return ProviderView(*session.execute(_views(ProviderDetails).where(ProviderDetails.id == provider_id)).one())
