import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from notify.infra.objects import ObjectMissingError, Objects

THREADS = 16
ROUNDS = 50


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_objects_are_kept_listed_and_forgotten(tmp_path: Path, kind: str) -> None:
    objects = Objects(f"file://{tmp_path}/objects" if kind == "file" else "memory:///")
    objects.put("a/b/one", b"1")
    objects.put("a/b/two", b"2")
    objects.put("a/b/one", b"3")
    assert objects.get("a/b/one") == b"3"
    assert sorted(objects.keys("a/b")) == ["a/b/one", "a/b/two"]
    objects.delete("a/b/one")
    objects.delete("a/b/one")
    with pytest.raises(ObjectMissingError):
        objects.get("a/b/one")


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_a_bucket_finds_a_key_by_how_it_begins(tmp_path: Path, kind: str) -> None:
    bucket = Objects(f"file://{tmp_path}/objects" if kind == "file" else "memory:///").bucket("letters")
    for key in ("day/NOTIFY.AAB.2", "day/NOTIFY.AAB.1", "day/NOTIFY.AB.1", "NOTIFY.AAB.0", "day2/NOTIFY.AC.1"):
        bucket.put(key, b"1")
    assert bucket.first_key("day/NOTIFY.AAB") == "day/NOTIFY.AAB.1"
    assert bucket.first_key("day/NOTIFY.AAA") is None
    assert bucket.first_key("NOTIFY.AAB") == "NOTIFY.AAB.0"
    assert bucket.first_key("day3/NOTIFY.AAB") is None
    assert sorted(bucket.keys("day")) == ["day/NOTIFY.AAB.1", "day/NOTIFY.AAB.2", "day/NOTIFY.AB.1"]
    assert len(list(bucket.keys())) == 5


def test_threads_share_one_store() -> None:
    for _ in range(ROUNDS):
        objects = Objects("memory:///")
        together = threading.Barrier(THREADS)

        def put(number: int, objects: Objects = objects, together: threading.Barrier = together) -> None:
            together.wait()
            objects.put(f"files/{number}", b"content")

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(put, range(THREADS)))
        assert len(list(objects.keys("files"))) == THREADS
