"""Inbound numbers, which people can text (contract: internal-services 7.1). Every function flushes; the caller's
transaction commits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notify.infra.ids import new_public_id
from notify.services.errors import (
    HasInboundNumberError,
    InvalidInboundNumberError,
    NoFreeNumberError,
    NoInboundNumberError,
)
from notify.services.models import InboundNumber, Service, SmsSender
from notify.services.permissions import remove_permission
from notify.services.service import lock_service

_LOCAL_FORM = re.compile(r"0[0-9]{9,10}")


class AssignedNumber(NamedTuple):
    """An inbound number, with the name of the service that has it."""

    number: InboundNumber
    service_name: str | None


def insert_inbound_numbers(session: Session, numbers: Iterable[str], *, provider: str = "mmg") -> int:
    """Add free numbers; known ones stay unchanged. Returns the number of new ones.

    Raises `InvalidInboundNumberError`, before anything is changed.
    """
    wanted = list(dict.fromkeys(numbers))
    for number in wanted:
        if not _LOCAL_FORM.fullmatch(number):
            raise InvalidInboundNumberError(number)
    known = set(session.scalars(select(InboundNumber.number).where(InboundNumber.number.in_(wanted))))
    session.add_all(InboundNumber(number=number, provider=provider) for number in wanted if number not in known)
    session.flush()
    return len(set(wanted) - known)


def list_inbound_numbers(session: Session) -> list[AssignedNumber]:
    """Every number with the name of its service, by the time of the last change, unchanged ones last."""
    query = (
        select(InboundNumber, Service.name)
        .outerjoin(Service, Service.id == InboundNumber.service_id)
        .order_by(InboundNumber.updated_at.nulls_last(), InboundNumber.created_at, InboundNumber.number)
    )
    return [AssignedNumber(number, name) for number, name in session.execute(query)]


def list_free_numbers(session: Session) -> list[InboundNumber]:
    """Active numbers without a service, oldest first."""
    free = select(InboundNumber).where(InboundNumber.active, InboundNumber.service_id.is_(None))
    return list(session.scalars(free.order_by(InboundNumber.created_at, InboundNumber.number)))


def number_of_service(session: Session, service_id: UUID) -> InboundNumber | None:
    """The number that a service has, active or not."""
    return session.scalar(select(InboundNumber).where(InboundNumber.service_id == service_id))


def assigned_number(session: Session, service_id: UUID) -> AssignedNumber | None:
    """As `number_of_service`, with the name of the service."""
    query = select(InboundNumber, Service.name).join(Service, Service.id == InboundNumber.service_id)
    row = session.execute(query.where(InboundNumber.service_id == service_id)).one_or_none()
    return None if row is None else AssignedNumber(*row)


def assign_inbound_number(
    session: Session, service_id: UUID, *, inbound_number_id: UUID | None = None, is_default: bool = True
) -> SmsSender:
    """Assign a number (this one, or any free one) to a service. If the service has only one text message sender, it is
    replaced by the number; else the number is added, as the default unless `is_default` is false. The permission
    `inbound_sms` is set separately.

    Raises `NotFoundProblemError`, `NoFreeNumberError`, `HasInboundNumberError`.
    """
    lock_service(session, service_id)
    if number_of_service(session, service_id) is not None:
        raise HasInboundNumberError
    free = select(InboundNumber).where(InboundNumber.active, InboundNumber.service_id.is_(None))
    if inbound_number_id is not None:
        free = free.where(InboundNumber.id == inbound_number_id)
    free = free.order_by(InboundNumber.created_at, InboundNumber.number).limit(1)
    number = session.scalar(free.with_for_update(skip_locked=True))
    if number is None:
        raise NoFreeNumberError
    number.service_id = service_id
    own = SmsSender.service_id == service_id, SmsSender.archived.is_(False)
    present = list(session.scalars(select(SmsSender).where(*own)))
    if len(present) == 1:
        (sender,) = present
        sender.sms_sender = number.number
    else:
        is_default = is_default or not any(sender.is_default for sender in present)
        if is_default:
            session.execute(update(SmsSender).where(*own, SmsSender.is_default).values(is_default=False))
        sender = SmsSender(id=new_public_id(), service_id=service_id, sms_sender=number.number, is_default=is_default)
        session.add(sender)
    sender.inbound_number_id = number.id
    session.flush()
    return sender


def switch_off_inbound_number(session: Session, service_id: UUID) -> InboundNumber:
    """Stop receiving on a service's number, which it keeps. Raises `NoInboundNumberError`."""
    number = number_of_service(session, service_id)
    if number is None:
        raise NoInboundNumberError
    number.active = False
    session.flush()
    return number


def remove_inbound_number(session: Session, service_id: UUID, *, archive: bool, from_number: str) -> None:
    """Remove a service's number, its sender and the permission `inbound_sms` (internal-services 7.2). `archive`
    prevents another service from getting the number. If the sender was the default, the newest of the others becomes
    it, or else `from_number`. Does nothing if there is no number, or no such service.
    """
    if session.get(Service, service_id, with_for_update=True) is None:
        return
    remove_permission(session, service_id, "inbound_sms")
    number = number_of_service(session, service_id)
    if number is not None:
        number.service_id = None
        number.active = number.active and not archive
    own = select(SmsSender).where(SmsSender.service_id == service_id)
    for sender in session.scalars(own.where(SmsSender.inbound_number_id.is_not(None))).all():
        session.delete(sender)
    session.flush()
    left = own.where(SmsSender.archived.is_(False)).order_by(SmsSender.is_default.desc(), SmsSender.created_at.desc())
    default = session.scalar(left.limit(1))
    if default is None:
        session.add(SmsSender(service_id=service_id, sms_sender=from_number, is_default=True))
    else:
        default.is_default = True
    session.flush()
