"""Limits of services: requests a minute and messages a day (contract: public-api 5.1, content 17.3)."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Final, NamedTuple, Self
from uuid import UUID

from redis.client import Pipeline

from notify.infra.cache import Cache
from notify.infra.container import Container
from notify.infra.errors import ProblemError
from notify.services import metrics
from notify.services.queries import CachedService

DAY_SECONDS: Final = 86_400
KEY_TYPE_WORDS: Final = {"normal": "LIVE", "team": "TEAM", "test": "TEST"}
LARGEST_BUCKET: Final = 1000
INTERNATIONAL_SMS: Final = "international_sms"


@dataclass(frozen=True)
class MessageLimits:
    """Daily limits of a service. The defaults are those of trial mode."""

    email: int = 50
    sms: int = 50
    letter: int = 50
    international_sms: int = 100

    def of(self, kind: str) -> int:
        """The limit of a kind: sms, email, letter or international_sms."""
        limit: int = getattr(self, kind)
        return limit


LIVE_LIMITS: Final = MessageLimits(email=250_000, sms=250_000, letter=20_000, international_sms=100)
"""Limits of a service that goes live (contract: internal-services 2.4), and of a test key in trial mode (5.1)."""


class LimitExceededError(ProblemError):
    """A limit is exceeded."""

    status = 429


class TooManyRequestsError(LimitExceededError):
    """The daily limit is exceeded."""

    error = "TooManyRequestsError"


class RateLimitError(LimitExceededError):
    """The limit per minute is exceeded."""

    error = "RateLimitError"


class LimitRequest(NamedTuple):
    """One request to send a message, for checking limits. Equal requests are checked together."""

    service_id: UUID
    key_type: str
    kind: str
    rate_limit: int
    """Requests a minute. 0: only the daily limit applies."""
    daily_limit: int
    international_limit: int | None = None
    """International texts a day; `None` for every other message."""
    counts: bool = True
    """Whether an accepted request counts towards the daily limit."""


class _Group(NamedTuple):
    """How many of a group of equal requests may pass, and which limit stopped the others."""

    passed: int
    stopped: int


def daily_limit(service: CachedService, key_type: str, kind: str) -> int:
    """Messages of a kind (sms, email, letter, international_sms) that the service may send today."""
    if key_type == "test" and service.restricted:
        return LIVE_LIMITS.of(kind)
    return {
        "email": service.email_message_limit,
        "sms": service.sms_message_limit,
        "letter": service.letter_message_limit,
        INTERNATIONAL_SMS: service.international_sms_message_limit,
    }[kind]


def counter_key(service_id: UUID, key_type: str, kind: str) -> str:
    """Cache key of the daily counter. The admin app reads it too (contract: internal-services 3)."""
    test = "test-" if key_type == "test" else ""
    return f"{service_id}-{test}{kind}-{_date(int(time.time()) // DAY_SECONDS)}-count"


@lru_cache(maxsize=2)
def _date(day: int) -> str:
    return f"{datetime.fromtimestamp(day * DAY_SECONDS, UTC):%Y-%m-%d}"


def _refusal(request: LimitRequest, stopped: int) -> ProblemError | None:
    if stopped == 1:
        word = KEY_TYPE_WORDS[request.key_type]
        return RateLimitError(
            f"Exceeded rate limit for key type {word} of {request.rate_limit} requests per 60 seconds"
        )
    if stopped == 2:
        return TooManyRequestsError(f"Exceeded send limits ({request.kind}: {request.daily_limit}) for today")
    if stopped == 3:
        limit = request.international_limit
        return TooManyRequestsError(f"Exceeded send limits ({INTERNATIONAL_SMS}: {limit}) for today")
    return None


_GIVE_BACK: Final = """
-- Takes ARGV[1] off the counter KEYS[1], if it still exists.
if tonumber(redis.call('GET', KEYS[1]) or '0') >= tonumber(ARGV[1]) then
  return redis.call('DECRBY', KEYS[1], ARGV[1])
