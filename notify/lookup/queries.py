"""Finds the object that has an id (contract: internal-users 1.7)."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import CompoundSelect, Uuid, bindparam, cast, literal, null, select, union_all
from sqlalchemy.orm import Session

from notify.infra.errors import NotFoundProblemError
from notify.models import metadata


class _Kind(NamedTuple):
    """A kind of object, its table, and whether platform admins need its service to find it."""

    name: str
    table: str
    of_service: bool = False


_KINDS: Final = (
    _Kind("organisation", "organisation"),
    _Kind("service", "services"),
    _Kind("template", "templates", of_service=True),
    _Kind("notification", "notifications", of_service=True),
    _Kind("email_branding", "email_branding"),
    _Kind("letter_branding", "letter_branding"),
    _Kind("user", "users"),
    _Kind("provider", "provider_details"),
    _Kind("reply_to_email", "service_email_reply_to", of_service=True),
    _Kind("job", "jobs", of_service=True),
    _Kind("service_contact_list", "service_contact_list", of_service=True),
    _Kind("service_data_retention", "service_data_retention", of_service=True),
    _Kind("service_sms_sender", "service_sms_senders", of_service=True),
    _Kind("inbound_number", "inbound_numbers"),
    _Kind("api_key", "api_keys", of_service=True),
    _Kind("template_folder", "template_folder", of_service=True),
    _Kind("service_callback_api", "service_callback_api", of_service=True),
    _Kind("complaint", "complaints"),
    _Kind("inbound_sms", "inbound_sms", of_service=True),
)
"""In the contract's order: if several objects share an id, the first counts."""


class FoundThing(NamedTuple):
    """The kind of an object, and the service it belongs to, if needed to find it."""

    type: str
    service_id: UUID | None


def find_thing(session: Session, id_: UUID) -> FoundThing:
    """The object with this id, by the primary keys of all tables, in one query. Raises `NotFoundProblemError`."""
    found = session.execute(_query(), {"id": id_}).first()
    if found is None:
        raise NotFoundProblemError
    return FoundThing(_KINDS[found.rank].name, found.service_id)


@cache
def _query() -> CompoundSelect[int, UUID]:
    wanted = bindparam("id", type_=Uuid())
    parts = []
    for rank, kind in enumerate(_KINDS):
        table = metadata.tables.get(kind.table)
        if table is not None:  # a room that is not installed has no table
            service = table.c.service_id if kind.of_service else cast(null(), Uuid())
            part = select(literal(rank).label("rank"), service.label("service_id"))
            parts.append(part.where(table.c.id == wanted))
    return union_all(*parts).order_by("rank").limit(1)
