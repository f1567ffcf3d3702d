"""Receiving text messages (contract: public-api 13, workers 11)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from psycopg import Connection

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
SELECT service_id, user_number, notify_number, content, coalesce(provider_date, created_at) FROM inbound_sms
WHERE id = %s
"""


class TextReceiver:
    """Takes texts for services, and has the services told of them."""

    def __init__(self, database: Database, encryptor: Encryptor, outbox: Outbox) -> None:
        self._database = database
        self._vault = encryptor
        self._outbox = outbox

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        return cls(container.parts.database, container.parts.encryptor, container.get(Outbox))

    def receive(self, text: IncomingText) -> UUID | None:
        """Store a text for the service whose number it was sent to, and give its id; it is on disk when this returns.
        Null where no service receives texts there: nothing is stored. A text that a provider hands in again, by the
        same reference, is stored once.
        """
        number = local_number(text.to)
        with self._database.connection() as connection:
            row = connection.execute(_SERVICE, (number,)).fetchone()
            if row is None:
                return None
            id_, told = self._store(connection, row[0], number, text)
        metrics.text_received(text.provider)
        self._outbox.publish("inbound_sms", told)
        return id_

    def _store(
        self, connection: Connection[Any], service_id: UUID, number: str, text: IncomingText
    ) -> tuple[UUID, Collection[UUID]]:
        sender = resolve_sender(text.sender)
        if text.reference is not None:
            connection.execute(_LOCK, (f"{text.provider} {text.reference}",))
            same = connection.execute(_SAME, (text.reference, text.provider, service_id, number)).fetchall()
            for stored_id, user_number, content in same:
                if user_number == sender and self._says(stored_id, content, text.content):
                    return stored_id, ()
        id_, now = new_id(), utc_now()
        encrypted = self._vault.encrypt(text.content, CONTENT, id_)
        connection.execute(
            _STORE,
            (id_, service_id, encrypted, number, sender, now, text.sent_at, text.reference, text.provider),
        )
        date = text.sent_at or now
        return id_, self._tell(connection, id_, service_id, sender, number, text.content, date)

    def _says(self, id_: UUID, stored: bytes, content: str) -> bool:
        try:
            return self._vault.decrypt(stored, CONTENT, id_) == content
        except UndecipherableError:  # rather twice than not at all
            return False

    def _tell(
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
        """Tell the service of a stored text once more; gives the service to wake."""
        with self._database.connection() as connection:
            row = connection.execute(_READ, (inbound_sms_id,)).fetchone()
            if row is None:
                return ()
            service_id, sender, number, content, date = row
            text = self._vault.decrypt(content, CONTENT, inbound_sms_id)
            return self._tell(connection, inbound_sms_id, service_id, sender, number, text, date)


def local_number(number: str) -> str:
    """A number of ours in the form it is kept in: 07..."""
    digits = number.strip().removeprefix("+")
    return "0" + digits[2:] if digits.startswith("44") else digits
