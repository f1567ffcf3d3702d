"""Checks that the configured keys are those that the database's data is encrypted with.

The one row of `encryption_check` is encrypted like all data, and rewritten last when keys are rotated. So if a key that
some data still needs is missing, the next start fails, and not message after message. This module only needs psycopg,
so that a process that only starts others stays small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg

from notify.infra.secrets import EncryptedColumn, Encryptor, UndecipherableError

CHECK_VALUE: Final = EncryptedColumn("encryption_check", "value")
CHECK_ROW: Final = UUID(int=1)
TEXT: Final = "The keys are right."
CONNECT_SECONDS: Final = 5

_READ: Final = "SELECT value FROM encryption_check WHERE id = %s"
_WRITE: Final = "INSERT INTO encryption_check (id, value) VALUES (%s, %s) ON CONFLICT DO NOTHING"


class WrongKeyError(Exception):
    """The configured keys cannot decrypt this database's data."""


class Sample(NamedTuple):
    """A stored encrypted value, and its column."""

    value: bytes
    column: EncryptedColumn
    row_id: UUID


@contextmanager
def connect(uri: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection for one check. Raises `psycopg.Error`."""
    plain = uri.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(
        plain, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="notify-check"
    ) as connection:
        yield connection


def is_right(connection: psycopg.Connection[tuple[Any, ...]], encryptor: Encryptor) -> bool | None:
    """Whether the keys decrypt the check row; None if there is none yet. Raises `psycopg.Error`."""
    row = connection.execute(_READ, (CHECK_ROW,)).fetchone()
    return None if row is None else _opens(encryptor, Sample(row[0], CHECK_VALUE, CHECK_ROW))


def ensure_right(
    connection: psycopg.Connection[tuple[Any, ...]],
    encryptor: Encryptor,
    samples: Callable[[], Iterable[Sample]],
) -> None:
    """Check the keys. If there is no row yet, check `samples` of the data (at least one must decrypt if there are any),
    and write the row.

    Raises `WrongKeyError`, `psycopg.Error`.
    """
    found = is_right(connection, encryptor)
    if found is None:
        opened = [_opens(encryptor, sample) for sample in samples()]
        found = not opened or any(opened)
        if found:
            connection.execute(_WRITE, (CHECK_ROW, encryptor.encrypt(TEXT, CHECK_VALUE, CHECK_ROW)))
    _refuse_unless(found)


def refuse_wrong(connection: psycopg.Connection[tuple[Any, ...]], encryptor: Encryptor) -> None:
    """Check the keys, if the database has a check row. Raises `WrongKeyError`, `psycopg.Error`."""
    _refuse_unless(is_right(connection, encryptor) is not False)


def _refuse_unless(is_well: bool) -> None:
    if not is_well:
        raise WrongKeyError("the configured keys are not those that this database's data is encrypted with")


def _opens(encryptor: Encryptor, sample: Sample) -> bool:
    try:
        encryptor.decrypt(sample.value, sample.column, sample.row_id)
    except UndecipherableError:
        return False
    return True
