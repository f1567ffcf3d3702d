"""Deletes expired invitations (contract: workers 14)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete

from notify.infra.database import Database
from notify.teams.links import LIFETIME
from notify.teams.models import OrganisationInvitation, ServiceInvitation


def delete_old_invitations(database: Database, now: datetime) -> int:
    """Delete invitations created two days ago or earlier, whether accepted or not; returns how many there were."""
    number = 0
    with database.transaction() as session:
        for table in (ServiceInvitation, OrganisationInvitation):
            gone = session.execute(delete(table).where(table.created_at <= now - LIFETIME).returning(table.id))
            number += len(gone.all())
    return number
