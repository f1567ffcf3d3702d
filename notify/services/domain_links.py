"""Links services to the organisations of their creators (contract: workers 17)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.accounts.models import User
from notify.organisations.queries import organisation_of_address
from notify.services.models import Service, ServiceHistory
from notify.services.organisations import link_service


def services_to_link(session: Session) -> list[tuple[UUID, UUID]]:
    """Services without an organisation whose creator's address is at or below an organisation's domain, each with the
    id of that organisation, oldest service first.
    """
    makers = (
        select(Service.id, User.email_address)
        .join(ServiceHistory, ServiceHistory.id == Service.id)
        .join(User, User.id == ServiceHistory.created_by_id)
        .where(ServiceHistory.version == 1, Service.organisation_id.is_(None))
        .order_by(Service.created_at, Service.id)
    )
    found = [(service_id, organisation_of_address(session, address)) for service_id, address in session.execute(makers)]
    return [(service_id, organisation.id) for service_id, organisation in found if organisation is not None]


def link_services(session: Session) -> int:
    """Link those services. Returns their number. Flushes."""
    links = services_to_link(session)
    for service_id, organisation_id in links:
        link_service(session, organisation_id, service_id)
    return len(links)
