"""Finds letters of test keys without a PDF, because their task was lost.

A live letter without sheets is found by its row (`notify.messages.maintenance`). The row of a test letter does not
tell: it is `delivered` from the start, and has no sheets (contract: letters 8.1). So the bucket is checked, for few
letters and a short time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Self
from uuid import UUID

from psycopg.rows import args_row

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.queue import Queue
from notify.infra.times import utc_now
from notify.letters.files import LetterFiles, LetterMissingError
from notify.messages.publish import publish, queue_for

YOUNGEST: Final = timedelta(minutes=2)
OLDEST: Final = timedelta(minutes=32)
"""Ages of letters to check. With a run every ten minutes, each is checked three times."""
MOST_LETTERS: Final = 5_000
"""Most letters checked in a run, the newest ones."""
READ_AT_A_TIME: Final = 500
THREADS: Final = 8

_TEST_LETTERS: Final = """
SELECT id, reference, postage, created_at, key_type, notification_status FROM notifications
WHERE notification_type = 'letter' AND key_type = 'test' AND notification_status IN ('sending', 'delivered')
  AND created_at > %(from)s AND (created_at, id) < (%(before)s, %(before_id)s)
ORDER BY created_at DESC, id DESC LIMIT %(limit)s
"""


class _TestLetter(NamedTuple):
    """A letter of a test key: a `files.Letter`."""

    id: UUID
    reference: str | None
    postage: str | None
    created_at: datetime
    key_type: str
    notification_status: str


class LostTestLetters:
    """Finds them, and publishes their first step again. A PDF is still made only once if the first task just waits."""

    def __init__(
        self, database: Database, queue: Queue, files: LetterFiles, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self._queue = queue
        self._files = files
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database, container.parts.queue, container.get(LetterFiles))

    def replay(self) -> int:
        """Publish the first step of letters without a PDF again. Returns their number."""
        with ThreadPoolExecutor(THREADS, thread_name_prefix="letters") as threads:
            lost = [id_ for rows in self._pages() for id_ in threads.map(self._if_lost, rows) if id_ is not None]
        return publish(self._queue, "letter", queue_for("letter", "test"), lost)

    def _pages(self) -> Iterator[Sequence[_TestLetter]]:
        now = self._now()
        before, before_id = now - YOUNGEST, UUID(int=0)
        for _ in range(MOST_LETTERS // READ_AT_A_TIME):
            values = {"from": now - OLDEST, "before": before, "before_id": before_id, "limit": READ_AT_A_TIME}
            with self._database.connection() as connection:
                rows = connection.cursor(row_factory=args_row(_TestLetter)).execute(_TEST_LETTERS, values).fetchall()
            yield rows
            if len(rows) < READ_AT_A_TIME:
                return
            before, before_id = rows[-1].created_at, rows[-1].id

    def _if_lost(self, letter: _TestLetter) -> UUID | None:
        places = (letter, letter._replace(notification_status="validation-failed"))  # a letter that is too long
        for place in places:
            try:
                self._files.find(place)
            except LetterMissingError:
                continue
            return None
        return letter.id
