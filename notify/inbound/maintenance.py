"""Deletes received texts after their retention period (contract: workers 14.3)."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from notify.infra.database import Database
from notify.services.retention import USUAL_RETENTION_DAYS, kept_since

DELETED_AT_A_TIME: Final = 10_000

_SERVICES: Final = """
SELECT s.id, CASE WHEN EXISTS (SELECT FROM inbound_numbers n WHERE n.service_id = s.id) THEN r.days_of_retention END
    AS days
FROM services s LEFT JOIN service_data_retention r ON r.service_id = s.id AND r.notification_type = 'sms'
WHERE EXISTS (SELECT FROM inbound_sms t WHERE t.service_id = s.id)
"""
_MOVE: Final = """
WITH moved AS (
    DELETE FROM inbound_sms WHERE id IN (
        SELECT id FROM inbound_sms WHERE service_id = %s AND created_at < %s ORDER BY created_at, id LIMIT %s)
    RETURNING id, created_at, service_id, notify_number, provider_date, provider_reference, provider
), archived AS (
    INSERT INTO inbound_sms_history (id, created_at, service_id, notify_number, provider_date, provider_reference,
                                     provider)
    SELECT * FROM moved ON CONFLICT (id) DO NOTHING
)
SELECT count(*) FROM moved
"""


class _Retention(NamedTuple):
    """A service with texts, and the days for which it keeps them; None: the default."""

    id: UUID
    days: int | None


def delete_received_texts(database: Database, now: datetime) -> int:
    """Move texts after their retention period to the history, which has neither senders nor contents. The period is 7
    days, or what the service chose if it has its own inbound number. Returns the number of texts.
    """
    with database.connection() as connection:
        services = connection.cursor(row_factory=class_row(_Retention)).execute(_SERVICES).fetchall()
    total = 0
    for service in services:
        before = kept_since(now, USUAL_RETENTION_DAYS if service.days is None else service.days)
        moved = DELETED_AT_A_TIME
        while moved == DELETED_AT_A_TIME:
            with database.connection() as connection:
                ((moved,),) = connection.execute(_MOVE, (service.id, before, DELETED_AT_A_TIME)).fetchall()
            total += moved
    return total
