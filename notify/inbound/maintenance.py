"""Texts whose time is over (contract: workers 14.3)."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from notify.infra.database import Database
from notify.infra.times import local_days_ago
from notify.services.retention import USUAL_RETENTION_DAYS

DELETED_AT_A_TIME: Final = 10_000

_SERVICES: Final = """
SELECT s.id, CASE WHEN EXISTS (SELECT FROM inbound_numbers n WHERE n.service_id = s.id) THEN r.days_of_retention END
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


def delete_received_texts(database: Database, now: datetime) -> int:
    """Move texts older than their service keeps text messages (7 days, or what a service that has a number of its own
    set for itself) to history, which has neither who sent them nor what they say. Gives their number.
    """
    with database.connection() as connection:
        services: list[tuple[UUID, int | None]] = connection.execute(_SERVICES).fetchall()
    total = 0
    for service_id, days in services:
        before = local_days_ago(now, USUAL_RETENTION_DAYS if days is None else days)
        moved = DELETED_AT_A_TIME
        while moved == DELETED_AT_A_TIME:
            with database.connection() as connection:
                ((moved,),) = connection.execute(_MOVE, (service_id, before, DELETED_AT_A_TIME)).fetchall()
            total += moved
    return total
