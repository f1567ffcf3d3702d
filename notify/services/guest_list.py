"""Guest lists: recipients besides the team that a service in trial mode, or a team key, may send to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.infra.errors import NotFoundProblemError
from notify.services.errors import InvalidGuestListError
from notify.services.models import Guest, Service
from notify.services.senders import is_email_address
from notify.services.service import lock_service


class GuestList(NamedTuple):
    """The entries of a guest list, as typed."""

    email_addresses: list[str]
    phone_numbers: list[str]


def get_guest_list(session: Session, service_id: UUID) -> GuestList:
    """A service's guest list, oldest entries first (internal-services 9.2). Raises `NotFoundProblemError`."""
    if session.get(Service, service_id) is None:
        raise NotFoundProblemError
    query = select(Guest.recipient_type, Guest.recipient).where(Guest.service_id == service_id).order_by(Guest.id)
    rows = session.execute(query).all()
    return GuestList(
        [recipient for kind, recipient in rows if kind == "email"],
        [recipient for kind, recipient in rows if kind == "mobile"],
    )


def set_guest_list(
    session: Session, service_id: UUID, *, phone_numbers: Iterable[str], email_addresses: Iterable[str]
) -> None:
    """Replace a service's guest list; entries are stored as typed (internal-services 9.2). Numbers may be
    international, but not landlines. The caller's transaction commits.

    Raises `NotFoundProblemError`, and `InvalidGuestListError` for the first bad entry, which leaves the old list.
    """
    phones, addresses = list(phone_numbers), list(email_addresses)
    for entry in phones:
        if not _is_mobile_number(entry):
            raise InvalidGuestListError(entry)
    for entry in addresses:
        if not is_email_address(entry):
            raise InvalidGuestListError(entry)
    lock_service(session, service_id)
    session.execute(delete(Guest).where(Guest.service_id == service_id))
    session.add_all(
        Guest(service_id=service_id, recipient_type=kind, recipient=entry)
        for kind, entries in (("mobile", phones), ("email", addresses))
        for entry in entries
    )
    session.flush()


def _is_mobile_number(text: str) -> bool:
    try:
        PhoneNumber.parse(text).check(allow_international=True, allow_landline=False)
    except InvalidPhoneNumber:
        return False
    return True
