"""Routes each message to a provider: choice, concurrency limit, circuit breaker, error count.

See docs/decisions/0010. Coroutines run in the loop of `outbound`; the other methods are for other threads.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from notify.accounts.models import NOTIFY_USER_ID
from notify.infra.cache import Cache
from notify.infra.database import Database
from notify.infra.outbound import Outbound
from notify.infra.times import utc_now
from notify.providers import metrics
from notify.providers.actions import shift_from_failing
from notify.providers.base import Accepted, OutgoingEmail, OutgoingText, Provider, ProviderError
from notify.providers.breaker import Breaker, State
from notify.providers.choice import Candidate, Chooser, NoProviderError
from notify.providers.error_rate import LIMIT, ErrorRate
from notify.providers.metrics import provider_call
from notify.providers.registry import Key, ProviderPool, configured_texts
from notify.providers.slots import SlotRefusedError, Slots
from notify.settings import Settings

logger = structlog.get_logger(__name__)

SHIFT_INTERVAL_SECONDS: Final = 1.0


class AllDownError(Exception):
    """No provider accepts calls now, so the message was not sent."""


class NotBegunError(Exception):
    """The call was not begun, because `may_begin` refused it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a provider accepted."""

    provider: str
    accepted: Accepted


class _Route:
    """The route to one provider: its slots and its breaker."""

    def __init__(self, provider: Provider[Any], clock: Callable[[], float]) -> None:
        self.provider = provider
        self.breaker = Breaker(clock=clock)
        self.slots = Slots(provider.calls_at_a_time)
        self.noted_state: State = "closed"
        metrics.breaker_moved(provider.notification_type, provider.identifier, "", self.noted_state)

    def takes_calls(self) -> bool:
        """Whether a new call should go to this provider."""
        state = self.breaker.state
        # in half-open state, do not queue calls
        return state == "closed" or (state == "half-open" and self.breaker.allows() and self.slots.free > 0)

    def note_state(self) -> None:
        """Log the state if it has changed."""
        before, self.noted_state = self.noted_state, self.breaker.state
        if before != self.noted_state:
            kind, name = self.provider.notification_type, self.provider.identifier
            metrics.breaker_moved(kind, name, before, self.noted_state)
            logger.warning(
                "provider breaker",
                provider=self.provider.identifier,
                notification_type=self.provider.notification_type,
                state=self.noted_state,
                before=before,
            )


class ProviderRouter:
    """Calls the providers of one process."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        cache: Cache,
        outbound: Outbound,
        *,
        clock: Callable[[], float] = time.monotonic,
        source: random.Random | None = None,
    ) -> None:
        self.chooser = Chooser(database, settings, source=source, clock=clock)
        self._database = database
        self._outbound = outbound
        self._clock = clock
        self._pool = ProviderPool(settings, outbound)
        self._routes: dict[Key, _Route] = {}
        self._errors: Counter[str] = Counter()
        self._error_rate = ErrorRate(cache)
        self._texts = configured_texts(settings)
        self._shift_after: dict[str, float] = {}
        self._lock = threading.Lock()

    # -- in the loop

    async def send(
        self,
        notification_type: str,
        message: OutgoingText | OutgoingEmail,
        *,
        international: bool = False,
        failed: Collection[str] = (),
        only_others: bool = False,
        may_begin: Callable[[], bool] = lambda: True,
    ) -> Sent:
        """Send a message through a provider that is not down, chosen by the rules of `Chooser.choose`.

        `failed` names providers that have just failed with it: avoid them, and with `only_others` never use them.
        `may_begin` is checked last, just before the call. Raises the `ProviderError` of the one call that was made; if
        none was, `NoProviderError`, `AllDownError` or `NotBegunError`.
        """
        while True:
            route = self._pick(notification_type, international, failed, only_others)
            try:
                await route.slots.acquire()
            except SlotRefusedError:
                continue
            if route.breaker.allows():
                break
            route.slots.release()
        try:
            if not may_begin():
                raise NotBegunError
            return Sent(route.provider.identifier, await self._call(route, message))
        finally:
            route.slots.release()

    async def _call(self, route: _Route, message: OutgoingText | OutgoingEmail) -> Accepted:
        """Make one call, and record its beginning and end."""
        call = route.breaker.begin()
        is_up: bool | None = None
        try:
            with provider_call(route.provider.notification_type, route.provider.identifier, message.notification_id):
                accepted: Accepted = await route.provider.send(message)
            is_up = True
            return accepted
        except ProviderError as error:
            if not error.is_own_fault:
                is_up = not error.is_outage
                self._count_error(route)
            raise
        finally:
            route.breaker.end(call, is_up=is_up)
            if not is_up or route.noted_state != "closed":
                self._look_at(route)

    def _pick(self, notification_type: str, international: bool, failed: Collection[str], only_others: bool) -> _Route:
        candidates = self.chooser.candidates(notification_type, international)
        if only_others:
            candidates = [candidate for candidate in candidates if candidate.identifier not in failed]
            if not candidates:
                raise AllDownError
        drawn = self._route(self.chooser.draw(candidates, failed))
        if drawn.takes_calls():
            return drawn
        if drawn.breaker.state != "hanging":
            # count it as an error, as the call would have been, so that the provider loses its share
            self._count_error(drawn)
        able = self._able(candidates)
        if not able:
            raise AllDownError
        return self._route(self.chooser.draw(able, failed))

    def _able(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        """Those that accept calls; if there are none, those that hang, because they may still answer."""
        return [candidate for candidate in candidates if self._route(candidate).takes_calls()] or [
            candidate for candidate in candidates if self._route(candidate).breaker.state == "hanging"
        ]

    def _route(self, candidate: Candidate) -> _Route:
        key = (candidate.identifier, candidate.notification_type)
        route = self._routes.get(key)
        if route is None:
            route = self._routes[key] = _Route(self._pool.get(*key), self._clock)
        return route

    def _count_error(self, route: _Route) -> None:
        if route.provider.notification_type == "sms":
            self._errors[route.provider.identifier] += 1

    def _look_at(self, route: _Route) -> None:
        route.note_state()
        state = route.breaker.state
        if route.slots.waiting and (state in ("open", "half-open") or (state == "hanging" and self._has_other(route))):
            route.slots.refuse_waiting()

    def _has_other(self, route: _Route) -> bool:
        kind = route.provider.notification_type
        return any(
            other.takes_calls()
            for other in self._routes.values()
            if other is not route and other.provider.notification_type == kind
        )

    def look(self) -> None:
        """Detect providers that hang. Call it several times a second while calls are running."""
        for route in self._routes.values():
            self._look_at(route)

    # -- in other threads

    def refresh(self) -> None:
        """Read the providers' shares from the database if the cached ones are old. Call it before `send`."""
        self.chooser.refresh()

    def is_down(self, notification_type: str) -> bool:
        """Whether no provider of this type accepts calls, not even probes. False if there is no provider."""
        try:
            known = self.chooser.candidates(notification_type)
        except NoProviderError:
            return False
        states = self.states()
        return all(states.get((candidate.identifier, notification_type)) == "open" for candidate in known)

    def settle(self) -> None:
        """Add the errors since the last call to the shared error rate, and move traffic away from a provider whose rate
        is too high (workers 6.2, 7.2).
        """
        if not self._errors:
            return
        with self._lock:
            errors, self._errors = self._errors, Counter()
        for identifier, number in list(errors.items()):
            is_high = self._error_rate.record(identifier, min(number, LIMIT + 1))
            if is_high and self._clock() >= self._shift_after.get(identifier, 0.0):
                self._shift_after[identifier] = self._clock() + SHIFT_INTERVAL_SECONDS
                self._shift_from(identifier)

    def _shift_from(self, identifier: str) -> None:
        try:
            with self._database.transaction() as session:
                is_changed = shift_from_failing(
                    session, identifier, self._texts, changed_by=NOTIFY_USER_ID, now=utc_now()
                )
        except SQLAlchemyError as error:
            logger.warning("could not move traffic", provider=identifier, error=type(error).__name__)
            return
        if is_changed:
            logger.warning("provider fails too often: traffic moved", provider=identifier)
            self.chooser.forget()

    def states(self) -> Mapping[Key, State]:
        """The state of each breaker that has been used, by identifier and type."""
        return {key: route.breaker.state for key, route in list(self._routes.items())}

    def close(self) -> None:
        """Close the providers' connections."""
        self._pool.close()
