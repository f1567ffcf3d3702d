"""Deletes old previews of rendered letters, which contain recipients' addresses."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import Final, Self

from notify.infra.container import Container
from notify.infra.objects import Bucket
from notify.letters.settings import LetterRenderSettings

KEPT_FOR: Final = timedelta(days=3)
"""Shorter than the retention of letters. A deleted preview is rendered again when needed."""
AT_A_TIME: Final = 500
FOLDERS: Final = ("templated/", "pngs/")
"""Folders of previews. Nothing else in the bucket is deleted, whatever bucket the setting names."""


class PreviewCache:
    """The bucket of `notify.letters.kept_previews`, without loading the renderer."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    @classmethod
    def build(cls, container: Container) -> Self:
        """With the bucket of the settings."""
        name = container.parts.settings.part(LetterRenderSettings).letter_cache_bucket_name
        return cls(container.parts.objects.bucket(name))

    def delete_old(self, now: datetime) -> int:
        """Delete previews older than `KEPT_FOR`. Returns their number. Safe to run twice, also concurrently."""
        old = (key for key in self._bucket.keys_before(now - KEPT_FOR) if key.startswith(FOLDERS))
        number = 0
        while keys := list(islice(old, AT_A_TIME)):
            self._bucket.delete_many(keys)
            number += len(keys)
        return number
