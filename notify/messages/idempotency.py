"""Idempotency keys: the answer to a request with a key is stored for a day, in the transaction that stores its message,
so that the request is safe to repeat (docs/decisions/0038-idempotency-keys.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.errors import ProblemError
from notify.infra.json_values import dump_json
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.messages.models import ANSWER

KEPT: Final = timedelta(hours=24)
"""How long an answer is repeated. After that, its key may be used for another request."""
LONGEST_KEY: Final = 255
DELETED_AT_A_TIME: Final = 1000

_FIND: Final = "SELECT answer FROM idempotency_keys WHERE id = %s AND created_at > %s"
# nobody waits for a key that another transaction is about to write
_LOCK: Final = (
    "SELECT id FROM unnest(%s::uuid[]) AS id WHERE pg_try_advisory_xact_lock(hashtextextended(id::text, 6016))"
)
_HOLD: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 6017))"
_INSERT: Final = """
INSERT INTO idempotency_keys AS kept (id, created_at, answer)
SELECT * FROM unnest(%(ids)s::uuid[], %(times)s::timestamptz[], %(answers)s::bytea[])
ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at, answer = excluded.answer
WHERE kept.created_at <= excluded.created_at - %(kept)s
RETURNING id
"""
_DELETE: Final = """
DELETE FROM idempotency_keys WHERE id IN (
    SELECT id FROM idempotency_keys WHERE created_at <= %s ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED)
"""


class InvalidKeyError(ProblemError):
    """The header is not a valid idempotency key."""

    error = "ValidationError"

    def __init__(self) -> None:
        super().__init__(f"Idempotency-Key must be 1 to {LONGEST_KEY} printable ASCII characters")


class KeyReusedError(ProblemError):
    """Another request was accepted with this key."""

    status = 409
    error = "IdempotencyKeyReusedError"

    def __init__(self) -> None:
        super().__init__(
            "Idempotency-Key was used for another request in the last 24 hours - use a new key for each message"
        )


class UnderWayError(ProblemError):
    """A request with the same key is not answered yet."""

    status = 409
    error = "IdempotentRequestUnderWayError"

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is still under way - try again in a moment")


class AlreadyAcceptedError(Exception):
    """Another request with this key was accepted meanwhile, or is about to be: nothing was stored for this one."""


class KeyedRequest(NamedTuple):
    """A request with an idempotency key."""

    key_id: UUID
    fingerprint: str
    """A digest of its address and body."""

    @classmethod
    def of(cls, key: str, *, service_id: UUID, key_type: str, address: str, body: Any) -> Self:
        """A request of a service, by one of its keys of a type, to an address with a JSON body.

        Raises `InvalidKeyError`.
        """
        if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
            raise InvalidKeyError
        owned = sha256(f"{service_id} {key_type} {key}".encode()).digest()
        content = sha256(address.encode() + b"\0" + dump_json(body, sort_keys=True))
        return cls(UUID(bytes=owned[:16]), content.hexdigest())


class KeptAnswer(NamedTuple):
    """A row of `idempotency_keys`, with an encrypted answer."""

    key_id: UUID
    created_at: datetime
    answer: bytes


class Answer(NamedTuple):
    """A stored answer; its body is JSON."""

    status: int
    body: str


class IdempotencyKeys:
    """Stores and finds answers."""

    def __init__(self, database: Database, encryptor: Encryptor, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._encryptor = encryptor
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database, container.parts.encryptor)

    def find(self, request: KeyedRequest) -> Answer | None:
        """The answer to an earlier equal request, or None. Raises `KeyReusedError` if the key's request differs."""
        with self._database.autocommit() as connection:
            row = connection.execute(_FIND, (request.key_id, self._now() - KEPT)).fetchone()
        if row is None:
            return None
        kept = self._encryptor.decrypt_json(row[0], ANSWER, request.key_id)
        if kept["fingerprint"] != request.fingerprint:
            raise KeyReusedError
        return Answer(kept["status"], kept["body"])

    @contextmanager
    def hold(self, request: KeyedRequest) -> Iterator[None]:
        """Let no other process begin with an equal request before the block ends. It takes a connection; if the process
        dies, the request is free at once. Raises `UnderWayError`.
        """
        with self._database.connection() as connection:
            row = connection.execute(_HOLD, (str(request.key_id),)).fetchone()
            if row is None or not row[0]:
                raise UnderWayError
            yield

    def seal(self, request: KeyedRequest, answer: Answer) -> KeptAnswer:
        """The row for an answer. Write it in the transaction that stores the message."""
        value = {"fingerprint": request.fingerprint, "status": answer.status, "body": answer.body}
        sealed = self._encryptor.encrypt_json(value, ANSWER, request.key_id)
        return KeptAnswer(request.key_id, self._now(), sealed)


def write_answers(connection: psycopg.Connection[Any], kept: Sequence[KeptAnswer]) -> set[UUID]:
    """Write answers in the connection's transaction. The ids of keys that are ours now: the others belong to requests
    that were accepted before, or that another transaction is writing. The ids differ from each other.
    """
    locked = {row[0] for row in connection.execute(_LOCK, ([one.key_id for one in kept],))}
    ours = [one for one in kept if one.key_id in locked]
    if not ours:
        return set()
    values = {
        "ids": [one.key_id for one in ours],
        "times": [one.created_at for one in ours],
        "answers": [one.answer for one in ours],
        "kept": KEPT,
    }
    return {row[0] for row in connection.execute(_INSERT, values)}


def keep_answer(session: Session, kept: KeptAnswer) -> None:
    """Write an answer in the session's transaction. Raises `AlreadyAcceptedError`."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)  # noqa: S101 -- the only driver
    if not write_answers(connection, [kept]):
        raise AlreadyAcceptedError


def delete_old(database: Database, *, now: datetime) -> int:
    """Delete answers that are a day old, a thousand at a time. Returns their number."""
    return database.execute_in_batches(_DELETE, now - KEPT, DELETED_AT_A_TIME)
