"""Writes accepted messages: those that arrive together share one check of limits, one COPY and one commit
(docs/architecture.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

import psycopg
import structlog
from sqlalchemy.orm import Session

from notify.infra import tracing
from notify.infra.batcher import WEB_WAIT_SECONDS, Batcher
from notify.infra.container import Container
from notify.infra.database import Database, UnreachableError
from notify.infra.overload import TIMED_OUT
from notify.infra.retrying import retry
from notify.messages.idempotency import AlreadyAcceptedError, KeptAnswer, write_answers
from notify.messages.publish import DeliveryPublisher
from notify.services.limits import INTERNATIONAL_SMS, LimitRequest, RateLimiter

logger = structlog.get_logger(__name__)


class NewMessage(NamedTuple):
    """A complete row of `notifications`. `to` and `personalisation` are encrypted."""

    id: UUID
    to: bytes
    service_id: UUID
    template_id: UUID
    template_version: int
    personalisation: bytes | None
    api_key_id: UUID | None
    key_type: str
    notification_type: str
    created_at: datetime
    notification_status: str
    client_reference: str | None = None
    international: bool = False
    phone_prefix: str | None = None
    rate_multiplier: int | Decimal | None = None
    normalised_to: str | None = None
    reply_to_text: str | None = None
    unsubscribe_link: str | None = None
    document_download_count: int | None = None
    postage: str | None = None
    reference: str | None = None
    updated_at: datetime | None = None
    job_id: UUID | None = None
    job_row_number: int | None = None
    created_by_id: UUID | None = None
    billable_units: int = 0
    scheduled_for: datetime | None = None
    next_try_at: datetime | None = None

    def at(self, moment: datetime | None) -> NewMessage:
        """The message scheduled for that time; `None`: at once."""
        return self if moment is None else self._replace(scheduled_for=moment, next_try_at=moment)


class Admission(NamedTuple):
    """A message to store, and the answer to store with it if its request has an idempotency key."""

    message: NewMessage
    limit: LimitRequest
    kept: KeptAnswer | None = None


_COLUMNS = ", ".join("_personalisation" if name == "personalisation" else f'"{name}"' for name in NewMessage._fields)
_COPY = f"COPY notifications ({_COLUMNS}) FROM STDIN"
_PRESENT = "SELECT id FROM notifications WHERE id = ANY(%s)"

DOUBT_SECONDS = 5.0
"""How long to check whether a batch was stored after its connection broke."""

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def _field(value: Any) -> str:
    """A value in COPY's text format."""
    if value is None:
        return "\\N"
    if value.__class__ is str:
        return value.translate(_ESCAPES) if not value.isalnum() else value
    if value.__class__ is bytes:
        return "\\\\x" + value.hex()
    if value.__class__ is bool:
        return "t" if value else "f"
    return str(value)


UK_PREFIX: Final = "44"


def is_international(phone_prefix: str | None) -> bool:
    """Whether a text message counts towards the day's limit of international texts (contract: public-api 5.1)."""
    return phone_prefix is not None and phone_prefix != UK_PREFIX


def _counters(messages: Iterable[NewMessage]) -> Iterator[tuple[UUID, str]]:
    """The daily limits that messages count towards."""
    for message in messages:
        if message.key_type != "test":
            yield message.service_id, message.notification_type
            if is_international(message.phone_prefix):
                yield message.service_id, INTERNATIONAL_SMS


def _copy(connection: psycopg.Connection[Any], messages: Iterable[NewMessage]) -> None:
    text = "".join("\t".join(map(_field, message)) + "\n" for message in messages)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(text)


