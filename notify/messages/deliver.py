"""Delivering messages: hand them to a provider, once (contract: workers 6; docs/architecture.md).

A message is handed over by whoever holds its advisory lock and then finds it `created`. The lock lives in a database
transaction, so that it goes with the worker that held it. What was handed over is written back in waves while the rest
of a batch is still under way, which bounds how many messages a killed worker can have sent without saying so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import structlog

from notify import queues
from notify.content.email_page import EmailBranding
from notify.infra.batcher import Batcher
from notify.infra.database import Database
from notify.infra.outbound import Outbound
from notify.infra.queue import Queue
from notify.infra.secrets import Vault
from notify.infra.times import utc_now
from notify.messages import dispatch
from notify.messages.links import UnsubscribeLinks
from notify.messages.receipts import ReceiptBook
from notify.providers.base import Accepted, OutgoingEmail, OutgoingText, ProviderError, Receipt
from notify.providers.choice import Chooser, NoProviderError
from notify.providers.registry import ProviderPool
from notify.providers.simulation import simulated_outcome
from notify.services.directory import ServiceDirectory
from notify.services.queries import CachedService
from notify.settings import Settings
from notify.templates.directory import CompiledTemplate, TemplateDirectory

logger = structlog.get_logger(__name__)

WAVE_SECONDS: Final = 0.25
MESSAGES_AT_A_TIME: Final = 500
TASKS_AT_A_TIME: Final = 64
BATCHES_AT_A_TIME: Final = 6

_LOCK: Final = """
SELECT id FROM unnest(%s::uuid[]) AS id WHERE pg_try_advisory_xact_lock(hashtextextended(id::text, 6011))
"""
_READ: Final = """
SELECT id, service_id, template_id, template_version, key_type, "to", _personalisation, normalised_to, reply_to_text,
       international, unsubscribe_link
FROM notifications WHERE id = ANY(%s) AND notification_status = 'created' AND notification_type = %s
"""
# a receipt that was faster than this statement wins
_WRITE: Final = """
UPDATE notifications n
SET notification_status = CASE WHEN n.notification_status = 'created' THEN r.status ELSE n.notification_status END,
    sent_at = coalesce(r.sent_at, n.sent_at), sent_by = coalesce(r.sent_by, n.sent_by),
    reference = coalesce(r.reference, n.reference), billable_units = greatest(r.units, n.billable_units),
    updated_at = CASE WHEN n.notification_status IN ('created', 'sending', 'pending') THEN r.at ELSE n.updated_at END
FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::int[], %s::timestamptz[])
     AS r(id, status, sent_at, sent_by, reference, units, at)
