"""Whether the configured keys are those that the database's data is encrypted with.

One row of `encryption_check` tells. It is encrypted like all data, and rewritten last when keys are rotated: so a key
that some data still needs is missed at the next start, and not message by message. This module needs psycopg alone, so
that the process that only starts others stays small.
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
    """The configured keys do not open this database's data."""


class Sample(NamedTuple):
    """A stored value, and where it is from."""

    value: bytes
    column: EncryptedColumn
    row_id: UUID


@contextmanager
def connect(uri: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection for one look. Raises `psycopg.Error`."""
    plain = uri.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(
        plain, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="notify-check"
    ) as connection:
        yield connection


def is_right(connection: psycopg.Connection[tuple[Any, ...]], encryptor: Encryptor) -> bool | None:
    """Whether the keys open the check's row; None where there is none yet. Raises `psycopg.Error`."""
    row = connection.execute(_READ, (CHECK_ROW,)).fetchone()
    return None if row is None else _opens(encryptor, Sample(row[0], CHECK_VALUE, CHECK_ROW))


def ensure_right(
    connection: psycopg.Connection[tuple[Any, ...]],
    encryptor: Encryptor,
    samples: Callable[[], Iterable[Sample]],
) -> None:
    """Check the keys. Where there is no row yet, look at `samples` of the data, one at least of which must open if
    there are any, and write the row.

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
    """Check the keys, where the database has a row for it. Raises `WrongKeyError`, `psycopg.Error`."""
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
