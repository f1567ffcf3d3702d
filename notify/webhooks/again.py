"""Sending a callback once more, because somebody asks for it."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from psycopg import Connection

from notify import rooms
from notify.infra.container import Container
from notify.infra.times import utc_now
from notify.vocabulary import CallbackType
from notify.webhooks.outbox import publish
from notify.webhooks.recorders import recorders

# One that was never tried and is not due is in a worker's hands. One that was tried waits for its next try, as a rule;
# where a worker has just taken it, it is sent twice, which its receiver knows by `webhook-id`.
_HASTEN: Final = """
UPDATE pending_callbacks SET due_at = %(now)s
WHERE callback_type = %(type)s AND subject_id = %(subject)s AND attempts > 0 AND due_at > %(now)s
"""


def send_again(container: Container, subject_id: UUID) -> list[CallbackType]:
    """Send the callbacks about a message, a received text or another subject once more, soon, by a worker. `webhook-id`
    is the same as the first time, and the body is made of what the database says now. One that waits for its next try
    is tried at once, and keeps its number of tries.

    Returns the types; none where there is no such subject, where its status is not one that services are called back
    for, or where its service has no such callback.
    """
    rooms.load_all("tasks")  # they say what can be recorded once more
    found: list[CallbackType] = []
    for callback_type, recorder in recorders.items():
        services = recorder(container, subject_id)
        if not services:
            continue
        with container.parts.database.connection() as connection:
            _hasten(connection, callback_type, subject_id)
        for service_id in services:
            # where the broker is away, the sweeper does it later
            publish(container.parts.queue, callback_type, service_id)
        found.append(callback_type)
    return found


def _hasten(connection: Connection[Any], callback_type: CallbackType, subject_id: UUID) -> None:
    connection.execute(_HASTEN, {"now": utc_now(), "type": callback_type, "subject": subject_id})
