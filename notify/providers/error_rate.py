"""The error rate of each provider: a sliding window in the cache, shared by all workers (workers 6.2)."""

from __future__ import annotations

import time
from typing import Final

from redis.client import Pipeline

from notify.infra.cache import Cache
from notify.infra.ids import new_id

WINDOW_SECONDS: Final = 60
LIMIT: Final = 50


class ErrorRate:
    """Counts errors of each provider in the last minute."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def record(self, identifier: str, number: int = 1, *, now: float | None = None) -> bool:
        """Count `number` more errors, at `now` (epoch seconds). True if there are more than 50 in the window, including
        these; False also if the cache is off or down.
        """
        moment = time.time() if now is None else now
        key = f"{identifier}-error-rate"

        def fill(pipeline: Pipeline) -> None:
            # unique members, because two errors may have the same time
            pipeline.zadd(key, {str(new_id()): moment for _ in range(number)})
            pipeline.zremrangebyscore(key, "-inf", moment - WINDOW_SECONDS)
            pipeline.zcard(key)
            pipeline.expire(key, WINDOW_SECONDS)

        results = self._cache.pipeline("error rate", fill)
        return results is not None and int(results[2]) > LIMIT
