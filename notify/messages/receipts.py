"""Receipts: reports of providers about the status of messages (contract: workers 5.2, 8.1; public-api 10).

Receipts that arrive together are applied by one statement, and providers are answered after the commit. A receipt may
come before the message's row says `sending`, twice, or weeks late: a final status is never changed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

import psycopg
import structlog
from psycopg.rows import args_row

from notify.content.sms_rates import rates, records_delivery
from notify.infra.batcher import WEB_WAIT_SECONDS, Batcher
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.messages.callbacks import Changed, MessageCallbacks
from notify.messages.metrics import measure_receipts
from notify.messages.models import PERSONALISATION
from notify.messages.statuses import OPEN_TO_RECEIPTS
from notify.providers.base import Receipt
from notify.services.cache import ServiceCache
from notify.templates.cache import TemplateCache

logger = structlog.get_logger(__name__)

# a `created` message may already be with a provider: it was tried, or a worker has it, or had it when it died
_APPLY: Final = """
WITH receipt AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(providers)s::text[], %(outcomes)s::text[], %(if_pending)s::text[],
                         %(if_sent_by)s::text[]) AS r(id, provider, outcome, if_pending, if_sent_by)
), locked AS (
    SELECT n.id FROM notifications n JOIN receipt r ON r.id = n.id ORDER BY n.id FOR UPDATE OF n
)
UPDATE notifications n
SET notification_status = CASE
        WHEN r.if_sent_by IS NOT NULL AND n.sent_by = r.provider THEN r.if_sent_by
        WHEN r.if_pending IS NOT NULL AND n.notification_status = 'pending' THEN r.if_pending
        ELSE r.outcome END,
    sent_by = coalesce(n.sent_by, r.provider),
    updated_at = %(now)s
FROM receipt r JOIN locked l ON l.id = r.id
WHERE n.id = r.id AND n.notification_status = ANY(%(open)s)
  AND NOT (n.notification_type = 'sms' AND n.international AND NOT coalesce(n.phone_prefix = ANY(%(reporting)s), false))
  AND (n.sent_by = r.provider OR n.sent_by IS NULL OR NOT %(only_its_provider)s)
  AND (n.notification_status <> 'created' OR n.tries > 0 OR n.interrupted > 0
       OR NOT pg_try_advisory_xact_lock(hashtextextended(n.id::text, 6011))
       OR EXISTS (SELECT FROM delivery_batches b WHERE n.id = ANY(b.message_ids)))
RETURNING n.id, n.service_id, n.notification_type::text, n.key_type, n.notification_status, n.sent_by, n.international,
          extract(epoch FROM %(now)s - n.created_at)::float8, n.billable_units, n.template_id, n.template_version,
          CASE WHEN n.notification_type = 'sms' AND n.billable_units = 0 THEN n._personalisation END
