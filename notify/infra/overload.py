"""Recognises errors of a database that is reachable but too busy."""

from __future__ import annotations

from typing import Final

import psycopg
import sqlalchemy.exc

from notify.infra.errors import BusyError

TIMED_OUT: Final = (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled)
"""A statement waited too long for a lock, or took too long. It had no effect."""


def busy_error(error: BaseException) -> BusyError | None:
    """The error for the caller if `error` means that the database is too busy, else None."""
    if isinstance(error, BusyError):
        return error
    cause = error.orig if isinstance(error, sqlalchemy.exc.OperationalError) else error
    if isinstance(cause, (*TIMED_OUT, sqlalchemy.exc.TimeoutError)):
        return BusyError()
    return None
