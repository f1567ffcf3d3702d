"""Stores a letter with its file: first the file, then the row, so that no letter is without a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from notify.infra.errors import ProblemError
from notify.letters import files
from notify.letters.files import StoredLetter
from notify.messages.idempotency import AlreadyAcceptedError, KeptAnswer
from notify.services.limits import LimitRequest

if TYPE_CHECKING:
    from notify.messages.store import MessageStore, NewMessage


def store_with_file(
    store: MessageStore,
    message: NewMessage,
    limit: LimitRequest,
    place: StoredLetter,
    pdf: bytes,
    kept: KeptAnswer | None = None,
) -> None:
    """Store a letter's PDF at its place, then the letter, whose request was already counted in the limit per minute.

    Raises what `store` raises. If the error means that the row was not written, the file is deleted again; after any
    other error it is kept, because the row may have been written.
    """
    files.put(place.bucket, place.key, pdf)
    try:
        store.store(message, limit._replace(rate_limit=0), kept)
    except (ProblemError, AlreadyAcceptedError, psycopg.DataError, psycopg.IntegrityError):
        place.bucket.delete(place.key)
        raise
