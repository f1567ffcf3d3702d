"""Chooses the provider for each message (workers 7.1)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from notify.infra.database import Database
from notify.providers.models import ProviderDetails
from notify.providers.registry import configured, find
from notify.settings import Settings

CACHE_SECONDS: Final = 10.0


class NoProviderError(Exception):
    """No provider of this type is active and configured."""

    def __init__(self, notification_type: str) -> None:
        super().__init__(f"No active {notification_type} providers")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider that may be chosen."""

    identifier: str
    notification_type: str
    priority: int
    supports_international: bool


class Chooser:
    """Chooses among the providers that are active in the database and configured in this process. Their rows are cached
    for 10 seconds.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        source: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._configured = configured(settings)
        self._random = source or random.Random()  # noqa: S311 - a share of traffic, not a secret
        self._clock = clock
        self._known: Sequence[Candidate] = ()
        self._known_until: float | None = None

    def choose(self, notification_type: str, international: bool = False, exclude: Collection[str] = ()) -> str:
        """The identifier of the provider for a message.

        Text messages are spread by priority, at random; an email goes to the provider of highest priority. `exclude`
        names providers to avoid, such as the one that has just failed; they are used if there is no other. Raises
        `NoProviderError`.
        """
        self.refresh()
        return self.draw(self.candidates(notification_type, international), exclude).identifier

    def refresh(self) -> None:
        """Read the rows again if they are older than 10 seconds."""
        if self._known_until is None or self._clock() >= self._known_until:
            self._known = self._read()
            self._known_until = self._clock() + CACHE_SECONDS

    def candidates(self, notification_type: str, international: bool = False) -> Sequence[Candidate]:
        """The candidates for a message, highest priority first, as of the last `refresh`. Does not read the database,
        so an event loop may call it. Raises `NoProviderError`.
        """
        found = [
            candidate
            for candidate in self._known
            if candidate.notification_type == notification_type
            and (candidate.supports_international or not international)
        ]
        if not found:
            raise NoProviderError(notification_type)
        return found

    def draw(self, candidates: Sequence[Candidate], exclude: Collection[str] = ()) -> Candidate:
        """One of the candidates, by the rules of `choose`."""
        left = [candidate for candidate in candidates if candidate.identifier not in exclude] or candidates
        if len(left) == 1 or left[0].notification_type != "sms":
            return left[0]
        weights = [candidate.priority for candidate in left]
        return self._random.choices(left, weights if sum(weights) else None)[0]

    def forget(self) -> None:
        """Read the rows again at the next `refresh`."""
        self._known_until = None

    def _read(self) -> Sequence[Candidate]:
        with self._database.session() as session:
            rows = session.scalars(
                select(ProviderDetails)
                .where(ProviderDetails.active)
                .order_by(ProviderDetails.priority.desc(), ProviderDetails.identifier)
            ).all()
        return [
            Candidate(
                identifier=row.identifier,
                notification_type=row.notification_type,
                priority=max(row.priority, 0),
                supports_international=row.supports_international
                and find(row.identifier, row.notification_type).supports_international,
            )
            for row in rows
            if (row.identifier, row.notification_type) in self._configured
        ]
