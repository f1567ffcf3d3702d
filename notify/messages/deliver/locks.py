"""Locks of messages: only the holder of a message's advisory lock may send it, in a transaction that lasts as long as
its batch (docs/decisions/0006).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import psycopg
import structlog
from psycopg.rows import args_row

from notify.infra.database import Database, is_hung_up, is_unavailable

logger = structlog.get_logger(__name__)

LARGE_BYTES: Final = 32 * 1024
"""Larger personalisation (bytes) is not read together with hundreds of others."""

IDLE_LIMIT_MS: Final = 300_000
"""The server ends the transaction of a worker that is silent for this long: it is frozen, and others take over."""
PING_SECONDS: Final = 30.0
STALE_SECONDS: Final = 5.0
"""A check of the locks expires after this many seconds."""

# 6011: messages, 6013: batches. A server may have timeouts for transactions (the second one since PostgreSQL 17). This
# transaction only deletes the batch's row and need not wait for the disk: a row that returns after a crash is harmless
_OPEN: Final = """
SELECT pg_try_advisory_xact_lock(hashtextextended(%(batch)s, 6013)),
       set_config('synchronous_commit', 'off', true),
       set_config('idle_in_transaction_session_timeout', %(idle)s, true),
       CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL
            THEN set_config('transaction_timeout', '0', true) END
"""
_LOCK: Final = """
SELECT id FROM unnest(%s::uuid[]) AS id WHERE pg_try_advisory_xact_lock(hashtextextended(id::text, 6011))
"""
_READ: Final = """
SELECT id, service_id, template_id, template_version, key_type, "to",
       CASE WHEN %(whole)s OR octet_length(_personalisation) <= %(large)s THEN _personalisation END,
       coalesce(octet_length(_personalisation), 0), normalised_to, reply_to_text, international, unsubscribe_link,
       coalesce(scheduled_for, created_at), tries, interrupted, next_try_at
FROM notifications
WHERE id = ANY(%(ids)s) AND notification_status = 'created' AND notification_type = %(type)s
  AND (next_try_at IS NULL OR next_try_at <= %(now)s OR next_try_at = %(due)s)
"""
_NOTE: Final = "INSERT INTO delivery_batches (id, taken_at, message_ids) VALUES (%s, now(), %s)"
_FORGET: Final = "DELETE FROM delivery_batches WHERE id = %s"


class Row(NamedTuple):
    """A message read for delivery. `personalisation` is None if it is larger than `LARGE_BYTES` and was not requested;
    `size` is always its length. `interrupted` counts the workers that died while sending it. `wanted_at` is when it was
    accepted, or the time it is scheduled for.
    """

    id: UUID
    service_id: UUID
    template_id: UUID
    template_version: int
    key_type: str
    to: bytes
    personalisation: bytes | None
    size: int
    normalised_to: str
    reply_to_text: str | None
    international: bool
    unsubscribe_link: str | None
    wanted_at: datetime
    tries: int
    interrupted: int
    next_try_at: datetime | None


_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def clock() -> float:
    """Monotonic seconds, including time in which the machine was suspended (if the system supports that)."""
    return time.clock_gettime(_CLOCK)


class MessageLocks:
    """The locks of one batch. Created by `hold_locks`."""

    def __init__(self, database: Database, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._database = database
        self._connection = connection
        self._id = uuid4()
        self._is_noted = False
        self._are_lost = False
        self._looked_at = self._asked_at = clock()

    def take(self, ids: Sequence[UUID]) -> list[UUID]:
        """Lock those messages that no one else has locked, until the transaction ends. Raises `psycopg.Error`."""
        self._connection.execute(_OPEN, {"batch": str(self._id), "idle": str(IDLE_LIMIT_MS)})
        locked = [row[0] for row in self._connection.execute(_LOCK, (ids,))]
        self._looked_at = self._asked_at = clock()
        return locked

    def read(
        self, ids: Sequence[UUID], notification_type: str, *, due: datetime | None, now: datetime, whole: bool
    ) -> list[Row]:
        """Those messages to send now: they are still `created`, and their next try is due, or is the one that `due`
        names. Any other task for them is out of date, and ends here. With `whole`, large personalisation is read, too.

        First records the batch on disk: a receipt may arrive before our result is written, even after a crash of the
        database in between. That also proves that the database accepts writes: otherwise nothing may be sent, because
        results could not be stored. Raises `psycopg.Error`.
        """
        values = {
            "ids": ids,
            "type": notification_type,
            "whole": whole,
            "large": LARGE_BYTES,
            "due": due,
            "now": now,
        }
        # not on the connection that holds the locks: a schema change must not wait for it, and our writes for that
        with self._database.autocommit() as other:
            other.execute(_NOTE, (self._id, ids))
            self._is_noted = True
            # a new snapshot, which sees what others committed before they released the locks
            return other.cursor(row_factory=args_row(Row)).execute(_READ, values).fetchall()

    def finish(self) -> None:
        """Delete the record of the batch."""
        if self._is_noted and not self._are_lost:
            self._connection.execute(_FORGET, (self._id,))

    # -- while messages are handed over

    @property
    def are_held(self) -> bool:
        """Whether we held the locks at the last check, a few seconds ago. Needs no query."""
        return not self._are_lost and clock() - self._looked_at < STALE_SECONDS

    @property
    def must_ask(self) -> bool:
        """Whether to query the server: it seems to have closed the connection, or we could not check for a while, or
        the connection has been idle for long.
        """
        now = clock()
        return (
            now - self._looked_at >= STALE_SECONDS
            or now - self._asked_at >= PING_SECONDS
            or is_hung_up(self._connection)
        )

    def look(self) -> None:
        """Record that a query is not needed, as `must_ask` found."""
        self._looked_at = clock()

    def ask(self) -> None:
        """Check with a query that the transaction still exists."""
        if self._are_lost:
            return
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error as error:
            self._are_lost = True
            logger.warning("locks of messages were lost", error=type(error).__name__)
        self._looked_at = self._asked_at = clock()


@contextmanager
def hold_locks(database: Database) -> Iterator[MessageLocks]:
    """A transaction for the locks of a batch. It changes no message, so losing it at the end is not an error."""
    is_done = False
    try:
        with database.connection() as connection:
            locks = MessageLocks(database, connection)
            yield locks
            is_done = True
            locks.finish()
    except Exception as error:
        if not (is_done and is_unavailable(error)):
            raise
        logger.warning("locks of messages were lost", error=type(error).__name__)


class InHand:
    """The messages that this process is about to send, or has sent without storing the result yet. The advisory locks
    tell other processes the same, but they are lost when the database restarts.
    """

    def __init__(self) -> None:
        self._ids: set[UUID] = set()
        self._lock = threading.Lock()

    @contextmanager
    def take(self, wanted: Sequence[UUID]) -> Iterator[list[UUID]]:
        """Those messages that are not in hand yet; they are in hand while the block runs."""
        with self._lock:
            ids = [id_ for id_ in dict.fromkeys(wanted) if id_ not in self._ids]
            self._ids.update(ids)
        try:
            yield ids
        finally:
            with self._lock:
                self._ids.difference_update(ids)
