"""Emails the members of a service when it goes live (contract: internal-services 2.4 and 17)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.accounts.models import ServiceUser, User
from notify.notices.catalogue import SERVICE_NOW_LIVE
from notify.notices.sender import Notices
from notify.services.models import Service


def announce_live_service(session: Session, notices: Notices, service: Service) -> None:
    """Send an email to every active member of a service that went live."""
    members = (
        select(User.name, User.email_address)
        .join(ServiceUser, ServiceUser.user_id == User.id)
        .where(ServiceUser.service_id == service.id, User.state == "active")
        .order_by(User.created_at, User.id)
    )
    for name, address in session.execute(members):
        notices.send(session, SERVICE_NOW_LIVE, address, {"name": name, "service_name": service.name})
