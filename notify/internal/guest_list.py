"""The guest list: recipients that a service in trial mode may send to besides its team (contract: internal-services
9.2).
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body
from notify.services import guest_list as guests

routes = Routes("guest_list", "/service/<uuid:service_id>/guest-list")


class GuestList(Body):
    """The new list."""

    email_addresses: list[str]
    phone_numbers: list[str]


class GuestListAnswer(Answer):
    """Addresses and numbers, as typed."""

    email_addresses: list[str]
    phone_numbers: list[str]


@routes.get("")
def get_guest_list(session: Session, service_id: UUID) -> GuestListAnswer:
    """Get a service's guest list."""
    return GuestListAnswer.of(guests.get_guest_list(session, service_id))


@routes.put("")
def set_guest_list(session: Session, service_id: UUID, body: GuestList) -> None:
    """Replace a service's guest list."""
    guests.set_guest_list(session, service_id, phone_numbers=body.phone_numbers, email_addresses=body.email_addresses)
