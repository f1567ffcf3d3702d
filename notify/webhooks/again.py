"""Sends a callback again on request."""

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

# A callback with no attempts that is not due is being sent by a worker. One with attempts usually waits for its next
# attempt; if a worker has just taken it, it is sent twice, which its receiver can tell from `webhook-id`.
_HASTEN: Final = """
UPDATE pending_callbacks SET due_at = %(now)s
WHERE callback_type = %(type)s AND subject_id = %(subject)s AND attempts > 0 AND due_at > %(now)s
"""


def send_again(container: Container, subject_id: UUID) -> list[CallbackType]:
    """Have a worker send the callbacks about a message, a received text or another subject again. `webhook-id` is the
    same as the first time, and the body is created from the current state in the database. A callback that waits for
    its next attempt is sent immediately, and keeps its number of attempts.

    Returns the types. Empty if there is no such subject, if its status triggers no callback, or if its service has no
    such callback.
    """
    rooms.load_all("tasks")  # they register the recorders
    found: list[CallbackType] = []
    for callback_type, recorder in recorders.items():
        services = recorder(container, subject_id)
        if not services:
            continue
        with container.parts.database.connection() as connection:
            _hasten(connection, callback_type, subject_id)
        for service_id in services:
            # if the broker is down, the sweeper publishes it later
            publish(container.parts.queue, callback_type, service_id)
        found.append(callback_type)
    return found


def _hasten(connection: Connection[Any], callback_type: CallbackType, subject_id: UUID) -> None:
    connection.execute(_HASTEN, {"now": utc_now(), "type": callback_type, "subject": subject_id})
