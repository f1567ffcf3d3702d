"""Fake response files in place of those of the printer that takes zip files (contract: letters 11.3, workers 2020):
they report that a letter of a test key was posted.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Self

from notify import queues
from notify.infra.container import Container
from notify.infra.objects import Bucket
from notify.infra.queue import Queue, TaskName
from notify.infra.times import utc_now
from notify.letters.files import exists, put
from notify.letters.printing.responses import RECORD_SORTED_COUNTS, SENT, UPDATE_STATUSES
from notify.letters.settings import PrinterSettings

CREATE_FAKE_RESPONSE: Final = TaskName("create-fake-letter-response-file")
SECONDS_BACK: Final = 30
"""The name of a file is a time; several letters of the same second get earlier times."""


class NoFreeNameError(Exception):
    """There is already a file for each of the last seconds. A retry will succeed soon."""


class FakeResponses:
    """Writes fake response files. In development and test no event announces new files, so they are read at once."""

    def __init__(
        self, responses: Bucket, queue: Queue, *, are_read: bool, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._responses = responses
        self._queue = queue
        self._are_read = are_read
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        bucket = parts.objects.bucket(parts.settings.part(PrinterSettings).response_bucket)
        return cls(bucket, parts.queue, are_read=parts.settings.is_safe_environment)

    def write(self, reference: str) -> str:
        """Write the file of one letter; returns its name. Raises `NoFreeNameError`."""
        name = self._free_name()
        put(self._responses, name, f"{reference}|{SENT}|0|Sorted".encode())
        if self._are_read:
            for task in (UPDATE_STATUSES, RECORD_SORTED_COUNTS):
                self._queue.publish(task, [name], queue=queues.INTERNAL)
        return name

    def _free_name(self) -> str:
        now = self._now()
        for seconds in random.sample(range(SECONDS_BACK), SECONDS_BACK):
            name = f"NOTIFY-{now - timedelta(seconds=seconds):%Y%m%d%H%M%S}-RSP.TXT"
            if not exists(self._responses, name):
                return name
        raise NoFreeNameError
