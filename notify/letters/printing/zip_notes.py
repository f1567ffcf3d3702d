"""Records of zip files that are being sent to the printer (contract: letters 11).

A file is recorded, with the keys of its PDFs, before it is sent. A letter of an unfinished file goes into no other
file, on any day: if a task is lost between the upload and the update of its letters, the next run resumes the recorded
file, and finds that the printer has it.
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
"""How long the record of a finished file is kept."""

_UNDER_WAY: Final = "SELECT name, keys FROM letter_zip_files WHERE ended_at IS NULL ORDER BY created_at, name"
_FIND: Final = "SELECT name, keys FROM letter_zip_files WHERE name = %s AND ended_at IS NULL"
_ADD: Final = """
INSERT INTO letter_zip_files (name, keys, created_at) VALUES (%(name)s, %(keys)s, %(now)s)
ON CONFLICT (name) DO UPDATE SET keys = excluded.keys, ended_at = NULL
"""
_END: Final = "UPDATE letter_zip_files SET ended_at = %(now)s WHERE name = %(name)s AND ended_at IS NULL"
_FORGET: Final = "DELETE FROM letter_zip_files WHERE ended_at < %s"


class ZipNote(NamedTuple):
    """An unfinished file: its name, and the keys of its PDFs."""

    name: str
    keys: list[str]


class ZipNotes:
    """Writes and reads the records."""

    def __init__(self, database: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database)

    def under_way(self) -> list[ZipNote]:
        """The unfinished files: those not known to have arrived. Oldest first."""
        with self._database.connection() as connection:
            return self.read_under_way(connection)

    def read_under_way(self, connection: Connection[Any]) -> list[ZipNote]:
        """As `under_way`, in a transaction."""
        return connection.cursor(row_factory=args_row(ZipNote)).execute(_UNDER_WAY).fetchall()

    def find(self, connection: Connection[Any], name: str) -> ZipNote | None:
        """The record of an unfinished file, or `None`."""
        return connection.cursor(row_factory=args_row(ZipNote)).execute(_FIND, (name,)).fetchone()

    def add(self, connection: Connection[Any], name: str, keys: Sequence[str]) -> None:
        """Record a file before it is sent. Valid from the end of the transaction."""
        connection.execute(_ADD, {"name": name, "keys": list(keys), "now": self._now()})

    def end(self, connection: Connection[Any], name: str) -> None:
        """Record that a file arrived, or was given up."""
        connection.execute(_END, {"name": name, "now": self._now()})

    def forget_old(self) -> int:
        """Delete old records of finished files. Returns their number."""
        with self._database.connection() as connection:
            return connection.execute(_FORGET, (self._now() - KEPT,)).rowcount
