"""The options of each kind of broker, and how many tasks wait in it."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import redis
from amqp.exceptions import AMQPError, ChannelError
from kombu.exceptions import OperationalError

if TYPE_CHECKING:
    from celery import Celery

ANSWER_SECONDS: Final = 2.0
PUBLISHED_HEADER: Final = "notify_published_at"
"""Header of a task: when it was published, in epoch seconds."""

_REDIS: Final = ("redis", "rediss")
_KEPT_BY_WORKERS: Final = "unacked"
SQS_LONGEST_DELAY: Final = 900
NOT_FOUND: Final = 404
_ERRORS: Final = (redis.RedisError, OperationalError, AMQPError, OSError)


@dataclass(frozen=True)
class BrokerSettings:
    """The broker's address and options."""

    url: str
    transport_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_sqs(self) -> bool:
        """Whether it is Amazon SQS, or has the same API."""
        return urlsplit(self.url).scheme == "sqs"

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """Errors that publishing and querying raise if the broker is down, or refuses."""
        if self.is_sqs:
            from botocore.exceptions import BotoCoreError, ClientError

            return (*_ERRORS, BotoCoreError, ClientError)
        return _ERRORS


def broker_settings(
    url: str,
    queue_names: Sequence[str],
    *,
    visibility_seconds: int,
    region: str,
    account_id: str,
) -> BrokerSettings:
    """The settings of the broker at `url`: `redis://`, `amqp://`, `sqs://[key:secret@][host[:port]]` or, as AWS writes
    it, `https://sqs.eu-west-1.amazonaws.com`. With an account id, SQS's queues must exist; without, they are created
    at their first use.
    """
    scheme = urlsplit(url).scheme
    if scheme in ("http", "https", "sqs"):
        return _sqs_settings(url, queue_names, visibility_seconds, region, account_id)
    if scheme in _REDIS:
        options = {
            "visibility_timeout": visibility_seconds,
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "socket_keepalive_options": _keepalive_options(),
            # if the broker is down, a publisher gets an error at once, not after six seconds
            "max_retries": 1,
            "interval_start": 0.1,
        }
        return BrokerSettings(url, options)
    return BrokerSettings(url)


def _keepalive_options() -> dict[int, int]:
    """For sockets that wait for tasks: by default it takes two hours to notice a dead broker."""
    wanted = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
    return {getattr(socket, name): value for name, value in wanted.items() if hasattr(socket, name)}


def _sqs_settings(
    url: str, queue_names: Sequence[str], visibility_seconds: int, region: str, account_id: str
) -> BrokerSettings:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host.startswith("sqs.") and host.endswith(".amazonaws.com"):
        region = host.split(".")[1]
    is_secure = parts.scheme != "http" and not (parts.scheme == "sqs" and host)
    options: dict[str, Any] = {
        "region": region,
        "is_secure": is_secure,
        "visibility_timeout": visibility_seconds,
        "wait_time_seconds": 10,
    }
    if account_id:
        place = parts.netloc.rpartition("@")[2] or f"sqs.{region}.amazonaws.com"
        base = f"{'https' if is_secure else 'http'}://{place}/{account_id}"
        options["predefined_queues"] = {name: {"url": f"{base}/{name}"} for name in queue_names}
    return BrokerSettings(f"sqs://{parts.netloc}", options)


@dataclass(frozen=True)
class QueueState:
    """The tasks that wait in a queue. The age of the oldest, in seconds, is only known for Redis."""

    waiting: int
    published_at: float | None = None


class BrokerStates:
    """Queries the broker. Each query ends, or raises one of the broker's `errors`, within a few seconds."""

    def __init__(self, celery: Celery, broker: BrokerSettings) -> None:
        self._celery = celery
        self._redis: redis.Redis | None = None
        if urlsplit(broker.url).scheme in _REDIS:
            self._redis = redis.Redis.from_url(
                broker.url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS
            )

    def look(self, names: Sequence[str]) -> dict[str, QueueState]:
        """The state of each of these queues (with prefix); one that was never used is empty."""
        return _look_into_redis(self._redis, names) if self._redis is not None else self._ask(names)

    def kept(self) -> int | None:
        """The number of tasks that workers hold, running or not yet due; None if the broker does not tell."""
        if self._redis is None:
            return None
        return int(self._redis.hlen(_KEPT_BY_WORKERS))

    def check(self, name: str) -> None:
        """Check that the broker answers a query about this queue. Raises one of the broker's `errors`."""
        if self._redis is not None:
            self._redis.ping()
        else:
            self._ask([name])

    def close(self) -> None:
        """Drop the connection."""
        if self._redis is not None:
            self._redis.close()

    def _ask(self, names: Sequence[str]) -> dict[str, QueueState]:
        states = {}
        with self._celery.connection_for_write(connect_timeout=ANSWER_SECONDS) as connection:
            connection.ensure_connection(max_retries=1, timeout=ANSWER_SECONDS)
            channel = connection.channel()
            for name in names:
                try:
                    states[name] = QueueState(int(channel.queue_declare(queue=name, passive=True).message_count))
                except ChannelError as error:
                    if int(error.reply_code or 0) != NOT_FOUND:
                        raise
                    channel = connection.channel()  # the query for a missing queue closed the other
                    states[name] = QueueState(0)
        return states


def _look_into_redis(client: redis.Redis, names: Sequence[str]) -> dict[str, QueueState]:
    pipeline = client.pipeline(transaction=False)
    for name in names:
        pipeline.llen(name)
        pipeline.lindex(name, -1)  # the next task to be taken
    answers = pipeline.execute()
    return {
        name: QueueState(int(answers[2 * place]), _published_at(answers[2 * place + 1]))
        for place, name in enumerate(names)
    }


def _published_at(message: bytes | None) -> float | None:
    """When a waiting task was published, from its envelope as Celery writes it."""
    if not message:
        return None
    with suppress(ValueError, KeyError, TypeError):
        return float(json.loads(message)["headers"][PUBLISHED_HEADER])
    return None
