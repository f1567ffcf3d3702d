"""Automatic moves of traffic between providers of text messages (contract: workers 7.2).

Every function locks the rows of the candidates until the caller's transaction ends, so that two workers that notice the
same problem change the shares once. Candidates are the active providers among `identifiers`, the configured ones
(`registry.configured`): a share given to any other would be lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.providers.models import ProviderDetails, ProviderDetailsHistory

STEP: Final = 10
LOWEST: Final = 0
HIGHEST: Final = 100
SLOW_RATIO: Final = 0.15

AFTER_ERRORS: Final = timedelta(minutes=1)
AFTER_SLOWNESS: Final = timedelta(minutes=5)
AFTER_CALM: Final = timedelta(minutes=15)

REDUCED: Final = "Reduced due to reduced reliability"
INCREASED: Final = "Increased due to reduced reliability in other provider"
ADJUSTED: Final = "Adjusted back to resting point"


def save_change(
    session: Session,
    provider: ProviderDetails,
    *,
    changed_by: UUID | None,
    now: datetime,
    reason: str | None,
    priority: int | None = None,
    active: bool | None = None,
) -> None:
    """Change a provider's share or activity: the next version, with a full copy in the history table. Load the row with
    a lock first. The caller's transaction commits.
    """
    if priority is not None:
        provider.priority = priority
    if active is not None:
        provider.active = active
    provider.reason = reason
    provider.created_by_id = changed_by
    provider.version += 1
    provider.updated_at = now
    columns = ProviderDetails.__table__.columns.keys()
    session.add(ProviderDetailsHistory(**{name: getattr(provider, name) for name in columns}))
    session.flush()


def shift_from_failing(
    session: Session,
    identifier: str,
    identifiers: Collection[str],
    *,
    changed_by: UUID,
    now: datetime,
) -> bool:
    """Move a step of traffic from a failing provider to the other one with the highest share. Returns whether anything
    changed: not if a candidate was changed less than a minute ago, or there is no other provider.
    """
    candidates = _lock(session, identifiers)
    failing = next((provider for provider in candidates if provider.identifier == identifier), None)
    others = [provider for provider in candidates if provider is not failing]
    if failing is None or not others or _changed_since(candidates, now - AFTER_ERRORS):
        return False
    _shift(session, failing, others, changed_by, now)
    return True


def shift_from_slow(
    session: Session,
    ratios: Mapping[str, float],
    identifiers: Collection[str],
    *,
    changed_by: UUID,
    now: datetime,
) -> bool:
    """Move a step of traffic away from the slowest provider, if some are slow and some are not. `ratios` has each one's
    share of slow deliveries (missing: 0). Returns whether anything changed: not if a candidate was changed less than
    five minutes ago, which is also why only one is reduced at a time.
    """
    candidates = _lock(session, identifiers)
    slow = [provider for provider in candidates if ratios.get(provider.identifier, 0.0) >= SLOW_RATIO]
    fast = [provider for provider in candidates if provider not in slow]
    if not slow or not fast or _changed_since(candidates, now - AFTER_SLOWNESS):
        return False
    slowest = max(slow, key=lambda provider: ratios[provider.identifier])
    _shift(session, slowest, fast, changed_by, now)
    return True


def _shift(
    session: Session, source: ProviderDetails, targets: Sequence[ProviderDetails], changed_by: UUID, now: datetime
) -> None:
    target = max(targets, key=lambda provider: provider.priority)
    less, more = max(source.priority - STEP, LOWEST), min(target.priority + STEP, HIGHEST)
    save_change(session, source, priority=less, reason=REDUCED, changed_by=changed_by, now=now)
    save_change(session, target, priority=more, reason=INCREASED, changed_by=changed_by, now=now)


def tend_back(
    session: Session,
    resting_points: Mapping[str, int],
    identifiers: Collection[str],
    *,
    changed_by: UUID,
    now: datetime,
) -> bool:
    """Move every provider a step towards its resting point, unless one was changed recently. Returns whether anything
    changed. A provider without a resting point, or already there, stays.
    """
    candidates = _lock(session, identifiers)
    if _changed_since(candidates, now - AFTER_CALM):
        return False
    changed = False
    for provider in candidates:
        distance = resting_points.get(provider.identifier, provider.priority) - provider.priority
        if distance:
            step = max(-STEP, min(STEP, distance))
            save_change(
                session,
                provider,
                priority=provider.priority + step,
                reason=ADJUSTED,
                changed_by=changed_by,
                now=now,
            )
            changed = True
    return changed


def _lock(session: Session, identifiers: Collection[str]) -> Sequence[ProviderDetails]:
    return session.scalars(
        select(ProviderDetails)
        .where(
            ProviderDetails.notification_type == "sms",
            ProviderDetails.active,
            ProviderDetails.identifier.in_(identifiers),
        )
        .order_by(ProviderDetails.identifier)
        .with_for_update()
        # refresh rows that the session has read before
        .execution_options(populate_existing=True)
    ).all()


def _changed_since(candidates: Sequence[ProviderDetails], moment: datetime) -> bool:
    return any(provider.updated_at is not None and provider.updated_at > moment for provider in candidates)
