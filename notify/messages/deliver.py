"""Delivering messages: hand them to a provider, once (contract: workers 6; docs/architecture.md).

A message is handed over by whoever holds its advisory lock and then finds it `created`. The lock lives in a database
transaction, so that it goes with the worker that held it. What was handed over is written back in waves while the rest
of a batch is still under way, which bounds how many messages a killed worker can have sent without saying so. A batch
that only waits for a provider that hangs makes way for the next one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, Self
from uuid import UUID, uuid4

import psycopg
import structlog

from notify import queues
from notify.infra.batcher import Batcher
from notify.infra.cache import Cache
from notify.infra.container import Container
from notify.infra.database import AWAY, Database
from notify.infra.outbound import Outbound
from notify.infra.queue import Queue
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.messages import publish
from notify.messages.callbacks import MessageCallbacks
from notify.messages.compose import Composer
from notify.messages.metrics import measure_deliveries
from notify.messages.models import PERSONALISATION, TO
from notify.messages.receipts import ReceiptProcessor
from notify.providers.base import OutgoingEmail, OutgoingText, ProviderError, Receipt
from notify.providers.choice import NoProviderError
from notify.providers.router import AllDownError, ProviderRouter
from notify.providers.simulation import simulated_outcome
from notify.services.cache import ServiceCache
from notify.services.queries import CachedService
from notify.settings import Settings
from notify.templates.cache import CompiledTemplate, TemplateCache

logger = structlog.get_logger(__name__)

WAVE_SECONDS: Final = 0.25
MESSAGES_AT_A_TIME: Final = 500
TASKS_AT_A_TIME: Final = 64
BATCHES_AT_A_TIME: Final = 6
QUIET_SECONDS: Final = 1.0
"""A batch of which no call ended for so long makes way."""
LEFT_AT_A_TIME: Final = 6
"""Batches that made way; each holds a thread and a database connection."""
TOLD: Final = frozenset({"delivered", "temporary-failure", "permanent-failure"})
"""Statuses that services are told of when a message has them at once: those that a receipt may bring."""

SHORTEST_WAIT_SECONDS: Final = 5.0
LONGEST_WAIT_SECONDS: Final = 30.0

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
RETURNING n.notification_type::text, n.key_type, r.status, n.notification_status = r.status, r.sent_by,
          extract(epoch FROM r.at - n.created_at)::float8, n.id, n.service_id
"""


class _Round(NamedTuple):
    """Which of the tries of messages this is: `attempt` counts the retries before it, `waited` the seconds since the
    last one, if there was nobody to give them to.
    """

    notification_type: str
    attempt: int
    waited: float


class _Order(NamedTuple):
    """What one task asks for."""

    round: _Round
    ids: tuple[UUID, ...]


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
    is_tried: bool = True

    @property
    def is_handed_over(self) -> bool:
        return self.sent_by is not None


@dataclass(slots=True)
class _Batch:
    """Messages that are handed over together, and what is left of them: those that failed, and those that no provider
    was tried for.
    """

    round: _Round
    under_way: set[asyncio.Task[_Result]] = field(default_factory=set)
    failed: list[UUID] = field(default_factory=list)
    untried: list[UUID] = field(default_factory=list)


class _Left(NamedTuple):
    """A batch that made way, and the locks of its messages."""

    batch: _Batch
    held: ExitStack


class _InHand:
    """The messages that this process is about to hand over, or has handed over and not written so yet. The advisory
    locks say the same to other processes, but they end when the database is restarted.
    """

    def __init__(self) -> None:
        self._ids: set[UUID] = set()
        self._lock = threading.Lock()

    @contextmanager
    def take(self, wanted: Sequence[UUID]) -> Iterator[list[UUID]]:
        """Those of the messages that nobody has; they are in hand while the block runs."""
        with self._lock:
            ids = [id_ for id_ in dict.fromkeys(wanted) if id_ not in self._ids]
            self._ids.update(ids)
        try:
            yield ids
        finally:
            with self._lock:
                self._ids.difference_update(ids)


