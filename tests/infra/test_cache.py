import time
from pathlib import Path

from notify.infra.cache import Cache
from notify.infra.valkey import start_valkey


def test_values_scripts_and_pipelines(valkey_url: str) -> None:
    cache = Cache(valkey_url)
    cache.set("k", "v", seconds=10)
    assert cache.get("k") == b"v"
    assert cache.pipeline("two", lambda pipe: (pipe.incr("n"), pipe.incr("n"))) == [1, 2]
    script = cache.script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    assert script.run_many([(["n"], [5])]) == [7]
    assert script.run_many([(["n"], [1]), (["n"], [1])]) == [8, 9]
    cache.delete("k", "n")
    assert cache.get("k") is None
    assert cache.is_ready()
    cache.close()


def test_a_script_survives_a_server_that_forgot_it(valkey_url: str) -> None:
    cache = Cache(valkey_url)
    script = cache.script("return 1")
    assert script.run_many([([], [])]) == [1]
    cache.pipeline("flush", lambda pipe: pipe.script_flush())
    assert script.run_many([([], []), ([], [])]) == [1, 1]


def test_without_a_cache_nothing_is_known_and_nothing_fails() -> None:
    cache = Cache("")
    cache.set("k", "v", seconds=1)
    assert cache.get("k") is None
    assert cache.script("return 1").run_many([([], [])]) is None
    assert cache.is_ready()


def test_a_cache_that_went_away_costs_one_failure_and_comes_back(tmp_path: Path) -> None:
    server = start_valkey(tmp_path, durable=False)
    cache = Cache(server.url, timeout=1)
    cache.set("k", "v", seconds=10)
    server.stop()
    assert cache.get("k") is None
    assert cache.get("k") is None
    assert not cache.is_ready()
    server = start_valkey(tmp_path, durable=False, url=server.url)
    deadline = time.monotonic() + 20
    while cache.get("k") != b"w":
        assert time.monotonic() < deadline
        cache.set("k", "w", seconds=10)
        time.sleep(0.05)
    cache.close()
    server.stop()
