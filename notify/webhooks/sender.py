"""Sends callbacks to services: many at the same time, and each service at its own speed.

There is a lane for each service and type of callback while callbacks are pending. A lane takes rows of
`pending_callbacks` by moving `due_at` into the future, makes a limited number of concurrent calls, and writes results
in batches. Callbacks taken by a worker that was killed become due again. A slow service delays only its own lane.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from functools import partial
from typing import Final, NamedTuple, Self, TypeVar
from uuid import UUID

import psycopg
import sqlalchemy.exc
import structlog
from cachetools import TTLCache
from psycopg.rows import class_row

from notify import queues
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.outbound import Outbound, OutboundError, cancel
from notify.infra.queue import Queue
from notify.infra.retrying import retry
from notify.infra.secrets import Encryptor, UndecipherableError
from notify.infra.times import utc_now
from notify.vocabulary import CallbackType
from notify.webhooks import metrics
from notify.webhooks.models import BEARER_TOKEN, PAYLOAD, SIGNING_SECRET
from notify.webhooks.outbox import publish
from notify.webhooks.settings import CallbackSettings
from notify.webhooks.signing import derived_secret, secret_bytes, signature_headers

logger = structlog.get_logger(__name__)
T = TypeVar("T")

TAKEN_AT_A_TIME: Final = 50
WRITE_SECONDS: Final = 0.25
"""Longest time in seconds until results are written."""
DATABASE_THREADS: Final = 4
DATABASE_SECONDS: Final = 8.0
"""Longest wait in seconds for a database that is down. After it the results are lost, and the calls are repeated."""
UNAVAILABLE: Final = (
    psycopg.OperationalError,
    psycopg.InternalError,  # for example a read-only server
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InternalError,
    sqlalchemy.exc.TimeoutError,
)
CONNECTIONS_PER_HOST: Final = 1000
"""Services may share a host; none of them should wait for another one's connections."""
ENOUGH_OF_AN_ANSWER: Final = 4096
RETRIES_TOGETHER_SECONDS: Final = 5
"""Failures this close together (seconds) are retried together."""

_TAKE: Final = """
UPDATE pending_callbacks p SET due_at = %(until)s
FROM (SELECT id FROM pending_callbacks
      WHERE service_id = %(service)s AND callback_type = %(type)s AND due_at <= %(now)s
      ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED) due
WHERE p.id = due.id
RETURNING p.id, p.subject_id, p.attempts, p.payload
"""
_ENDPOINT: Final = """
SELECT id, url, bearer_token, signing_secret FROM service_callback_api WHERE service_id = %s AND callback_type = %s
"""
_DROP_ALL: Final = "DELETE FROM pending_callbacks WHERE service_id = %s AND callback_type = %s"
_DONE: Final = "DELETE FROM pending_callbacks WHERE id = ANY(%s)"
_PUT_OFF: Final = "UPDATE pending_callbacks SET attempts = attempts + 1, due_at = %s WHERE id = ANY(%s)"
_RELEASE: Final = "UPDATE pending_callbacks SET due_at = %s WHERE id = ANY(%s)"


class Outcome(Enum):
    """The result of a callback."""

    TAKEN = auto()
    """The service answered 2xx."""
    REFUSED = auto()
    """The service will never accept it: 4xx, a redirect, or an address that must not be called."""
    FAILED = auto()
    """The service may accept it later: no response, 429 or 5xx."""
    RELEASED = auto()
    """The service was not called: this process is stopping."""


class _Settings(NamedTuple):
    """A row of `service_callback_api`, still encrypted."""

    id: UUID
    url: str
    bearer_token: bytes
    signing_secret: bytes | None


class _Row(NamedTuple):
    """A row of `pending_callbacks` that this lane took."""

    id: UUID
    subject_id: UUID
    attempts: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """Where to send a service's callbacks, with its secrets decrypted."""

    url: str
    bearer_token: str
    key: bytes


@dataclass(frozen=True, slots=True)
class _Callback:
    """A callback to be sent by this lane."""

    id: UUID
    subject_id: UUID
    attempts: int
    body: bytes
    endpoint: _Endpoint


@dataclass(frozen=True, slots=True)
class _Result:
    callback: _Callback
    outcome: Outcome


class _Lane:
    """The callbacks of one type to one service."""

    def __init__(self, callback_type: CallbackType, service_id: UUID) -> None:
        self.callback_type: CallbackType = callback_type
        self.service_id = service_id
        self.is_woken = True
        self.has_failed = False
        self.waiting: deque[_Callback] = deque()
        self.under_way: set[asyncio.Task[_Result]] = set()
        self.results: list[_Result] = []
        self.task: asyncio.Task[None]

    @property
    def key(self) -> tuple[CallbackType, UUID]:
        return self.callback_type, self.service_id

    @property
    def is_idle(self) -> bool:
        return not (self.waiting or self.under_way or self.results)