WHERE n.id = r.id
"""


@dataclass(frozen=True, slots=True)
class _Order:
    """What one task asks for."""

    notification_type: str
    ids: tuple[UUID, ...]
    attempt: int


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A message that is ready to be handed over."""

    id: UUID
    key_type: str
    international: bool
    to: str
    units: int
    outgoing: OutgoingText | OutgoingEmail


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of handing over a message; a null status: it is to be tried again."""

    id: UUID
    status: str | None
    units: int
    at: datetime
    sent_by: str | None = None
    reference: str | None = None

    @property
    def is_handed_over(self) -> bool:
        return self.sent_by is not None


class Deliverer:
    """Delivers messages of one process. Tasks that run at the same time share their round trips."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        vault: Vault,
        queue: Queue,
        outbound: Outbound,
        services: ServiceDirectory,
        templates: TemplateDirectory,
        receipts: ReceiptBook,
        links: UnsubscribeLinks,
    ) -> None:
        self._settings = settings
        self._database = database
        self._vault = vault
        self._queue = queue
        self._outbound = outbound
        self._services = services
        self._templates = templates
        self._receipts = receipts
        self._links = links
        self._chooser = Chooser(database, settings)
        self._providers = ProviderPool(settings, outbound)
        self._batcher: Batcher[_Order, None] = Batcher(
            self._deliver_orders, max_size=TASKS_AT_A_TIME, leaders=BATCHES_AT_A_TIME
        )

    def deliver(self, notification_type: str, ids: Sequence[UUID], attempt: int = 0) -> None:
        """Hand over those messages that are still `created`. Returns when each was handed over, has failed for good, or
        is published to be tried again.
        """
        self._batcher.submit(_Order(notification_type, tuple(ids), attempt))

    def _deliver_orders(self, orders: list[_Order]) -> Sequence[None]:
        groups: dict[tuple[str, int], dict[UUID, None]] = {}
        for order in orders:
            groups.setdefault((order.notification_type, order.attempt), {}).update(dict.fromkeys(order.ids))
        for (notification_type, attempt), ids in groups.items():
            wanted = list(ids)
            for start in range(0, len(wanted), MESSAGES_AT_A_TIME):
                self._deliver(notification_type, wanted[start : start + MESSAGES_AT_A_TIME], attempt)
        return [None] * len(orders)

    def _deliver(self, notification_type: str, ids: list[UUID], attempt: int) -> None:
        with self._database.connection() as locks:
            locked = [row[0] for row in locks.execute(_LOCK, (ids,))]
            # a new statement sees what others committed before they gave up the lock
            rows = locks.execute(_READ, (locked, notification_type)).fetchall()
            if not rows:
                return
            waiting, results = self._prepare(notification_type, rows)
            self._write(results)
            simulated = [message for message in waiting if message.key_type == "test"]
            real = [message for message in waiting if message.key_type != "test"]
            unsent = self._simulate(notification_type, simulated) if simulated else []
            if real:
                unsent += self._send_all(notification_type, real, attempt)
        if unsent:
            self._try_again(notification_type, unsent, attempt)

    # -- before

    def _prepare(self, notification_type: str, rows: Sequence[Sequence[Any]]) -> tuple[list[_Waiting], list[_Result]]:
        waiting, failed = [], []
        for row in rows:
            id_, service_id, template_id, version, key_type = row[:5]
            service = self._services.get(service_id)
            template = self._templates.version(service_id, template_id, version)
            if service is None or not service.active or template is None:
                logger.error("message cannot be sent: its service is archived", id=id_, service_id=service_id)
                failed.append(_Result(id_, "technical-failure", 0, utc_now()))
                continue
            make = self._text if notification_type == "sms" else self._email
            outgoing, units = make(row, service, template)
            to = row[7] if notification_type == "email" else self._vault.decrypt(row[5]).strip()
            waiting.append(_Waiting(id_, key_type, row[9], to, units, outgoing))
        return waiting, failed

    def _text(self, row: Sequence[Any], service: CachedService, template: CompiledTemplate) -> tuple[OutgoingText, int]:
        id_, _, _, _, _, _, personalisation, normalised_to, sender, international, _ = row
        values = self._vault.decrypt_json(personalisation)
        message = template.sms.render(values, service.name if service.prefix_sms else None)
        outgoing = OutgoingText(
            notification_id=id_,
            to=normalised_to,
            sender=sender or self._settings.from_number,
            body=message.text,
            international=international,
        )
        return outgoing, message.fragments

    def _email(
        self, row: Sequence[Any], service: CachedService, template: CompiledTemplate
    ) -> tuple[OutgoingEmail, int]:
        id_, _, _, _, _, to, personalisation, normalised_to, reply_to, _, unsubscribe_link = row
        values = self._vault.decrypt_json(personalisation)
        headers, footer = {}, None
        if template.row.has_unsubscribe_link:
            address = self._vault.decrypt(to)
            footer = self._links.page(id_, address)
            unsubscribe_link = unsubscribe_link or self._links.one_click(id_, address)
        if unsubscribe_link:
            headers = {
                "List-Unsubscribe": f"<{unsubscribe_link}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            }
        outgoing = OutgoingEmail(
            notification_id=id_,
            to=normalised_to,
            from_name=service.custom_email_sender_name or service.name,
            from_address=f"{service.email_sender_local_part}@{self._settings.notify_email_domain}",
            reply_to=reply_to,
            subject=template.email.subject(values),
            plain_text=template.email.plain_text(values, unsubscribe_url=footer),
            html=template.email.html(values, branding=self._branding(service), unsubscribe_url=footer),
            headers=headers,
        )
        return outgoing, 0

    def _branding(self, service: CachedService) -> EmailBranding:
        branding = service.email_branding
        if branding is None:
            return EmailBranding()
        return EmailBranding.from_brand_type(
            branding.brand_type,
            logo_url=f"{self._settings.logo_base_url}/{branding.logo}" if branding.logo else None,
            text=branding.text,
            colour=branding.colour,
            alt_text=branding.alt_text,
        )

    # -- the call

    def _send_all(self, notification_type: str, messages: list[_Waiting], attempt: int) -> list[UUID]:
        return self._outbound.run(self._send_in_waves(notification_type, messages, attempt)).result()

    async def _send_in_waves(self, notification_type: str, messages: list[_Waiting], attempt: int) -> list[UUID]:
        loop = asyncio.get_running_loop()
        under_way = {asyncio.create_task(self._send(notification_type, message, attempt)) for message in messages}
        unsent: list[UUID] = []
        while under_way:
            # whole batches of a quick provider are written at once, slow ones wave by wave
            done, under_way = await asyncio.wait(under_way, timeout=WAVE_SECONDS)
            results = [task.result() for task in done]
            unsent += [result.id for result in results if result.status is None]
            if results:
                await loop.run_in_executor(None, self._write, results)
        return unsent

    async def _send(self, notification_type: str, message: _Waiting, attempt: int) -> _Result:
        """One try; a text message that fails the first time is given to another provider at once (workers 6.2)."""
        failed: list[str] = []
        tries = 2 if notification_type == "sms" and attempt == 0 else 1
        for _ in range(tries):
            try:
                identifier = self._choose(notification_type, message, failed)
                accepted: Accepted = await self._providers.get(identifier, notification_type).send(message.outgoing)
            except NoProviderError as error:
                logger.error("no provider", reason=str(error))
                break
            except ProviderError as error:
                logger.warning(
                    "provider failed", provider=error.provider, kind=error.kind, code=error.code, id=message.id
                )
                failed.append(error.provider)
                if not error.retryable:
                    return _Result(message.id, error.outcome, message.units, utc_now())
            except Exception:
                logger.exception("could not send", id=message.id)
                break
            else:
                status = accepted.outcome or ("sent" if message.international else "sending")
                return _Result(message.id, status, message.units, utc_now(), identifier, accepted.reference)
        return _Result(message.id, None, message.units, utc_now())

    def _choose(self, notification_type: str, message: _Waiting, exclude: Collection[str] = ()) -> str:
        return self._chooser.choose(notification_type, message.international, exclude)

    def _simulate(self, notification_type: str, messages: list[_Waiting]) -> list[UUID]:
        """Messages of test keys: no provider is called, the receipt is made up (workers 9)."""
        results, receipts, unsent = [], [], []
        for message in messages:
            try:
                identifier = self._choose(notification_type, message)
            except NoProviderError:
                unsent.append(message.id)
                continue
            reference = str(uuid4()) if notification_type == "email" else None
            results.append(_Result(message.id, "sending", 0, utc_now(), identifier, reference))
            outcome = simulated_outcome("sms" if notification_type == "sms" else "email", message.to)
            receipts.append(Receipt(identifier, message.id, reference, outcome))
        self._write(results)
        self._receipts.record_many(receipts)
        return unsent

    # -- after

    def _write(self, results: Sequence[_Result]) -> None:
        if not results:
            return
        with self._database.connection() as connection:
            connection.execute(
                _WRITE,
                (
                    [result.id for result in results],
                    [result.status or "created" for result in results],
                    [result.at if result.is_handed_over else None for result in results],
                    [result.sent_by for result in results],
                    [result.reference for result in results],
                    [result.units for result in results],
                    [result.at for result in results],
                ),
            )

    def _try_again(self, notification_type: str, ids: list[UUID], attempt: int) -> None:
        if attempt >= self._settings.delivery_max_retries:
            logger.error("RETRY FAILED: Max retries reached", ids=[str(id_) for id_ in ids])
            self._write([_Result(id_, "technical-failure", 0, utc_now()) for id_ in ids])
            return
        self._queue.publish(
            dispatch.DELIVER_TASKS[notification_type],
            [[str(id_) for id_ in ids], attempt + 1],
            queue=queues.RETRY,
            countdown=self._settings.delivery_retry_seconds,
        )

    def close(self) -> None:
        """Give the connections to providers back."""
        self._providers.close()
        self._outbound.close()