class Deliverer:
    """Delivers messages of one process. Tasks that run at the same time share their round trips."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        cache: Cache,
        encryptor: Encryptor,
        queue: Queue,
        outbound: Outbound,
        services: ServiceCache,
        templates: TemplateCache,
        receipts: ReceiptProcessor,
        callbacks: MessageCallbacks,
        composer: Composer,
    ) -> None:
        self._settings = settings
        self._database = database
        self._vault = encryptor
        self._queue = queue
        self._outbound = outbound
        self._services = services
        self._templates = templates
        self._receipts = receipts
        self._callbacks = callbacks
        self._composer = composer
        self._in_hand = _InHand()
        self._router = ProviderRouter(settings, database, cache, outbound)
        # each batch holds a connection for its locks, and needs another now and then: some must always be free
        connections = settings.sqlalchemy_pool_size + settings.sqlalchemy_max_overflow
        batches = min(BATCHES_AT_A_TIME, max(1, connections // 2 - 1))
        self._batcher: Batcher[_Order, list[_Left]] = Batcher(
            self._deliver_orders, max_size=TASKS_AT_A_TIME, leaders=batches
        )
        self._room_for_left = threading.BoundedSemaphore(min(LEFT_AT_A_TIME, max(0, connections - batches - 3)))

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        parts = container.parts
        return cls(
            parts.settings,
            parts.database,
            parts.cache,
            parts.encryptor,
            parts.queue,
            container.get(Outbound),
            container.get(ServiceCache),
            container.get(TemplateCache),
            container.get(ReceiptProcessor),
            container.get(MessageCallbacks),
            container.get(Composer),
        )

    @property
    def router(self) -> ProviderRouter:
        """The ways to the providers."""
        return self._router

    def deliver(self, notification_type: str, ids: Sequence[UUID], attempt: int = 0, waited: float = 0.0) -> None:
        """Hand over those messages that are still `created`. Returns when each was handed over, has failed for good, or
        is published to be tried again; or, when another caller waits for it, is in the hands of a provider that hangs.
        """
        for left in self._batcher.submit(_Order(_Round(notification_type, attempt, waited), tuple(ids))):
            try:
                with left.held:
                    self._outbound.run(self._send_in_waves(left.batch)).result()
                self._finish(left.batch)
            except Exception:
                logger.exception("could not deliver", notification_type=notification_type)
            finally:
                self._room_for_left.release()

    def _deliver_orders(self, orders: list[_Order]) -> Sequence[list[_Left]]:
        groups: dict[_Round, dict[UUID, None]] = {}
        for order in orders:
            groups.setdefault(order.round, {}).update(dict.fromkeys(order.ids))
        left: list[_Left] = []
        for round_, ids in groups.items():
            wanted = list(ids)
            for start in range(0, len(wanted), MESSAGES_AT_A_TIME):
                try:
                    left += self._deliver(_Batch(round_), wanted[start : start + MESSAGES_AT_A_TIME])
                except Exception:  # the other groups are to go out all the same; the sweeper comes for these
                    logger.exception("could not deliver", notification_type=round_.notification_type)
        # the first order is of the caller that leads: it sees to what is left, while the next batch is handled
        return [left, *([] for _ in orders[1:])]

    def _deliver(self, batch: _Batch, wanted: list[UUID]) -> list[_Left]:
        with ExitStack() as held:
            ids = held.enter_context(self._in_hand.take(wanted))
            try:
                waiting = self._take(batch, held.enter_context(self._transaction()), ids)
            except AWAY as error:
                logger.warning("database failed: messages wait", error=type(error).__name__, number=len(ids))
                batch.failed, batch.untried, waiting = [], ids, []
            if waiting:
                self._outbound.run(self._send_all(batch, waiting)).result()
            if batch.under_way:
                if self._room_for_left.acquire(blocking=False):
                    return [_Left(batch, held.pop_all())]
                self._outbound.run(self._send_in_waves(batch)).result()
        self._finish(batch)
        return []

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A transaction that holds locks and changes nothing: if it is lost at its end, so be it."""
        is_done = False
        try:
            with self._database.connection() as connection:
                yield connection
                is_done = True
        except AWAY as error:
            if not is_done:
                raise
            logger.warning("locks of messages were lost", error=type(error).__name__)

    def _take(self, batch: _Batch, locks: psycopg.Connection[tuple[Any, ...]], ids: list[UUID]) -> list[_Waiting]:
        """Lock messages; those to be given to a provider now. Those of test keys are done with here."""
        kind = batch.round.notification_type
        locked = [row[0] for row in locks.execute(_LOCK, (ids,))]
        # a new statement sees what others committed before they gave up the lock
        rows = locks.execute(_READ, (locked, kind)).fetchall()
        if not rows:
            return []
        self._router.refresh()
        if self._router.is_down(kind):
            batch.untried = [row[0] for row in rows if row[4] != "test"]
            rows = [row for row in rows if row[4] == "test"]
        waiting, results = self._prepare(kind, rows)
        self._write(results)
        batch.failed = [result.id for result in results if result.status is None]
        simulated = [message for message in waiting if message.key_type == "test"]
        if simulated:
            batch.failed += self._simulate(kind, simulated)
        return [message for message in waiting if message.key_type != "test"]

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
            try:
                outgoing, units = make(row, service, template)
                to = row[7] if notification_type == "email" else self._vault.decrypt(row[5], TO, id_).strip()
            except Exception as error:  # of this one; the others are fine. Its text may quote the message
                logger.error("message cannot be made", id=id_, error=type(error).__name__)
                failed.append(_Result(id_, None, 0, utc_now()))
                continue
            waiting.append(_Waiting(id_, key_type, row[9], to, units, outgoing))
        return waiting, failed

    def _text(self, row: Sequence[Any], service: CachedService, template: CompiledTemplate) -> tuple[OutgoingText, int]:
        id_, _, _, _, _, _, personalisation, normalised_to, sender, international, _ = row
        outgoing, message = self._composer.text(
            service,
            template,
            self._vault.decrypt_json(personalisation, PERSONALISATION, id_),
            notification_id=id_,
            normalised_to=normalised_to,
            reply_to_text=sender,
            international=international,
        )
        return outgoing, message.fragments

    def _email(
        self, row: Sequence[Any], service: CachedService, template: CompiledTemplate
    ) -> tuple[OutgoingEmail, int]:
        id_, _, _, _, _, to, personalisation, normalised_to, reply_to, _, unsubscribe_link = row
        outgoing = self._composer.email(
            service,
            template,
            self._vault.decrypt_json(personalisation, PERSONALISATION, id_),
            notification_id=id_,
            address=self._vault.decrypt(to, TO, id_),
            normalised_to=normalised_to,
            reply_to_text=reply_to,
            unsubscribe_link=unsubscribe_link,
        )
        return outgoing, 0

    # -- the call

    async def _send_all(self, batch: _Batch, messages: list[_Waiting]) -> None:
        """Give messages to providers, until all have ended or nothing happens any more."""
        batch.under_way = {asyncio.create_task(self._send(batch.round, message)) for message in messages}
        await self._send_in_waves(batch, quiet_seconds=QUIET_SECONDS)

    async def _send_in_waves(self, batch: _Batch, quiet_seconds: float | None = None) -> None:
        loop = asyncio.get_running_loop()
        ended_at = loop.time()
        while batch.under_way:
            # whole batches of a quick provider are written at once, slow ones wave by wave
            done, batch.under_way = await asyncio.wait(batch.under_way, timeout=WAVE_SECONDS)
            self._router.look()
            if done:
                await loop.run_in_executor(None, self._settle, batch, [task.result() for task in done])
                ended_at = loop.time()
            elif quiet_seconds is not None and loop.time() - ended_at >= quiet_seconds:
                return

    async def _send(self, round_: _Round, message: _Waiting) -> _Result:
        """One try; a message that fails the first time is given to another provider at once. A text may be given to the
        same one again (workers 6.2), an email is not.
        """
        kind = round_.notification_type
        failed: list[str] = []
        is_tried = True
        for _ in range(2 if round_.attempt == 0 else 1):
            try:
                sent = await self._router.send(
                    kind,
                    message.outgoing,
                    international=message.international,
                    failed=failed,
                    only_others=bool(failed) and kind == "email",
                )
            except NoProviderError as error:
                logger.error("no provider", reason=str(error))
                break
            except AllDownError:
                is_tried = bool(failed)
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
                status = sent.accepted.outcome or ("sent" if message.international else "sending")
                return _Result(message.id, status, message.units, utc_now(), sent.provider, sent.accepted.reference)
        return _Result(message.id, None, message.units, utc_now(), is_tried=is_tried)

    def _simulate(self, notification_type: str, messages: list[_Waiting]) -> list[UUID]:
        """Messages of test keys: no provider is called, the receipt is made up (workers 9)."""
        results, receipts, unsent = [], [], []
        for message in messages:
            try:
                identifier = self._router.chooser.choose(notification_type, message.international)
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

    def _settle(self, batch: _Batch, results: Sequence[_Result]) -> None:
        batch.failed += [result.id for result in results if result.status is None and result.is_tried]
        batch.untried += [result.id for result in results if not result.is_tried]
        self._write([result for result in results if result.is_tried])
        self._router.settle()

    def _write(self, results: Sequence[_Result]) -> None:
        """Write what became of messages, however long the database is away: nobody else knows it, and what was handed
        over and not written down will be sent a second time.
        """
        if results:
            # in the order in which receipts lock rows, so that neither waits for the other in a circle
            ordered = sorted(results, key=lambda result: result.id)
            self._database.persevere(lambda: self._write_once(ordered))

    def _write_once(self, results: Sequence[_Result]) -> None:
        with self._database.connection() as connection:
            written = connection.execute(
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
            ).fetchall()
            # no receipt will come where the provider's answer was the last word
            final = [
                (id_, service_id) for _, _, status, is_so, _, _, id_, service_id in written if is_so and status in TOLD
            ]
            told = self._callbacks.record(connection, final)
        self._callbacks.publish(told)
        measure_deliveries(row[:6] for row in written)

    def _finish(self, batch: _Batch) -> None:
        """Publish what is left. If the broker is down, the sweeper finds it."""
        round_ = batch.round
        # the first round of a text has its first retry in it (workers 6.2)
        attempt = round_.attempt + (2 if round_.notification_type == "sms" and round_.attempt == 0 else 1)
        seconds = float(self._settings.delivery_retry_seconds)
        self._try_again(round_._replace(attempt=attempt, waited=0.0), batch.failed, seconds)
        # there was nobody to try: this does not count as a try until the next one would be due
        pause = min(max(round_.waited, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS, max(seconds - round_.waited, 1.0))
        waited = round_.waited + pause
        if waited < seconds:
            self._try_again(round_._replace(waited=waited), batch.untried, pause)
        else:
            self._try_again(round_._replace(attempt=attempt, waited=0.0), batch.untried, pause)

    def _try_again(self, round_: _Round, ids: list[UUID], countdown: float) -> None:
        if not ids:
            return
        if round_.attempt > self._settings.delivery_max_retries:
            logger.error("RETRY FAILED: Max retries reached", ids=[str(id_) for id_ in ids])
            self._write([_Result(id_, "technical-failure", 0, utc_now()) for id_ in ids])
            return
        self._queue.publish(
            publish.DELIVER_TASKS[round_.notification_type],
            # a worker of the version before knows no third argument
            [[str(id_) for id_ in ids], round_.attempt, *([round_.waited] if round_.waited else [])],
            queue=queues.RETRY,
            countdown=countdown,
        )

    def close(self) -> None:
        """Give the connections to providers back."""
        self._router.close()
        self._outbound.close()
