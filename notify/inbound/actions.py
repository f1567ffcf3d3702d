"""Receiving text messages (contract: public-api 13, workers 11)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from notify.content.sms_senders import resolve_sender
from notify.inbound import metrics
from notify.inbound.models import CONTENT
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.ids import new_id
from notify.infra.secrets import Encryptor, UndecipherableError
from notify.infra.times import utc_now
from notify.providers.incoming import IncomingText
from notify.webhooks import payloads
from notify.webhooks.outbox import NewCallback, Outbox

_SERVICE: Final = """
SELECT n.service_id FROM inbound_numbers n
JOIN service_permissions p ON p.service_id = n.service_id AND p.permission = 'inbound_sms'
WHERE n.number = %s AND n.active
"""
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 6012))"
_SAME: Final = """
SELECT id, user_number, content FROM inbound_sms
WHERE provider_reference = %s AND provider = %s AND service_id = %s AND notify_number = %s
"""
_STORE: Final = """
INSERT INTO inbound_sms (id, service_id, content, notify_number, user_number, created_at, provider_date,
                         provider_reference, provider)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_READ: Final = """
SELECT service_id, user_number, notify_number, content, coalesce(provider_date, created_at) AS date FROM inbound_sms
WHERE id = %s
"""


class _Stored(NamedTuple):
    """A stored text with the same reference, encrypted as it is in the table."""

    id: UUID
    user_number: str
    content: bytes


class _Text(NamedTuple):
    """A stored text, as a callback needs it; its content is encrypted."""

    service_id: UUID
    user_number: str
    notify_number: str
    content: bytes
    date: datetime


class TextReceiver:
    """Stores texts for services, and sends the services callbacks about them."""

    def __init__(self, database: Database, encryptor: Encryptor, outbox: Outbox) -> None:
        self._database = database
        self._encryptor = encryptor
        self._outbox = outbox

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database, container.parts.encryptor, container.get(Outbox))

    def receive(self, text: IncomingText) -> UUID | None:
        """Store a text for the service with the number it was sent to, and return its id once it is committed. Returns
        None, and stores nothing, if no service receives texts on that number. A text that a provider sends again, with
        the same reference, is stored once.
        """
        number = local_number(text.to)
        with self._database.connection() as connection:
            service_id = connection.cursor(row_factory=scalar_row).execute(_SERVICE, (number,)).fetchone()
            if service_id is None:
                return None
            id_, services = self._store(connection, service_id, number, text)
        metrics.text_received(text.provider)
        self._outbox.publish("inbound_sms", services)
        return id_

    def _store(
        self, connection: Connection[Any], service_id: UUID, number: str, text: IncomingText
    ) -> tuple[UUID, Collection[UUID]]:
        """The text's id, and the services to send callbacks to."""
        sender = resolve_sender(text.sender)
        if text.reference is not None:
            connection.execute(_LOCK, (f"{text.provider} {text.reference}",))
            cursor = connection.cursor(row_factory=class_row(_Stored))
            for stored in cursor.execute(_SAME, (text.reference, text.provider, service_id, number)).fetchall():
                if stored.user_number == sender and self._says(stored, text.content):
                    return stored.id, ()
        id_, now = new_id(), utc_now()
        encrypted = self._encryptor.encrypt(text.content, CONTENT, id_)
        connection.execute(
            _STORE,
            (id_, service_id, encrypted, number, sender, now, text.sent_at, text.reference, text.provider),
        )
        date = text.sent_at or now
        return id_, self._record(connection, id_, service_id, sender, number, text.content, date)

    def _says(self, stored: _Stored, content: str) -> bool:
        try:
            return self._encryptor.decrypt(stored.content, CONTENT, stored.id) == content
        except UndecipherableError:  # store it again: a duplicate is better than a loss
            return False

    def _record(
        self,
        connection: Connection[Any],
        id_: UUID,
        service_id: UUID,
        sender: str,
        number: str,
        content: str,
        date: datetime,
    ) -> Collection[UUID]:
        payload = payloads.received_text(
            inbound_sms_id=id_,
            source_number=sender,
            destination_number=number,
            message=content,
            date_received=date,
        )
        return self._outbox.record(connection, "inbound_sms", [NewCallback(service_id, id_, payload)])

    def record_again(self, inbound_sms_id: UUID) -> Collection[UUID]:
        """Record the callback of a stored text again; returns the services whose callbacks are due."""
        with self._database.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(_Text))
            text = cursor.execute(_READ, (inbound_sms_id,)).fetchone()
            if text is None:
                return ()
            content = self._encryptor.decrypt(text.content, CONTENT, inbound_sms_id)
            return self._record(
                connection, inbound_sms_id, text.service_id, text.user_number, text.notify_number, content, text.date
            )


def local_number(number: str) -> str:
    """One of our numbers in the form in which it is stored: 07..."""
    digits = number.strip().removeprefix("+")
    return "0" + digits[2:] if digits.startswith("44") else digits