"""
_UNITS: Final = """
UPDATE notifications n SET billable_units = u.units
FROM unnest(%s::uuid[], %s::int[]) AS u(id, units) WHERE n.id = u.id AND n.billable_units = 0
"""
_DELIVERED: Final = "SELECT id FROM notifications WHERE id = ANY(%s) AND notification_status = 'delivered'"
_FAILURES: Final = frozenset({"permanent-failure", "temporary-failure"})


class _Applied(NamedTuple):
    """A message that a receipt changed. `personalisation` is set if its fragments still have to be counted."""

    id: UUID
    service_id: UUID
    notification_type: str
    key_type: str
    status: str
    sent_by: str
    international: bool
    seconds: float
    billable_units: int
    template_id: UUID
    template_version: int
    personalisation: bytes | None


class ReceiptProcessor:
    """Applies receipts to messages, and records callbacks. A receipt only changes a message that a provider may have,
    not one that is still waiting. With `only_its_provider`, a message that a provider accepted is only changed by
    receipts of that provider.
    """

    def __init__(
        self,
        database: Database,
        encryptor: Encryptor,
        services: ServiceCache,
        templates: TemplateCache,
        callbacks: MessageCallbacks,
        *,
        only_its_provider: bool = False,
    ) -> None:
        self._database = database
        self._encryptor = encryptor
        self._only_its_provider = only_its_provider
        self._services = services
        self._templates = templates
        self._callbacks = callbacks
        self._batcher: Batcher[Receipt, None] = Batcher(
            self._apply_batch, max_size=500, leaders=2, wait_seconds=WEB_WAIT_SECONDS
        )
        self._reporting = [prefix for prefix in rates() if records_delivery(prefix)]

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(
            container.parts.database,
            container.parts.encryptor,
            container.get(ServiceCache),
            container.get(TemplateCache),
            container.get(MessageCallbacks),
            only_its_provider=not container.parts.settings.is_safe_environment,
        )

    def record(self, receipt: Receipt) -> None:
        """Apply one receipt, together with those of concurrent callers. It is committed when this returns."""
        self._batcher.submit(receipt)

    def record_many(self, receipts: Sequence[Receipt]) -> None:
        """Apply receipts, in their order."""
        self._apply_batch(receipts)

    def _apply_batch(self, receipts: Sequence[Receipt]) -> Sequence[None]:
        now = utc_now()
        waiting = [receipt for receipt in receipts if receipt.notification_id is not None]
        for receipt in receipts:
            if receipt.notification_id is None:
                logger.warning("receipt names no message of ours", provider=receipt.provider)
            elif receipt.unknown_status is not None:
                logger.error("receipt with an unknown status", provider=receipt.provider, id=receipt.notification_id)
        while waiting:
            # one receipt per message at a time: two for the same message are applied in sequence
            first = {receipt.notification_id: receipt for receipt in reversed(waiting)}
            chosen = {id(receipt) for receipt in first.values()}
            waiting = [receipt for receipt in waiting if id(receipt) not in chosen]
            self._apply(list(first.values()), now)
        return [None] * len(receipts)

    def _apply(self, receipts: list[Receipt], now: datetime) -> None:
        with self._database.connection() as connection:
            applied = self._update(connection, receipts, now)
            units = [(one.id, self._fragments(one)) for one in applied if _needs_units(one)]
            if units:
                connection.execute(_UNITS, ([id_ for id_, _ in units], [number for _, number in units]))
            final = [Changed(one.id, one.service_id) for one in applied if one.status != "pending"]
            services = self._callbacks.record(connection, final)
        self._callbacks.publish(services)
        measure_receipts(applied)
        if len(applied) < len(receipts):
            self._log_ignored(receipts, {one.id for one in applied})

    def _update(
        self, connection: psycopg.Connection[Any], receipts: Sequence[Receipt], now: datetime
    ) -> list[_Applied]:
        values = {
            "ids": [receipt.notification_id for receipt in receipts],
            "providers": [receipt.provider for receipt in receipts],
            "outcomes": [receipt.outcome for receipt in receipts],
            "if_pending": [receipt.outcome_if_pending for receipt in receipts],
            "if_sent_by": [receipt.outcome_if_sent_by_provider for receipt in receipts],
            "open": list(OPEN_TO_RECEIPTS),
            "reporting": self._reporting,
            "only_its_provider": self._only_its_provider,
            "now": now,
        }
        return connection.cursor(row_factory=args_row(_Applied)).execute(_APPLY, values).fetchall()

    def _log_ignored(self, receipts: Sequence[Receipt], applied: Collection[UUID]) -> None:
        ignored = [one for one in receipts if one.notification_id not in applied]
        logger.info(
            "receipts without effect", ids=[str(one.notification_id) for one in ignored[:20]], number=len(ignored)
        )
        failures = {one.notification_id: one for one in ignored if one.outcome in _FAILURES}
        if not failures:
            return
        with self._database.connection() as connection:
            for (id_,) in connection.execute(_DELIVERED, (list(failures),)):
                late = failures[id_]
                logger.warning("failure reported after delivery", id=id_, provider=late.provider, outcome=late.outcome)

    def _fragments(self, message: _Applied) -> int:
        template = self._templates.version(message.service_id, message.template_id, message.template_version)
        service = self._services.get(message.service_id)
        if template is None or service is None:
            return 0
        values = self._encryptor.decrypt_json(message.personalisation, PERSONALISATION, message.id)
        return template.sms.render(values, service.name if service.prefix_sms else None).fragments


def _needs_units(message: _Applied) -> bool:
    return message.notification_type == "sms" and message.billable_units == 0