class CallbackSender:
    """Sends the callbacks of one process."""

    def __init__(self, settings: CallbackSettings, database: Database, encryptor: Encryptor, queue: Queue) -> None:
        self._settings = settings
        self._database = database
        self._encryptor = encryptor
        self._queue = queue
        self._outbound = Outbound(
            connections=CONNECTIONS_PER_HOST,
            timeout=settings.callback_timeout_seconds,
            public_only=settings.callbacks_are_guarded,
            proxied=False,
        )
        self._executor = ThreadPoolExecutor(DATABASE_THREADS, thread_name_prefix="callbacks")
        self._lanes: dict[tuple[CallbackType, UUID], _Lane] = {}
        self._stopping = False
        self._together = min(RETRIES_TOGETHER_SECONDS, settings.callback_retry_seconds)
        self._retried: TTLCache[tuple[CallbackType, UUID], bool] = TTLCache(10_000, self._together)
        # twice the longest wait of the last callback of a batch, if every call times out
        rounds = -(-TAKEN_AT_A_TIME // settings.callback_connections) + 1
        self._lease = timedelta(seconds=2 * rounds * settings.callback_timeout_seconds + 10)

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        settings = parts.settings.part(CallbackSettings)
        return cls(settings, parts.database, parts.encryptor, parts.queue)

    def wake(self, callback_type: CallbackType, service_id: UUID) -> None:
        """Send a service all its pending callbacks of a type. Returns immediately; thread-safe."""
        self._outbound.run(self._wake(callback_type, service_id))

    async def _wake(self, callback_type: CallbackType, service_id: UUID) -> None:
        lane = self._lanes.get((callback_type, service_id))
        if lane is not None:
            lane.is_woken = True
        elif not self._stopping:
            lane = _Lane(callback_type, service_id)
            self._lanes[lane.key] = lane
            lane.task = asyncio.create_task(self._run(lane))

    async def _run(self, lane: _Lane) -> None:
        try:
            await self._drain(lane)
        except Exception:
            # callbacks that were taken become due again
            self._log(logger.exception, "callbacks stopped", lane)
            if self._lanes.get(lane.key) is lane:
                del self._lanes[lane.key]
            await cancel(lane.under_way)

    async def _drain(self, lane: _Lane) -> None:
        """Work until nothing is due. There is no `await` between the last check of `is_woken` and the lane's end."""
        loop = asyncio.get_running_loop()
        written = loop.time()
        while True:
            await self._begin(lane)
            if lane.under_way:
                done, lane.under_way = await asyncio.wait(
                    lane.under_way, timeout=WRITE_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                lane.results += [task.result() for task in done]
            is_late = loop.time() - written > WRITE_SECONDS
            if lane.results and (is_late or not lane.under_way or len(lane.results) >= TAKEN_AT_A_TIME):
                results, lane.results = lane.results, []
                await self._in_thread(partial(self._write, lane, results))
                written = loop.time()
            if lane.is_idle and (self._stopping or not lane.is_woken):
                break
        del self._lanes[lane.key]
        if lane.has_failed and lane.key not in self._retried:
            self._retried[lane.key] = True
            await self._in_thread(partial(self._publish_retry, lane))

    async def _begin(self, lane: _Lane) -> None:
        """Take callbacks and start their calls, up to the limit; release them if this process is stopping."""
        if lane.is_woken and not lane.waiting and self._has_room(lane) and not self._stopping:
            lane.is_woken = False
            taken = await self._in_thread(partial(self._take, lane))
            lane.waiting.extend(taken)
            lane.is_woken |= len(taken) == TAKEN_AT_A_TIME
        while lane.waiting and self._has_room(lane) and not self._stopping:
            lane.under_way.add(asyncio.create_task(self._call(lane, lane.waiting.popleft())))
        if self._stopping:
            lane.results += [_Result(callback, Outcome.RELEASED) for callback in lane.waiting]
            lane.waiting.clear()

    def _has_room(self, lane: _Lane) -> bool:
        return len(lane.under_way) < self._settings.callback_connections

    async def _in_thread(self, call: Callable[[], T]) -> T:
        """Call the database in another thread; retry for a while if it is down."""
        again = partial(retry, call, on=UNAVAILABLE, seconds=DATABASE_SECONDS)
        return await asyncio.get_running_loop().run_in_executor(self._executor, again)

    # -- in a thread

    def _take(self, lane: _Lane) -> list[_Callback]:
        now = utc_now()
        with self._database.connection() as connection:
            settings = connection.cursor(row_factory=class_row(_Settings))
            found = settings.execute(_ENDPOINT, (lane.service_id, lane.callback_type)).fetchone()
            if found is None:
                dropped = connection.execute(_DROP_ALL, (lane.service_id, lane.callback_type)).rowcount
                if dropped:
                    self._log(logger.warning, "callbacks dropped: not wanted any more", lane, number=dropped)
                return []
            rows = (
                connection.cursor(row_factory=class_row(_Row))
                .execute(
                    _TAKE,
                    {
                        "until": now + self._lease,
                        "service": lane.service_id,
                        "type": lane.callback_type,
                        "now": now,
                        "limit": TAKEN_AT_A_TIME,
                    },
                )
                .fetchall()
            )
        endpoint = self._endpoint(found)
        taken = []
        for row in rows:
            try:
                body = self._encryptor.decrypt(row.payload, PAYLOAD, row.id).encode()
            except UndecipherableError:
                # it stays in the table until it expires: the missing key may be configured again
                self._log(logger.error, "callback cannot be decrypted", lane, subject_id=str(row.subject_id))
                continue
            taken.append(_Callback(row.id, row.subject_id, row.attempts, body, endpoint))
        return taken

    def _endpoint(self, settings: _Settings) -> _Endpoint:
        token, secret = (
            self._encryptor.decrypt(settings.bearer_token, BEARER_TOKEN, settings.id),
            settings.signing_secret,
        )
        if secret is None:
            return _Endpoint(settings.url, token, secret_bytes(derived_secret(token)))
        return _Endpoint(
            settings.url, token, secret_bytes(self._encryptor.decrypt(secret, SIGNING_SECRET, settings.id))
        )

    def _write(self, lane: _Lane, results: list[_Result]) -> None:
        now = utc_now()
        done, failed, released = [], [], []
        for result in results:
            callback = result.callback
            if result.outcome is Outcome.RELEASED:
                released.append(callback.id)
            elif result.outcome is not Outcome.FAILED:
                done.append(callback.id)
            elif callback.attempts < self._settings.callback_max_retries:
                failed.append(callback.id)
            else:
                done.append(callback.id)
                metrics.service_called(lane.callback_type, "given_up")
                self._log(logger.warning, "callback given up", lane, subject_id=str(callback.subject_id))
        with self._database.connection() as connection:
            if done:
                connection.execute(_DONE, (done,))
            if failed:
                connection.execute(
                    _PUT_OFF,
                    (now + timedelta(seconds=self._settings.callback_retry_seconds), failed),
                )
            if released:
                connection.execute(_RELEASE, (now, released))
        lane.has_failed |= bool(failed)
        taken = sum(result.outcome is Outcome.TAKEN for result in results)
        if taken:
            self._log(logger.info, "callbacks taken", lane, number=taken)

    def _publish_retry(self, lane: _Lane) -> None:
        publish(
            self._queue,
            lane.callback_type,
            lane.service_id,
            queue_name=queues.SERVICE_CALLBACKS_RETRY,
            countdown=self._settings.callback_retry_seconds + self._together,
        )

    @staticmethod
    def _log(log: Callable[..., object], event: str, lane: _Lane, **fields: object) -> None:
        log(event, callback_type=lane.callback_type, service_id=str(lane.service_id), **fields)

    # -- the call

    async def _call(self, lane: _Lane, callback: _Callback) -> _Result:
        """An attempt (public-api 14.2). Redirects are not followed: the service did not choose their target."""
        endpoint = callback.endpoint
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {endpoint.bearer_token}",
            **signature_headers(endpoint.key, f"{lane.callback_type}-{callback.subject_id}", utc_now(), callback.body),
        }
        status: int | None = None
        kind = ""
        began = time.perf_counter()
        try:
            answer = await self._outbound.request(
                "POST", endpoint.url, data=callback.body, headers=headers, enough=ENOUGH_OF_AN_ANSWER
            )
        except OutboundError as error:
            kind = error.kind
            outcome = Outcome.REFUSED if kind == "invalid_address" else Outcome.FAILED
        else:
            status = answer.status
            if 200 <= status < 300:
                outcome = Outcome.TAKEN
            else:
                kind = f"http_{status // 100}xx"
                outcome = Outcome.FAILED if status >= 500 or status == 429 else Outcome.REFUSED
        metrics.service_called(lane.callback_type, outcome.name.lower(), time.perf_counter() - began, kind)
        if outcome is not Outcome.TAKEN:
            self._log(
                logger.warning,
                "callback failed",
                lane,
                subject_id=str(callback.subject_id),
                attempt=callback.attempts,
                status=status,
                kind=kind,
                retried=outcome is Outcome.FAILED,
            )
        return _Result(callback, outcome)

    def close(self) -> None:
        """Finish the calls in progress; leave the rest to other processes."""
        self._stopping = True
        if self._lanes:
            self._outbound.run(self._finish()).result(timeout=self._settings.callback_timeout_seconds + 20)
        self._outbound.close()
        self._executor.shutdown()

    async def _finish(self) -> None:
        await asyncio.gather(*(lane.task for lane in self._lanes.values()), return_exceptions=True)
