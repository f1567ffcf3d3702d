from pathlib import Path

import pytest

from notify.infra.objects import ObjectMissingError, Objects


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
