"""Delivers batches of messages, and publishes tasks for those left.

Results are written while the rest of a batch is still running, which bounds how many messages a killed worker can have
sent without a record. A batch that only waits for a hanging provider is suspended in favour of the next.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Final, NamedTuple, Self
from uuid import UUID, uuid4

import structlog

from notify import queues
from notify.infra.batcher import Batcher
from notify.infra.cache import Cache
from notify.infra.container import Container
from notify.infra.database import Database, is_unavailable
from notify.infra.outbound import Outbound
from notify.infra.queue import Queue
from notify.infra.retrying import retry
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.messages import publish
from notify.messages.callbacks import MessageCallbacks
from notify.messages.compose import Composer
from notify.messages.deliver.attempt import Attempt, Batch, Caller, Unsent
from notify.messages.deliver.locks import LARGE_BYTES, InHand, MessageLocks, Row, hold_locks
from notify.messages.deliver.prepare import Prepared, Preparer
from notify.messages.deliver.schedule import RetrySchedule
from notify.messages.deliver.write import Result, ResultWriter
from notify.messages.maintenance import count_interrupted
from notify.messages.receipts import ReceiptProcessor
from notify.messages.settings import DeliverySettings
from notify.providers.base import Receipt
from notify.providers.choice import NoProviderError
from notify.providers.router import ProviderRouter
from notify.providers.simulation import simulated_outcome
from notify.services.cache import ServiceCache
from notify.settings import Settings
from notify.templates.cache import TemplateCache

logger = structlog.get_logger(__name__)

MESSAGES_AT_A_TIME: Final = 500
BYTES_AT_A_TIME: Final = 16 * 1024 * 1024
"""Most bytes of personalisation read at a time; a message with more is read alone."""
SUSPECTS_AT_A_TIME: Final = 20
"""Messages that were in a batch when a worker died are retried in small batches first, then one by one."""
TASKS_AT_A_TIME: Final = 64
BATCHES_AT_A_TIME: Final = 6
SUSPENDED_AT_A_TIME: Final = 6
"""Most suspended batches; each holds a thread and a database connection."""
AWAY_PAUSE_SECONDS: Final = 10.0
"""Seconds that messages wait if the database is unreachable, or their locks were lost."""


class _Request(NamedTuple):
    """The messages of one task."""

    attempt: Attempt
    ids: tuple[UUID, ...]


class _Suspended(NamedTuple):
    """A suspended batch, and the context that holds the locks of its messages."""

    batch: Batch
    locks: MessageLocks
    held: ExitStack


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
        self._database = database
        self._queue = queue
        self._outbound = outbound
        self._receipts = receipts
        self._in_hand = InHand()
        own = settings.part(DeliverySettings)
        self._schedule = RetrySchedule(own.delivery_retry_seconds, own.delivery_max_retries)
        self._writer = ResultWriter(database, callbacks)
        self._preparer = Preparer(settings, encryptor, services, templates, composer, self._schedule)
        self._router = ProviderRouter(settings, database, cache, outbound)
        self._caller = Caller(self._router, self._preparer)
        self._has_counted_interrupted = False
        # each batch holds a connection for its locks, and sometimes needs another: some must always be free
        connections = settings.sqlalchemy_pool_size + settings.sqlalchemy_max_overflow
        batches = min(BATCHES_AT_A_TIME, max(1, connections // 2 - 1))
        self._batcher: Batcher[_Request, list[_Suspended]] = Batcher(
            self._deliver_requests, max_size=TASKS_AT_A_TIME, leaders=batches
        )
        self._room_for_suspended = threading.BoundedSemaphore(
            min(SUSPENDED_AT_A_TIME, max(0, connections - batches - 3))
        )

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
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
        """Routes messages to providers."""
        return self._router

    def deliver(self, notification_type: str, ids: Sequence[UUID], tries: int = 0, due: float = 0.0) -> None:
        """Send those messages that are still `created`. Returns when each was sent, has failed for good, or was
        published for another try; or when another caller waits and only calls to a hanging provider are left.

        `due` identifies the try by its time in the row, in epoch seconds. A task without it, or with an old one, does
        not touch messages whose next try is not due yet.
        """
        moment = datetime.fromtimestamp(due, UTC) if due else None
        waiting = deque(self._batcher.submit(_Request(Attempt(notification_type, tries, moment), tuple(ids))))
        while waiting:
            suspended = waiting.popleft()
            try:
                with suspended.held:
                    self._outbound.run(self._caller.finish(suspended.batch, suspended.locks, self._settle)).result()
                waiting += self._finish(suspended.batch)
            except Exception:
                logger.exception("could not deliver", notification_type=notification_type)
            finally:
                self._room_for_suspended.release()

    def _deliver_requests(self, requests: list[_Request]) -> Sequence[list[_Suspended]]:
        groups: dict[Attempt, dict[UUID, None]] = {}
        for request in requests:
            groups.setdefault(request.attempt, {}).update(dict.fromkeys(request.ids))
        suspended: list[_Suspended] = []
        for attempt, ids in groups.items():
            wanted = list(ids)
            for start in range(0, len(wanted), MESSAGES_AT_A_TIME):
                suspended += self._deliver_safely(Batch(attempt), wanted[start : start + MESSAGES_AT_A_TIME])
        # the first request is the leader's, which finishes suspended batches while the next batch is handled
        return [suspended, *([] for _ in requests[1:])]

    def _deliver_safely(self, batch: Batch, wanted: list[UUID]) -> list[_Suspended]:
        try:
            return self._deliver(batch, wanted)
        except Exception:  # continue with the other batches; the sweeper publishes these again
            logger.exception("could not deliver", notification_type=batch.attempt.notification_type)
            return []

    def _deliver(self, batch: Batch, wanted: list[UUID]) -> list[_Suspended]:
        with ExitStack() as held:
            ids = held.enter_context(self._in_hand.take(wanted))
            try:
                self._count_interrupted_once()
                locks = held.enter_context(hold_locks(self._database))
                ready = self._take(batch, locks, ids)
            except Exception as error:
                if not is_unavailable(error):
                    raise
                logger.warning("database failed: messages wait", error=type(error).__name__, number=len(ids))
                self._postpone(batch, ids)
                return []
            if ready:
                self._outbound.run(self._caller.start(batch, locks, ready, self._settle)).result()
            if batch.under_way:
                if self._room_for_suspended.acquire(blocking=False):
                    return [_Suspended(batch, locks, held.pop_all())]
                self._outbound.run(self._caller.finish(batch, locks, self._settle)).result()
        return self._finish(batch)

    def _postpone(self, batch: Batch, ids: Sequence[UUID]) -> None:
        """Publish messages again that could not be read."""
        if ids:
            self._publish(batch.attempt, ids, AWAY_PAUSE_SECONDS)

    def _count_interrupted_once(self) -> None:
        """At the start of a process, count messages of dead workers: the messages may have caused their deaths."""
        if not self._has_counted_interrupted:
            self._has_counted_interrupted = True
            if number := count_interrupted(self._database):
                logger.warning("workers died with messages in hand", number=number)

    # -- before

    def _take(self, batch: Batch, locks: MessageLocks, ids: list[UUID]) -> list[Prepared]:
        """Lock messages. Returns those to send now; those of test keys are finished here."""
        kind, tries, due = batch.attempt
        now = utc_now()
        locked = locks.take(ids)
        if not locked:
            return []
        rows = locks.read(locked, kind, due=due, now=now, whole=batch.whole)
        # tasks of the previous version count the tries themselves
        rows = [row if row.tries >= tries else row._replace(tries=tries) for row in rows]
        rows, results = self._preparer.without_ended(rows, now)
        rows = rows if batch.whole else self._without_odd(batch, rows)
        if rows:
            self._router.refresh()
            if self._router.is_down(kind):
                results += self._wait(batch, [row for row in rows if row.key_type != "test"], now)
                rows = [row for row in rows if row.key_type == "test"]
        ready, failed = self._preparer.prepare(kind, rows)
        self._settle(batch, failed, results)
        simulated = [message for message in ready if message.key_type == "test"]
        if simulated:
            self._simulate(batch, simulated)
        return [message for message in ready if message.key_type != "test"]

    @staticmethod
    def _without_odd(batch: Batch, rows: list[Row]) -> list[Row]:
        """Put off messages that are large or may have killed a worker: they get separate batches, so that they cannot
        affect others.
        """
        size = 0
        large: list[UUID] = []
        suspects: list[UUID] = []
        for row in rows:
            if row.interrupted > 1:
                batch.later.append([row.id])
            elif row.interrupted:
                suspects.append(row.id)
            elif row.size > LARGE_BYTES:
                if large and size + row.size > BYTES_AT_A_TIME:
                    batch.later.append(large)
                    size, large = 0, []
                size += row.size
                large.append(row.id)
        batch.later += [large] if large else []
        batch.later += [
            suspects[start : start + SUSPECTS_AT_A_TIME] for start in range(0, len(suspects), SUSPECTS_AT_A_TIME)
        ]
        return [row for row in rows if not row.interrupted and row.size <= LARGE_BYTES]

    def _wait(self, batch: Batch, messages: Sequence[Row | Prepared], now: datetime) -> list[Result]:
        """Let messages wait for a provider. Returns the results to write: once for each due try, not at every check."""
        results = []
        for message in messages:
            next_try = self._schedule.after_waiting(
                batch.attempt.notification_type, message.tries, message.next_try_at, now
            )
            if next_try is None:
                logger.error("RETRY FAILED: Max retries reached", id=message.id)
                results.append(Result(message.id, "technical-failure", now))
                continue
            if next_try.at != message.next_try_at:
                results.append(Result(message.id, None, now, next_try=next_try))
            batch.repeat(message.id, *next_try, self._schedule.pause(next_try.at, now))
        return results

    def _simulate(self, batch: Batch, messages: list[Prepared]) -> None:
        """Finish messages of test keys: no provider is called, the receipt is simulated (workers 9)."""
        kind = batch.attempt.notification_type
        results, receipts = [], []
        for message in messages:
            try:
                identifier = self._router.chooser.choose(kind, message.international)
            except NoProviderError:
                results.append(self._preparer.failure(kind, message.id, message.tries, 0))
                continue
            reference = str(uuid4()) if kind == "email" else None
            results.append(Result(message.id, "sending", utc_now(), 0, identifier, reference))
            outcome = simulated_outcome("sms" if kind == "sms" else "email", message.to)
            receipts.append(Receipt(identifier, message.id, reference, outcome))
        self._settle(batch, results)
        retry(lambda: self._receipts.record_many(receipts), on=is_unavailable)

    # -- after

    def _settle(self, batch: Batch, ended: Sequence[Result | Unsent], more: Sequence[Result] = ()) -> None:
        """Write the results of messages, and `more` results, which need no other action. Raises no error of the
        database, and loses nothing.
        """
        tried = [one for one in ended if isinstance(one, Result)]
        unsent = [one for one in ended if isinstance(one, Unsent)]
        waiting = self._wait(batch, [one.message for one in unsent if not one.is_stopped], utc_now())
        self._writer.write([*tried, *waiting, *more])
        for result in tried:
            if result.next_try is not None:
                batch.repeat(result.id, *result.next_try)
        for one in unsent:
            if one.is_stopped:
                batch.repeat(one.message.id, one.message.tries, one.message.next_try_at, AWAY_PAUSE_SECONDS)
        self._router.settle()

    def _finish(self, batch: Batch) -> list[_Suspended]:
        """Publish the messages left of a batch (if the broker is down, the sweeper finds them), and deliver those put
        off at once.
        """
        for (attempt, pause), ids in batch.again.items():
            self._publish(attempt, ids, pause)
        suspended: list[_Suspended] = []
        for ids in batch.later:
            suspended += self._deliver_safely(Batch(batch.attempt, whole=True), ids)
        return suspended

    def _publish(self, attempt: Attempt, ids: Sequence[UUID], pause: float | None) -> None:
        """Publish a task for `pause` seconds from now, or (None) for when the next try is due."""
        due = [attempt.due.timestamp()] if attempt.due else []
        if pause is None:
            pause = max((attempt.due - utc_now()).total_seconds(), 0.0) if attempt.due else 0.0
        self._queue.publish(
            publish.DELIVER_TASKS[attempt.notification_type],
            [[str(id_) for id_ in ids], attempt.tries, *due],
            queue=queues.RETRY,
            countdown=pause,
        )

    def close(self) -> None:
        """Close the connections to providers."""
        self._router.close()
        self._outbound.close()
