"""The current state: rates, waiting messages, queues, and the providers' shares."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from threading import Condition
from typing import Any, Final

import structlog
from cachetools import TTLCache, cached

from notify.infra.database import Database
from notify.infra.queue import Queue
from notify.infra.times import format_optional
from notify.messages.statuses import FAILED
from notify.providers.registry import Key
from notify.queues import QUEUES

logger = structlog.get_logger(__name__)

BUCKET_SECONDS: Final = 5
BUCKETS: Final = 60
WINDOW: Final = timedelta(minutes=10)
"""Rates only cover messages accepted within this time: longer delays are not counted."""
KEPT_SECONDS: Final = 1.0
CHANGES: Final = 8

EVENTS: Final = ("accepted", "sent", "delivered", "failed")

_RECENT: Final = """
WITH recent AS MATERIALIZED (
    SELECT n.* FROM services s CROSS JOIN LATERAL (
        SELECT created_at, sent_at, updated_at, sent_by, notification_type, notification_status FROM notifications
        WHERE service_id = s.id AND created_at > %(since)s
    ) n
)
"""
_RATES: Final = (
    _RECENT
    + """
SELECT event, floor(extract(epoch FROM at) / %(seconds)s)::bigint AS bucket, count(*)
FROM recent CROSS JOIN LATERAL (VALUES
    ('accepted', created_at), ('sent', sent_at),
    ('delivered', CASE WHEN notification_status = 'delivered' THEN updated_at END),
    ('failed', CASE WHEN notification_status = ANY(%(failed)s) THEN updated_at END)
) AS events(event, at)
WHERE at >= to_timestamp(%(first)s * %(seconds)s) GROUP BY event, bucket
"""
)
_PROVIDERS: Final = (
    _RECENT
    + """
SELECT sent_by, notification_type::text, count(*), count(*) FILTER (WHERE notification_status = 'delivered'),
       count(*) FILTER (WHERE notification_status = ANY(%(failed)s)),
       extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY sent_at - created_at))::float8,
       extract(epoch FROM percentile_cont(0.95) WITHIN GROUP (ORDER BY sent_at - created_at))::float8
FROM recent WHERE sent_by IS NOT NULL GROUP BY sent_by, notification_type
"""
)
_WAITING: Final = """
SELECT notification_type::text, notification_status, count(*), min(created_at) FROM notifications
WHERE notification_status IN ('created', 'sending', 'pending', 'pending-virus-check')
GROUP BY notification_type, notification_status ORDER BY notification_type, notification_status
"""
_DETAILS: Final = """
SELECT identifier, display_name, notification_type::text, priority, active, updated_at FROM provider_details
ORDER BY notification_type DESC, priority DESC, identifier
"""
_CHANGES: Final = """
SELECT h.identifier, h.notification_type::text, b.priority, h.priority, b.active, h.active, h.reason, h.updated_at
FROM provider_details_history h JOIN provider_details_history b ON b.id = h.id AND b.version = h.version - 1
WHERE h.updated_at IS NOT NULL ORDER BY h.updated_at DESC LIMIT %s
"""


class Rates:
    """Measures the current state, at most once a second per process."""

    def __init__(
        self, database: Database, queue: Queue, configured: Collection[Key], now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._queue = queue
        self._configured = configured
        self._now = now
        self._kept = cached(TTLCache(1, KEPT_SECONDS), condition=Condition())(self._measure)

    def now(self) -> dict[str, Any]:
        """Everything, for the page.

        `rates` has the counts of each event in steps of `seconds`, oldest first; the last step ended at `until`
        (epoch seconds). `queues` is None if the broker does not answer.
        """
        return self._kept()

    def _measure(self) -> dict[str, Any]:
        now = self._now()
        # leave out the current, unfinished step: it would always look like a drop
        end = int(now.timestamp()) // BUCKET_SECONDS
        values = {
            "since": now - WINDOW,
            "seconds": BUCKET_SECONDS,
            "first": end - BUCKETS,
            "failed": [*FAILED, "failed"],
        }
        with self._database.autocommit() as connection:
            counted = connection.execute(_RATES, values).fetchall()
            by_provider = connection.execute(_PROVIDERS, values).fetchall()
            waiting = connection.execute(_WAITING).fetchall()
            details = connection.execute(_DETAILS).fetchall()
            changes = connection.execute(_CHANGES, (CHANGES,)).fetchall()
        rates = {event: [0] * BUCKETS for event in EVENTS}
        for event, bucket, number in counted:
            if 0 <= (at := bucket - end + BUCKETS) < BUCKETS:
                rates[event][at] = number
        return {
            "until": end * BUCKET_SECONDS,
            "seconds": BUCKET_SECONDS,
            "rates": rates,
            "waiting": [
                {"type": kind, "status": status, "number": number, "oldest": format_optional(oldest)}
                for kind, status, number, oldest in waiting
            ],
            "queues": self._queues(),
            "providers": self._providers(details, by_provider),
            "changes": [
                {
                    "provider": identifier,
                    "type": kind,
                    "priority": [before, after],
                    "active": [was_active, is_active],
                    "reason": reason,
                    "at": format_optional(at),
                }
                for identifier, kind, before, after, was_active, is_active, reason, at in changes
            ],
        }

    def _queues(self) -> list[dict[str, Any]] | None:
        states = self._queue.states(QUEUES)
        return None if states is None else [{"name": name, "depth": state.waiting} for name, state in states.items()]

    def _providers(self, details: list[tuple[Any, ...]], used: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
        usage = {(identifier, kind): numbers for identifier, kind, *numbers in used}
        shown = []
        for identifier, name, kind, priority, active, updated_at in details:
            is_configured = (identifier, kind) in self._configured
            sent, delivered, failed, median, slow = usage.pop((identifier, kind), (0, 0, 0, None, None))
            if not is_configured and not sent:
                continue
            shown.append(
                {
                    "identifier": identifier,
                    "name": name,
                    "type": kind,
                    "priority": priority,
                    "active": active and is_configured,
                    "changed_at": format_optional(updated_at),
                    "sent": sent,
                    "delivered": delivered,
                    "failed": failed,
                    "median_seconds": median,
                    "slow_seconds": slow,
                }
            )
        total = {
            kind: sum(one["priority"] for one in shown if one["type"] == kind and one["active"]) for kind in _KINDS
        }
        for one in shown:
            one["share"] = _share(one, total[one["type"]], shown)
        return shown


_KINDS: Final = ("sms", "email", "letter")


def _share(provider: dict[str, Any], total: int, providers: list[dict[str, Any]]) -> float:
    """A provider's share of the traffic (0 to 1): texts are spread by priority, emails go to the first provider."""
    if not provider["active"]:
        return 0.0
    rivals = [one for one in providers if one["type"] == provider["type"] and one["active"]]
    if provider["type"] != "sms":
        return float(rivals[0] is provider)
    return float(provider["priority"] / total) if total else 1 / len(rivals)
