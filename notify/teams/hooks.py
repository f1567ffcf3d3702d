"""What happens to invitations when a service changes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from notify.services import hooks
from notify.services.models import Service
from notify.teams.models import ServiceInvitation


@hooks.permissions_reset.subscribe
def reset_invitations(session: Session, service: Service, now: datetime) -> None:
    """Reduce pending invitations to viewing, as the permissions of members are reduced (contract: broadcasts 8.3)."""
    del now
    session.execute(
        update(ServiceInvitation)
        .where(ServiceInvitation.service_id == service.id, ServiceInvitation.status == "pending")
        .values(permissions="view_activity")
    )
