"""Valkey (or Redis): limits, counters and short-lived data. Never the only copy of anything.

If the cache is down, an operation logs the failure and returns None. From then on the cache is not used until a
background thread finds that it answers again, so that an outage costs each process one timeout, not one per request.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import redis
import structlog
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry

logger = structlog.get_logger(__name__)
R = TypeVar("R")

PROBE_SECONDS = 0.5
TIMEOUT_SECONDS = 2.0
"""Shorter than a batch of requests may take before those behind it are refused (`batcher.SLOW_SECONDS`): a cache that
hangs costs time, and no request.
"""


class Cache:
    """A connection pool to one Valkey, or nothing if the cache is switched off (`url` empty)."""

    def __init__(self, url: str, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._client: redis.Redis | None = (
            redis.Redis.from_url(
                url,
                socket_timeout=timeout,
                socket_connect_timeout=timeout,
                # by default, the client retries three times with growing pauses while the request waits
                retry=Retry(NoBackoff(), 0),
            )
            if url
            else None
        )
        self._lock = threading.Lock()
        self._is_away = False
        self._closed = threading.Event()

    @property
    def is_enabled(self) -> bool:
        """Whether the cache is switched on."""
        return self._client is not None

    def _try(self, operation: str, call: Callable[[redis.Redis], R]) -> R | None:
        if self._client is None or self._is_away:
            return None
        try:
            return call(self._client)
        except redis.RedisError as error:
            with self._lock:
                is_news, self._is_away = not self._is_away, True
            if is_news:
                logger.warning("cache failed", operation=operation, error=type(error).__name__)
                threading.Thread(target=self._await_return, name="cache", daemon=True).start()
            return None

    def _await_return(self) -> None:
        while not self._closed.wait(PROBE_SECONDS):
            if self.is_ready():
                self._is_away = False
                return

    def get(self, key: str) -> bytes | None:
        """The value, or None if there is none or the cache is down."""
        value = self._try("get", lambda client: client.get(key))
        return value.encode() if isinstance(value, str) else value

    def set(self, key: str, value: str | bytes, *, seconds: int) -> None:
        """Store a value that expires after `seconds`."""
        self._try("set", lambda client: client.set(key, value, ex=seconds))

    def delete(self, *keys: str) -> None:
        """Delete values."""
        self._try("delete", lambda client: client.delete(*keys))

    def pipeline(self, operation: str, fill: Callable[[Pipeline], object]) -> list[Any] | None:
        """Send the commands that `fill` puts on a pipeline in one round trip; their results, or None on failure."""

        def call(client: redis.Redis) -> list[Any]:
            pipeline = client.pipeline(transaction=False)
            fill(pipeline)
            return pipeline.execute()

        return self._try(operation, call)

    def script(self, source: str) -> Script:
        """A Lua script to run on the server."""
        return Script(self, source)

    def is_ready(self) -> bool:
        """Whether the cache answers (also true if it is switched off)."""
        if self._client is None:
            return True
        try:
            return bool(self._client.ping())
        except redis.RedisError:
            return False

    def close(self) -> None:
        """Close the connections."""
        self._closed.set()
        if self._client is not None:
            self._client.close()


class Script:
    """A Lua script that is sent once and then called by its hash."""

    def __init__(self, cache: Cache, source: str) -> None:
        self._cache = cache
        self._source = source
        self._sha = ""

    def run_many(self, calls: Sequence[tuple[Sequence[str], Sequence[Any]]]) -> list[Any] | None:
        """Run the script once per (keys, arguments), all in one round trip. None when the cache is off or down."""

        def run(client: redis.Redis) -> list[Any]:
            if not self._sha:
                self._sha = str(client.script_load(self._source))
            try:
                return self._evaluate(client, calls)
            except redis.exceptions.NoScriptError:  # the server has restarted
                self._sha = str(client.script_load(self._source))
                return self._evaluate(client, calls)

        return self._cache._try("script", run)

    def _evaluate(self, client: redis.Redis, calls: Sequence[tuple[Sequence[str], Sequence[Any]]]) -> list[Any]:
        if len(calls) == 1:
            keys, arguments = calls[0]
            return [client.evalsha(self._sha, len(keys), *keys, *arguments)]
        pipeline = client.pipeline(transaction=False)
        for keys, arguments in calls:
            pipeline.evalsha(self._sha, len(keys), *keys, *arguments)
        return pipeline.execute()
