"""The public site of alerts: its data, and the task that tells it to update (contract: broadcasts 8.2, 8.5)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, Self

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify import queues
from notify.broadcasts.events import DEFAULT_CHANNEL
from notify.broadcasts.models import BroadcastMessage, BroadcastSettings
from notify.broadcasts.settings import BroadcastSettings as Configuration
from notify.infra.container import Container
from notify.infra.queue import Queue, TaskName
from notify.infra.times import format_optional

PUBLISH_ALERTS: Final = TaskName("publish-govuk-alerts")

SHOWN: Final = ("broadcasting", "completed", "cancelled")
FIRST_SHOWN: Final = datetime(2021, 5, 25, tzinfo=UTC)
"""Earlier alerts were operators' tests."""
_TIMES: Final = ("starts_at", "finishes_at", "approved_at", "cancelled_at")


class PublicSite:
    """Tells the public site, which is a separate program, that alerts have changed."""

    def __init__(self, queue: Queue, *, is_there: bool) -> None:
        self._queue = queue
        self._is_there = is_there

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        settings = container.parts.settings.part(Configuration)
        return cls(container.parts.queue, is_there=settings.govuk_alerts_site)

    def publish(self) -> None:
        """Have the site update its alerts. Does nothing if there is no site."""
        if self._is_there:
            self._queue.publish(PUBLISH_ALERTS, [], queue=queues.GOVUK_ALERTS)


def public_alerts(session: Session) -> list[dict[str, Any]]:
    """The alerts that were broadcast, newest first."""
    query = (
        select(BroadcastMessage, BroadcastSettings.channel)
        .outerjoin(BroadcastSettings, BroadcastSettings.service_id == BroadcastMessage.service_id)
        .where(
            BroadcastMessage.stubbed.is_(False),
            BroadcastMessage.status.in_(SHOWN),
            BroadcastMessage.starts_at >= FIRST_SHOWN,
        )
        .order_by(BroadcastMessage.starts_at.desc(), BroadcastMessage.id.desc())
    )
    return [_describe(row.BroadcastMessage, row.channel or DEFAULT_CHANNEL) for row in session.execute(query)]


def _describe(message: BroadcastMessage, channel: str) -> dict[str, Any]:
    return {
        "id": message.id,
        "reference": message.reference,
        "channel": channel,
        "content": message.content,
        "areas": message.areas,
        "status": message.status,
        **{name: format_optional(getattr(message, name)) for name in _TIMES},
    }
