"""The window of send errors, in a real cache."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis.client import Pipeline

from notify.infra.cache import Cache
from notify.infra.ids import new_id
from notify.infra.valkey import start_valkey
from notify.providers.error_rate import ErrorRate


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cache]:
    server = start_valkey(tmp_path_factory.mktemp("valkey"), durable=False)
    cache = Cache(server.url)
    yield cache
    cache.close()
    server.stop()


@pytest.fixture
def provider() -> str:
    return f"provider-{new_id()}"


def test_the_51st_error_within_a_minute_is_too_many(cache: Cache, provider: str) -> None:
    rate = ErrorRate(cache)
    assert [rate.record(provider, now=1000 + number) for number in range(52)] == [False] * 50 + [True] * 2


def test_errors_at_the_same_time_are_counted_each(cache: Cache, provider: str) -> None:
    rate = ErrorRate(cache)
    assert [rate.record(provider, now=1000) for _ in range(51)][-1]


def test_several_errors_are_counted_at_once(cache: Cache, provider: str) -> None:
    rate = ErrorRate(cache)
    assert [rate.record(provider, number, now=1000) for number in (30, 20, 1)] == [False, False, True]


def test_older_errors_do_not_count(cache: Cache, provider: str) -> None:
    rate = ErrorRate(cache)
    for _ in range(50):
        rate.record(provider, now=1000)
    assert rate.record(provider, now=1059.9)
    assert not rate.record(provider, now=1060.1)


def test_providers_are_counted_apart(cache: Cache, provider: str) -> None:
    rate = ErrorRate(cache)
    for _ in range(60):
        rate.record(provider)
    assert not rate.record(f"{provider}-other")


def test_the_window_does_not_stay_in_the_cache(cache: Cache, provider: str) -> None:
    ErrorRate(cache).record(provider)

    def ask(pipeline: Pipeline) -> None:
        pipeline.ttl(f"{provider}-error-rate")

    results = cache.pipeline("ttl", ask)
    assert results is not None
    assert 0 < results[0] <= 60


@pytest.mark.parametrize("url", ["", "redis://127.0.0.1:9"])
def test_without_a_cache_nothing_is_too_many(url: str, provider: str) -> None:
    rate = ErrorRate(Cache(url))
    assert not any(rate.record(provider) for _ in range(60))
