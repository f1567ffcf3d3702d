"""How much a service may send: requests a minute and messages a day (contract: public-api 5.1, content 17.3)."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import NamedTuple, Self
from uuid import UUID

from redis.client import Pipeline

from notify.infra.cache import Cache
from notify.infra.container import Container
from notify.infra.errors import ProblemError
from notify.services import metrics
from notify.services.queries import CachedService

DAY_SECONDS = 86_400
KEY_TYPE_WORDS = {"normal": "LIVE", "team": "TEAM", "test": "TEST"}
LIVE_DEFAULTS = {"email": 250_000, "sms": 250_000, "letter": 20_000, "international_sms": 100}
"""Daily limits of a test key of a service in trial mode."""

LARGEST_BUCKET = 1000


class LimitExceededError(ProblemError):
    """A limit is used up."""

    status = 429


class TooManyRequestsError(LimitExceededError):
    """The day's limit is used up."""

    error = "TooManyRequestsError"


class RateLimitError(LimitExceededError):
    """The minute's limit is used up."""

    error = "RateLimitError"


class LimitRequest(NamedTuple):
    """One request to send a message, as limits see it. A rate limit of 0: only the day's limit counts."""

    service_id: UUID
    key_type: str
    kind: str
    rate_limit: int
    daily_limit: int


def daily_limit(service: CachedService, key_type: str, kind: str) -> int:
    """Messages of a kind (sms, email, letter, international_sms) that the service may send today."""
    if key_type == "test" and service.restricted:
        return LIVE_DEFAULTS[kind]
    return {
        "email": service.email_message_limit,
        "sms": service.sms_message_limit,
        "letter": service.letter_message_limit,
        "international_sms": service.international_sms_message_limit,
    }[kind]


def counter_key(service_id: UUID, key_type: str, kind: str) -> str:
    """Name of the day's counter in the cache."""
    test = "test-" if key_type == "test" else ""
    return f"{service_id}-{test}{kind}-{datetime.now(UTC):%Y-%m-%d}-count"


def _refusal(request: LimitRequest, stopped: int) -> ProblemError | None:
    if stopped == 1:
        word = KEY_TYPE_WORDS[request.key_type]
        return RateLimitError(
            f"Exceeded rate limit for key type {word} of {request.rate_limit} requests per 60 seconds"
        )
    if stopped == 2:
        return TooManyRequestsError(f"Exceeded send limits ({request.kind}: {request.daily_limit}) for today")
    return None


class RateLimiter:
    """Checks and counts. Without a cache, or while it is down, everything passes."""

    def __init__(self, cache: Cache, *, rate_limit_enabled: bool) -> None:
        self._cache = cache
        self._rate_limit_enabled = rate_limit_enabled
        self._script = cache.script(files("notify.services").joinpath("limits.lua").read_text())

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        parts = container.parts
        return cls(parts.cache, rate_limit_enabled=parts.settings.api_rate_limit_enabled)

    def request(self, service: CachedService, key_type: str, kind: str) -> LimitRequest:
        """A request to send, for `take`."""
        rate_limit = service.rate_limit if self._rate_limit_enabled else 0
        return LimitRequest(service.id, key_type, kind, rate_limit, daily_limit(service, key_type, kind))

    def check(self, request: LimitRequest) -> None:
        """Take one request from both limits. Raises `RateLimitError`, `TooManyRequestsError`."""
        (refusal,) = self.take([request])
        if refusal is not None:
            raise refusal

    def check_day(self, service: CachedService, key_type: str, kind: str) -> None:
        """Look at the day's limit alone. Raises `TooManyRequestsError`."""
        self.check(self.request(service, key_type, kind)._replace(rate_limit=0))

    def take(self, requests: Sequence[LimitRequest]) -> list[ProblemError | None]:
        """Take requests from the limits of their minutes and look at those of their days, in one round trip. For each
        request the reason why it is refused, or None.
        """
        if not self._cache.is_enabled:
            return [None] * len(requests)
        return [_refusal(request, stopped) for request, stopped in zip(requests, self._take(requests), strict=True)]

    def _take(self, requests: Sequence[LimitRequest]) -> list[int]:
        groups = Counter(requests)
        now = time.time()
        began = time.perf_counter()
        results = self._script.run_many(
            [
                (
                    (
                        f"{group.service_id}-tokens-{group.key_type}",
                        counter_key(group.service_id, group.key_type, group.kind),
                    ),
                    (
                        wanted,
                        now,
                        group.rate_limit / 60,
                        min(math.ceil(group.rate_limit / 3) + 1, LARGEST_BUCKET) if group.rate_limit else 0,
                        group.daily_limit,
                    ),
                )
                for group, wanted in groups.items()
            ]
        )
        metrics.limits_looked_at(time.perf_counter() - began)
        if results is None:
            return [0] * len(requests)
        passing = {group: [*result] for group, result in zip(groups, results, strict=True)}
        answers = []
        for request in requests:
            left, stopped = passing[request]
            passing[request][0] = left - 1
            answers.append(0 if left > 0 else stopped)
        return answers

    def count(self, counters: Iterable[tuple[UUID, str]]) -> None:
        """Count stored messages: one (service id, kind) for each. Those of test keys are not counted."""
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