def write_messages(session: Session, messages: Iterable[NewMessage]) -> None:
    """Write messages in the session's transaction, without checking limits. Publish them after its commit."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)  # noqa: S101 -- the only driver
    _copy(connection, messages)


class MessageStore:
    """Stores messages. When `store` returns, the message is committed. `stored` is called with each stored batch, and
    must be fast.
    """

    def __init__(self, database: Database, limits: RateLimiter, stored: Callable[[Sequence[NewMessage]], None]) -> None:
        self._database = database
        self._limits = limits
        self._stored = stored
        self._batcher: Batcher[Admission, None] = Batcher(self._admit, max_size=500, wait_seconds=WEB_WAIT_SECONDS)

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        limits, publisher = container.get(RateLimiter), container.get(DeliveryPublisher)
        return cls(container.parts.database, limits, publisher.stored)

    def store(self, message: NewMessage, limit: LimitRequest, kept: KeptAnswer | None = None) -> None:
        """Store one message, if limits allow, together with those of concurrent callers. The answer to its request is
        stored in the same transaction.

        Raises `RateLimitError`, `TooManyRequestsError`, `AlreadyAcceptedError`.
        """
        tracing.remember(str(message.id))
        self._batcher.submit(Admission(message, limit, kept))

    def keep(self, kept: KeptAnswer) -> None:
        """Store the answer to a request that stores no message. Raises `AlreadyAcceptedError`."""
        with self._database.connection() as connection:
            if not write_answers(connection, [kept]):
                raise AlreadyAcceptedError

    def store_many(self, messages: Sequence[NewMessage]) -> None:
        """Store all messages in one transaction, or none, without checking limits, but counting towards them."""
        self._write(messages)
        self.written(messages)

    def written(self, messages: Sequence[NewMessage]) -> None:
        """Count and publish messages that `write_messages` wrote. Call it after the commit."""
        self._limits.count(_counters(messages))
        self._stored(messages)

    def _admit(self, items: list[Admission]) -> Sequence[BaseException | None]:
        with tracing.span("store messages", attributes={"messages": len(items)}):
            return self._admit_batch(items)

    def _admit_batch(self, items: list[Admission]) -> Sequence[BaseException | None]:
        results: list[BaseException | None] = list(self._limits.take([item.limit for item in items]))
        admitted = [position for position, refusal in enumerate(results) if refusal is None]
        try:
            written = self._write_surely([items[position] for position in admitted])
        except (UnreachableError, *TIMED_OUT):
            self._limits.give_back(items[position].limit for position in admitted)
            raise
        for position, result in zip(admitted, written, strict=True):
            results[position] = result
        self._limits.give_back(items[position].limit for position in admitted if results[position] is not None)
        self._stored([items[position].message for position in admitted if results[position] is None])
        return results

    def _write_surely(self, items: list[Admission]) -> Sequence[BaseException | None]:
        """Per message, None or the reason why it was not written. Raises `psycopg.OperationalError` if unknown."""
        try:
            return self._write_each_or_all(items)
        except (UnreachableError, *TIMED_OUT):
            raise  # nothing was written
        except psycopg.OperationalError:
            return self._find_out(items)

    def _find_out(self, items: list[Admission]) -> Sequence[BaseException | None]:
        """After the connection broke during the write, perhaps after the commit: check, and write missing messages.
        Waits some seconds for a restarting server: an error for a stored message makes the client send it again.
        """

        def find_out() -> Sequence[BaseException | None]:
            missing = self._missing(items)
            errors = dict(zip((item.message.id for item in missing), self._write_each_or_all(missing), strict=True))
            # a session that was still committing at our check makes the row its own duplicate
            failed = {item.message.id for item in self._missing([item for item in missing if errors[item.message.id]])}
            return [errors[item.message.id] if item.message.id in failed else None for item in items]

        return retry(find_out, on=psycopg.OperationalError, seconds=DOUBT_SECONDS, longest=0.2)

    def _missing(self, items: list[Admission]) -> list[Admission]:
        if not items:
            return []
        with self._database.connection() as connection:
            rows = connection.execute(_PRESENT, ([item.message.id for item in items],)).fetchall()
        present = {row[0] for row in rows}
        return [item for item in items if item.message.id not in present]

    def _write_each_or_all(self, items: list[Admission]) -> Sequence[BaseException | None]:
        try:
            refused = self._write_admitted(items)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if len(items) == 1:
                return [error]
            # one bad row must not fail the others
            return [result for item in items for result in self._write_each_or_all([item])]
        return [AlreadyAcceptedError() if item.message.id in refused else None for item in items]

    def _write_admitted(self, items: list[Admission]) -> set[UUID]:
        """Write messages, and their answers. Returns the ids of messages that were not written because their
        idempotency keys were used before.
        """
        # of two with the same key in one batch, the first counts
        first = {item.kept.key_id: item for item in reversed(items) if item.kept is not None}
        if not first:
            self._write([item.message for item in items])
            return set()
        with self._database.connection() as connection:
            ours = write_answers(connection, [item.kept for item in first.values() if item.kept is not None])
            refused = {
                item.message.id
                for item in items
                if item.kept is not None and (item.kept.key_id not in ours or first[item.kept.key_id] is not item)
            }
            _copy(connection, [item.message for item in items if item.message.id not in refused])
        return refused

    def _write(self, messages: Sequence[NewMessage]) -> None:
        if not messages:
            return
        with self._database.autocommit() as connection:
            _copy(connection, messages)
