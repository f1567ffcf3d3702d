"""Receipts: what providers say became of messages (contract: workers 5.2, 8.1; public-api 10).

Receipts that arrive together are applied by one statement, and a provider is answered after the commit. A receipt may
come before the message's own row says `sending`, twice, or weeks late: a status that is final stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

import structlog

from notify.content.sms_rates import rates, records_delivery
from notify.infra.batcher import WEB_WAIT_SECONDS, Batcher
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.messages.callbacks import MessageCallbacks
from notify.messages.metrics import measure_receipts
from notify.messages.models import PERSONALISATION
from notify.messages.statuses import OPEN_TO_RECEIPTS
from notify.providers.base import Receipt
from notify.services.cache import ServiceCache
from notify.templates.cache import TemplateCache

logger = structlog.get_logger(__name__)

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
RETURNING n.id, n.notification_type::text, n.billable_units, n.service_id, n.template_id, n.template_version,
          n._personalisation, n.key_type, n.notification_status, n.sent_by, n.international,
          extract(epoch FROM %(now)s - n.created_at)::float8
"""
_UNITS: Final = """
UPDATE notifications n SET billable_units = u.units
FROM unnest(%s::uuid[], %s::int[]) AS u(id, units) WHERE n.id = u.id AND n.billable_units = 0
"""


class ReceiptProcessor:
    """Applies receipts to messages, and has services told of it."""

    def __init__(
        self,
        database: Database,
        encryptor: Encryptor,
        services: ServiceCache,
        templates: TemplateCache,
        callbacks: MessageCallbacks,
    ) -> None:
        self._database = database
        self._vault = encryptor
        self._services = services
        self._templates = templates
        self._callbacks = callbacks
        self._batcher: Batcher[Receipt, None] = Batcher(
            self._apply_batch, max_size=500, leaders=2, wait_seconds=WEB_WAIT_SECONDS
        )
        self._reporting = [prefix for prefix in rates() if records_delivery(prefix)]

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        return cls(
            container.parts.database,
            container.parts.encryptor,
            container.get(ServiceCache),
            container.get(TemplateCache),
            container.get(MessageCallbacks),
        )

    def record(self, receipt: Receipt) -> None:
        """Apply one receipt, together with those of concurrent callers; it is on disk when this returns."""
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
            # one receipt per message at a time: two for the same one follow each other
            round_ = {receipt.notification_id: receipt for receipt in reversed(waiting)}
            chosen = {id(receipt) for receipt in round_.values()}
            waiting = [receipt for receipt in waiting if id(receipt) not in chosen]
            self._apply(list(round_.values()), now)
        return [None] * len(receipts)

    def _apply(self, receipts: list[Receipt], now: datetime) -> None:
        with self._database.connection() as connection:
            rows = connection.execute(
                _APPLY,
                {
                    "ids": [receipt.notification_id for receipt in receipts],
                    "providers": [receipt.provider for receipt in receipts],
                    "outcomes": [receipt.outcome for receipt in receipts],
                    "if_pending": [receipt.outcome_if_pending for receipt in receipts],
                    "if_sent_by": [receipt.outcome_if_sent_by_provider for receipt in receipts],
                    "open": list(OPEN_TO_RECEIPTS),
                    "reporting": self._reporting,
                    "now": now,
                },
            ).fetchall()
            units = [(row[0], self._fragments(row)) for row in rows if row[1] == "sms" and row[2] == 0]
            if units:
                connection.execute(_UNITS, ([id_ for id_, _ in units], [number for _, number in units]))
            told = self._callbacks.record(connection, [(row[0], row[3]) for row in rows if row[8] != "pending"])
        self._callbacks.publish(told)
        measure_receipts((row[1], *row[7:]) for row in rows)
        if len(rows) < len(receipts):
            applied: set[UUID] = {row[0] for row in rows}
            ignored = [str(one.notification_id) for one in receipts if one.notification_id not in applied]
            logger.info("receipts without effect", ids=ignored[:20], number=len(ignored))

    def _fragments(self, row: Sequence[Any]) -> int:
        service_id, template_id, version, personalisation = row[3:7]
        template = self._templates.version(service_id, template_id, version)
        service = self._services.get(service_id)
        if template is None or service is None:
            return 0
        values = self._vault.decrypt_json(personalisation, PERSONALISATION, row[0])
        return template.sms.render(values, service.name if service.prefix_sms else None).fragments
