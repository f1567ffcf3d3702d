import struct
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest

from notify.infra.cache import Cache
from notify.infra.ids import new_id
from notify.services.limits import RateLimiter, RateLimitError, TooManyRequestsError, counter_key
from notify.services.queries import CachedService


@pytest.fixture
def cache(valkey_url: str) -> Cache:
    return Cache(valkey_url)


@pytest.fixture
def limits(cache: Cache) -> RateLimiter:
    return RateLimiter(cache, rate_limit_enabled=True)


def service(**changes: object) -> CachedService:
    plain = CachedService(
        id=new_id(),
        name="s",
        active=True,
        contact_link=None,
        custom_email_sender_name=None,
        email_sender_local_part="s",
        email_message_limit=10,
        letter_message_limit=10,
        sms_message_limit=10,
        international_sms_message_limit=1,
        permissions=frozenset(),
        rate_limit=60,
        restricted=False,
        prefix_sms=False,
        email_branding=None,
        api_keys=(),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def passing(limits: RateLimiter, given: CachedService, number: int, key_type: str = "normal") -> int:
    refusals = limits.take([limits.request(given, key_type, "sms")] * number)
    passed = refusals.count(None)
    assert all(refusal is None for refusal in refusals[:passed])
    return passed


def test_a_full_bucket_holds_a_third_of_a_minute_and_refills_by_whole_tokens(
    limits: RateLimiter, clock: list[float]
) -> None:
    given = service(rate_limit=60, sms_message_limit=10_000)  # one token a second, 21 at the most
    assert passing(limits, given, 30) == 20
    assert passing(limits, given, 1) == 0
    clock[0] += 1.9
    assert passing(limits, given, 1) == 0  # the one token is this request's own
    clock[0] += 2.2
    assert passing(limits, given, 3) == 2  # 1.9 and 2.2 make four, of which one went before
    clock[0] += 1000
    assert passing(limits, given, 30) == 20


def test_the_bucket_is_kept_as_the_contract_has_it(limits: RateLimiter, cache: Cache, clock: list[float]) -> None:
    given = service(rate_limit=60)
    limits.check(limits.request(given, "team", "sms"))
    state = cache.get(f"{given.id}-tokens-team")
    assert state is not None
    assert struct.unpack("<di", state) == (clock[0], 20)


def test_one_by_one_is_the_same_as_together(limits: RateLimiter, clock: list[float]) -> None:
    del clock
    one, many = service(rate_limit=60, sms_message_limit=99), service(rate_limit=60, sms_message_limit=99)
    assert sum(passing(limits, one, 1) for _ in range(30)) == passing(limits, many, 30)


@pytest.mark.parametrize(("key_type", "word"), [("normal", "LIVE"), ("team", "TEAM"), ("test", "TEST")])
def test_the_text_names_the_kind_of_key(limits: RateLimiter, key_type: str, word: str) -> None:
    request = limits.request(service(rate_limit=0), key_type, "sms")._replace(rate_limit=1)
    limits.take([request] * 5)
    with pytest.raises(RateLimitError) as caught:
        limits.check(request)
    assert caught.value.messages == [f"Exceeded rate limit for key type {word} of 1 requests per 60 seconds"]


def test_a_day_ends_when_its_limit_is_used_up(limits: RateLimiter, cache: Cache) -> None:
    given = service(sms_message_limit=3, rate_limit=6000)
    limits.count([(given.id, "sms")] * 2)
    assert passing(limits, given, 2) == 1
    with pytest.raises(TooManyRequestsError) as caught:
        limits.check(limits.request(given, "normal", "sms"))
    assert caught.value.messages == ["Exceeded send limits (sms: 3) for today"]
    assert cache.get(counter_key(given.id, "normal", "sms")) == b"3"


def test_other_kinds_and_test_keys_have_days_of_their_own(limits: RateLimiter) -> None:
    given = service(rate_limit=6000, restricted=True)
    limits.count([(given.id, "sms")] * 10)
    limits.check(limits.request(given, "normal", "email"))
    limits.check(limits.request(given, "test", "sms"))
    limits.count([(given.id, "international_sms")])
    with pytest.raises(TooManyRequestsError, match="international_sms: 1"):
        limits.check_day(given, "normal", "international_sms")


def test_without_a_cache_everything_passes() -> None:
    limits = RateLimiter(Cache(""), rate_limit_enabled=True)
    assert passing(limits, service(rate_limit=1, sms_message_limit=0), 5) == 5
    limits.count([(UUID(int=0), "sms")])


def test_with_the_cache_down_everything_passes() -> None:
    limits = RateLimiter(Cache("redis://127.0.0.1:9", timeout=0.2), rate_limit_enabled=True)
    assert passing(limits, service(sms_message_limit=0), 5) == 5


def test_what_passes_is_counted_at_once(limits: RateLimiter, cache: Cache) -> None:
    given = service(sms_message_limit=5, rate_limit=6000)
    assert [passing(limits, given, 1) for _ in range(7)] == [1] * 5 + [0] * 2
    assert passing(limits, given, 3) == 0
    assert cache.get(counter_key(given.id, "normal", "sms")) == b"5"


def test_no_two_get_the_same_place(limits: RateLimiter, cache: Cache) -> None:
    given = service(sms_message_limit=20, rate_limit=6000)
    with ThreadPoolExecutor(12) as pool:
        passed = sum(pool.map(lambda _: passing(limits, given, 1), range(60)))
    assert passed == 20
    assert cache.get(counter_key(given.id, "normal", "sms")) == b"20"


def test_what_is_given_back_may_be_taken_again(limits: RateLimiter, cache: Cache) -> None:
    given = service(sms_message_limit=2, rate_limit=6000, international_sms_message_limit=5)
    request = limits.request(given, "normal", "sms", international=True)
    assert limits.take([request, request]) == [None, None]
    limits.give_back([request])
    assert cache.get(counter_key(given.id, "normal", "sms")) == b"1"
    assert cache.get(counter_key(given.id, "normal", "international_sms")) == b"1"
    assert passing(limits, given, 2) == 1
    limits.give_back([request._replace(counts=False)] * 5)
    assert cache.get(counter_key(given.id, "normal", "sms")) == b"2"


def test_giving_back_what_is_no_longer_counted_leaves_no_counter_behind(limits: RateLimiter, cache: Cache) -> None:
    given = service()
    limits.give_back([limits.request(given, "normal", "sms")])
    assert cache.get(counter_key(given.id, "normal", "sms")) is None


def test_international_texts_have_a_limit_of_their_own(limits: RateLimiter, cache: Cache) -> None:
    given = service(sms_message_limit=5, international_sms_message_limit=2, rate_limit=6000)
    abroad = limits.request(given, "normal", "sms", international=True)
    refusals = limits.take([abroad] * 3)
    assert refusals[:2] == [None, None]
    assert isinstance(refusals[2], TooManyRequestsError)
    assert refusals[2].messages == ["Exceeded send limits (international_sms: 2) for today"]
    # what one limit refuses is counted in neither
    assert cache.get(counter_key(given.id, "normal", "sms")) == b"2"
    assert passing(limits, given, 5) == 3


def test_test_keys_and_looks_are_not_counted(limits: RateLimiter, cache: Cache) -> None:
    given = service(sms_message_limit=1, rate_limit=6000)
    assert passing(limits, given, 1, "test") == 1
    limits.check(limits.request(given, "normal", "sms"))
    assert passing(limits, given, 1) == 1
    assert passing(limits, given, 3, "test") == 3
    assert cache.get(counter_key(given.id, "test", "sms")) == b"0"
    assert cache.get(counter_key(given.id, "normal", "sms")) == b"1"
