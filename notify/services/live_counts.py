"""Counts live services. The endpoint is public, so the numbers are cached."""

from __future__ import annotations

from threading import Lock
from typing import Final, Self

from cachetools import TTLCache

from notify.infra.container import Container
from notify.infra.database import Database
from notify.services.queries import LiveCounts, count_live

SECONDS: Final = 2.0


class LiveCounter:
    """Counts live services and their organisations, at most every two seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: TTLCache[str, LiveCounts] = TTLCache(1, SECONDS)
        self._lock = Lock()

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database)

    def count(self) -> LiveCounts:
        """The numbers, up to two seconds old. Concurrent callers share one query."""
        with self._lock:
            known = self._known.get("live")
            if known is None:
                with self._database.reading() as session:
                    known = self._known["live"] = count_live(session)
            return known
