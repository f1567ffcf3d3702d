"""Finds the object that has an id (contract: internal-users 1.7)."""

from __future__ import annotations

from uuid import UUID

from pydantic import MISSING
from sqlalchemy.orm import Session

from notify.infra.errors import NotFoundProblemError
from notify.infra.validation import parse_uuid
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body
from notify.lookup.queries import find_thing

routes = Routes("find_by_uuid", "/platform-admin/find-by-uuid")


class WantedId(Body):
    """An id of any kind of object."""

    uuid: str | None


class ContextAnswer(Answer):
    """The service of the object, if needed to find it."""

    service_id: UUID | MISSING = MISSING


class FoundAnswer(Answer):
    """The kind of the object, and its context."""

    type: str
    context: ContextAnswer


@routes.post("", writes=False)
def find_by_uuid(session: Session, body: WantedId) -> FoundAnswer:
    """Find the object that has an id."""
    try:
        id_ = parse_uuid(body.uuid)
    except ValueError:
        raise NotFoundProblemError from None
    found = find_thing(session, id_)
    return FoundAnswer(type=found.type, context=ContextAnswer(service_id=found.service_id or MISSING))
