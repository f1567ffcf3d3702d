"""Notes of zip files that are on their way to the printer (contract: letters 11).

A file is noted, with the keys of its PDFs, before anything of it leaves. A letter of a file that is under way goes into
no other file, on whatever day: where a task is lost between the upload and the status of its letters, the next run
takes the noted file up again, and finds that the printer has it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Self

from psycopg import Connection
from psycopg.rows import args_row

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.times import utc_now

KEPT: Final = timedelta(days=30)
"""How long the note of a file that arrived, or failed, is kept."""

_UNDER_WAY: Final = "SELECT name, keys FROM letter_zip_files WHERE ended_at IS NULL ORDER BY created_at, name"
_FIND: Final = "SELECT name, keys FROM letter_zip_files WHERE name = %s AND ended_at IS NULL"
_ADD: Final = """
INSERT INTO letter_zip_files (name, keys, created_at) VALUES (%(name)s, %(keys)s, %(now)s)
ON CONFLICT (name) DO UPDATE SET keys = excluded.keys, ended_at = NULL
"""
_END: Final = "UPDATE letter_zip_files SET ended_at = %(now)s WHERE name = %(name)s AND ended_at IS NULL"
_FORGET: Final = "DELETE FROM letter_zip_files WHERE ended_at < %s"


class ZipNote(NamedTuple):
    """A file that is under way: its name, and the keys of its PDFs."""

    name: str
    keys: list[str]


class ZipNotes:
    """Writes and reads the notes."""

    def __init__(self, database: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        return cls(container.parts.database)

    def under_way(self) -> list[ZipNote]:
        """The files of which it is not known yet that they arrived, the oldest first."""
        with self._database.connection() as connection:
            return self.read_under_way(connection)

    def read_under_way(self, connection: Connection[Any]) -> list[ZipNote]:
        """As `under_way`, in a transaction."""
        return connection.cursor(row_factory=args_row(ZipNote)).execute(_UNDER_WAY).fetchall()

    def find(self, connection: Connection[Any], name: str) -> ZipNote | None:
        """The note of a file that is under way, or `None`."""
        return connection.cursor(row_factory=args_row(ZipNote)).execute(_FIND, (name,)).fetchone()

    def add(self, connection: Connection[Any], name: str, keys: Sequence[str]) -> None:
        """Note that a file is under way. It counts from the end of the transaction."""
        connection.execute(_ADD, {"name": name, "keys": list(keys), "now": self._now()})

    def end(self, connection: Connection[Any], name: str) -> None:
        """Note that a file arrived, or was given up."""
        connection.execute(_END, {"name": name, "now": self._now()})

    def forget_old(self) -> int:
        """Delete old notes of files that are not under way; their number."""
        with self._database.connection() as connection:
            return connection.execute(_FORGET, (self._now() - KEPT,)).rowcount