end
"""


class RateLimiter:
    """Checks and counts requests. Without a cache, or while it is down, everything passes."""

    def __init__(self, cache: Cache, *, rate_limit_enabled: bool) -> None:
        self._cache = cache
        self._rate_limit_enabled = rate_limit_enabled
        self._take_script = cache.script(files("notify.services").joinpath("limits.lua").read_text())
        self._give_back_script = cache.script(_GIVE_BACK)

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.cache, rate_limit_enabled=container.parts.settings.api_rate_limit_enabled)

    def request(self, service: CachedService, key_type: str, kind: str, *, international: bool = False) -> LimitRequest:
        """A request to send a message (sms, email or letter), for `take`. Messages of test keys are not counted."""
        return LimitRequest(
            service.id,
            key_type,
            kind,
            service.rate_limit if self._rate_limit_enabled else 0,
            daily_limit(service, key_type, kind),
            daily_limit(service, key_type, INTERNATIONAL_SMS) if international else None,
            key_type != "test",
        )

    def check(self, request: LimitRequest) -> None:
        """Count one request towards the limit per minute and check the daily limit, for a message that is not stored.

        Raises `RateLimitError`, `TooManyRequestsError`.
        """
        (refusal,) = self.take([request._replace(counts=False)])
        if refusal is not None:
            raise refusal

    def check_day(self, service: CachedService, key_type: str, kind: str) -> None:
        """Check only the daily limit. Raises `TooManyRequestsError`."""
        self.check(self.request(service, key_type, kind)._replace(rate_limit=0))

    def sent_today(self, service_id: UUID, kind: str) -> int | None:
        """The number of messages of a kind counted today; None without a cache, or while it is down."""
        if not self._cache.is_enabled:
            return None
        counted = self._cache.get(counter_key(service_id, "normal", kind))
        return int(counted) if counted else 0

    def take(self, requests: Sequence[LimitRequest]) -> list[ProblemError | None]:
        """Check requests against the limits per minute and day, and count them, in one round trip.

        Returns, for each request, the reason why it is refused, or `None`. A request that is not refused was counted:
        `give_back` it if its message is not stored.
        """
        if not self._cache.is_enabled:
            return [None] * len(requests)
        return [_refusal(request, stopped) for request, stopped in zip(requests, self._take(requests), strict=True)]

    def _take(self, requests: Sequence[LimitRequest]) -> list[int]:
        groups = Counter(requests)
        now = time.time()
        began = time.perf_counter()
        results = self._take_script.run_many([_arguments(group, wanted, now) for group, wanted in groups.items()])
        elapsed = time.perf_counter() - began
        metrics.limits_looked_at(elapsed)
        metrics.limits_counted(elapsed)
        if results is None:
            return [0] * len(requests)
        passing = {group: _Group(*result) for group, result in zip(groups, results, strict=True)}
        answers = []
        for request in requests:
            group = passing[request]
            passing[request] = group._replace(passed=group.passed - 1)
            answers.append(0 if group.passed > 0 else group.stopped)
        return answers

    def give_back(self, requests: Iterable[LimitRequest]) -> None:
        """Decrease the daily counters again for requests that passed, but whose messages were not stored."""
        counts = Counter(key for request in requests if request.counts for key in _counters(request))
        if counts:
            self._give_back_script.run_many([((key,), (number,)) for key, number in counts.items()])

    def count(self, counters: Iterable[tuple[UUID, str]]) -> None:
        """Count messages that were stored without `take`: one (service id, kind) for each."""
        counts = Counter(counters)
        if not counts:
            return

        def fill(pipeline: Pipeline) -> None:
            for (service_id, kind), number in counts.items():
                key = counter_key(service_id, "normal", kind)
                pipeline.set(key, 0, ex=DAY_SECONDS, nx=True)
                pipeline.incrby(key, number)

        began = time.perf_counter()
        self._cache.pipeline("count messages", fill)
        metrics.limits_counted(time.perf_counter() - began)


def _counters(request: LimitRequest) -> list[str]:
    """The daily counters of a request."""
    keys = [counter_key(request.service_id, request.key_type, request.kind)]
    if request.international_limit is not None:
        keys.append(counter_key(request.service_id, request.key_type, INTERNATIONAL_SMS))
    return keys


def _arguments(request: LimitRequest, wanted: int, now: float) -> tuple[list[str], list[float]]:
    """Keys and arguments of `limits.lua`."""
    rate_limit = request.rate_limit
    capacity = min(math.ceil(rate_limit / 3) + 1, LARGEST_BUCKET) if rate_limit else 0
    arguments = [wanted, now, rate_limit / 60, capacity, int(request.counts), request.daily_limit]
    if request.international_limit is not None:
        arguments.append(request.international_limit)
    return [f"{request.service_id}-tokens-{request.key_type}", *_counters(request)], arguments
