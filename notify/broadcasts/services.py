"""Services of emergency alerts (contract: broadcasts 1, 8.3). Functions flush; the caller's transaction commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from notify.accounts.models import Permission
from notify.broadcasts.models import BroadcastSettings
from notify.infra.times import utc_now
from notify.infra.versions import save_version
from notify.organisations.models import Organisation
from notify.services import hooks
from notify.services.models import ApiKey, Service
from notify.services.permissions import set_permissions
from notify.services.queries import permissions
from notify.services.service import lock_service
from notify.vocabulary import BroadcastChannel, BroadcastProviderChoice

ORGANISATION: Final = UUID("38e4bf69-93b0-445d-acee-53ea53fe02df")
KEPT_PERMISSION: Final = "view_activity"

ServiceMode = Literal["training", "live"]


def settings_of(session: Session, service_ids: Sequence[UUID]) -> Mapping[UUID, BroadcastSettings]:
    """The broadcast settings by service; services without any are missing."""
    rows = session.scalars(select(BroadcastSettings).where(BroadcastSettings.service_id.in_(service_ids)))
    return {row.service_id: row for row in rows}


def set_as_broadcast_service(
    session: Session,
    service_id: UUID,
    *,
    channel: BroadcastChannel,
    mode: ServiceMode,
    provider: BroadcastProviderChoice,
    environment: str,
    now: datetime | None = None,
) -> Service:
    """Turn a service into one that sends emergency alerts and nothing else: its members are reduced to viewing, its API
    keys are revoked, and it moves to the organisation of such services. Makes a new version of the service.

    Raises `NotFoundProblemError`.
    """
    moment = now or utc_now()
    service = lock_service(session, service_id)
    _save_settings(session, service_id, channel, provider, moment)
    kept = [name for name in ("email_auth",) if name in permissions(session, service_id)]
    set_permissions(session, service_id, ["broadcast", *kept])
    _reset_people(session, service, moment)
    _revoke_keys(session, service_id, moment)
    organisation = _organisation(session, environment)
    service.organisation_id = organisation.id
    service.organisation_type, service.crown = organisation.organisation_type, organisation.crown
    service.count_as_live = False
    if mode == "training":
        service.restricted, service.go_live_at = True, None
    elif service.restricted:
        service.restricted, service.go_live_at = False, moment
    save_version(session, service, now=moment)
    return service


def _save_settings(
    session: Session, service_id: UUID, channel: BroadcastChannel, provider: BroadcastProviderChoice, moment: datetime
) -> None:
    row = session.get(BroadcastSettings, service_id)
    if row is None:
        session.add(BroadcastSettings(service_id=service_id, channel=channel, provider=provider, created_at=moment))
    else:
        row.channel, row.provider, row.updated_at = channel, provider, moment
    session.flush()


def _reset_people(session: Session, service: Service, moment: datetime) -> None:
    session.execute(
        delete(Permission).where(Permission.service_id == service.id, Permission.permission != KEPT_PERMISSION)
    )
    hooks.permissions_reset(session, service, moment)


def _revoke_keys(session: Session, service_id: UUID, moment: datetime) -> None:
    keys = select(ApiKey).where(ApiKey.service_id == service_id, ApiKey.expiry_date.is_(None)).order_by(ApiKey.id)
    for key in session.scalars(keys.with_for_update()).all():
        key.expiry_date = moment
        save_version(session, key, now=moment)


def _organisation(session: Session, environment: str) -> Organisation:
    """The organisation of these services. Migrations create it, except in production."""
    values = {
        "id": ORGANISATION,
        "name": f"Broadcast Services ({environment})",
        "organisation_type": "central",
        "active": True,
        "created_at": utc_now(),
        "can_approve_own_go_live_requests": False,
    }
    session.execute(insert(Organisation).values(**values).on_conflict_do_nothing(index_elements=[Organisation.id]))
    return session.get_one(Organisation, ORGANISATION)
