"""Rendered letters for previews go after some days, wherever they are kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from notify.infra.objects import Objects
from notify.infra.times import utc_now
from notify.letters import maintenance_tasks, preview_cache
from notify.letters.preview_cache import KEPT_FOR, PreviewCache
from notify.letters.settings import LetterRenderSettings
from tests.api import Api


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_what_is_old_is_deleted_and_nothing_else(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview_cache, "AT_A_TIME", 2)
    objects = Objects(f"file://{tmp_path}/objects" if kind == "file" else "memory:///")
    bucket, other = objects.bucket("cache"), objects.bucket("letters")
    for number in range(5):
        bucket.put(f"pngs/{number}.png", b"Ann Example")
    bucket.put("2026-07-16/NOTIFY.AAB.2.PDF", b"%PDF")
    other.put("NOTIFY.AAB.1", b"1")
    cache, now = PreviewCache(bucket), utc_now()
    assert cache.delete_old(now + KEPT_FOR - timedelta(minutes=1)) == 0
    assert len(list(bucket.keys())) == 6
    assert cache.delete_old(now + KEPT_FOR + timedelta(minutes=1)) == 5
    assert cache.delete_old(now + KEPT_FOR + timedelta(minutes=1)) == 0
    assert list(bucket.keys()) == ["2026-07-16/NOTIFY.AAB.2.PDF"]
    assert list(other.keys()) == ["NOTIFY.AAB.1"]
    if kind == "file":
        assert not [path for path in tmp_path.rglob("*.png*") if path.is_file()]


def test_the_task_looks_into_the_bucket_of_previews(api: Api) -> None:
    name = api.parts.settings.part(LetterRenderSettings).letter_cache_bucket_name
    bucket = api.parts.objects.bucket(name)
    bucket.put("templated/fresh.pdf", b"%PDF")
    maintenance_tasks.delete_old_previews_of_letters(api.container)
    assert "templated/fresh.pdf" in list(bucket.keys())
