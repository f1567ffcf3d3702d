"""Messages as JSON for both APIs (contract: broadcasts 3.1, 8.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from sqlalchemy import Row, Select, and_, select
from sqlalchemy.orm import Session

from notify.broadcasts.areas import is_list_form
from notify.broadcasts.content import filled
from notify.broadcasts.messages import Broadcasts
from notify.broadcasts.models import BroadcastMessage
from notify.infra.container import Container
from notify.infra.errors import NotFoundProblemError
from notify.infra.times import format_datetime, format_optional
from notify.templates.models import TemplateHistory

_TIMES: Final = ("starts_at", "finishes_at", "approved_at", "cancelled_at", "updated_at")


class _TemplateVersion(NamedTuple):
    name: str | None
    content: str | None


class BroadcastSerialiser:
    """Makes the JSON of messages."""

    def __init__(self, broadcasts: Broadcasts) -> None:
        self._broadcasts = broadcasts

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.get(Broadcasts))

    def list_of(self, session: Session, service_id: UUID) -> list[dict[str, Any]]:
        """The messages of a service, oldest first; empty for an unknown service."""
        query = _query().where(BroadcastMessage.service_id == service_id)
        return self._all(session.execute(query.order_by(BroadcastMessage.created_at, BroadcastMessage.id)))

    def one(self, session: Session, service_id: UUID, message_id: UUID) -> dict[str, Any]:
        """A message of a service. Raises `NotFoundProblemError`."""
        query = _query().where(BroadcastMessage.service_id == service_id, BroadcastMessage.id == message_id)
        found = self._all(session.execute(query))
        if not found:
            raise NotFoundProblemError
        return found[0]

    def _all(self, rows: Iterable[Row[Any]]) -> list[dict[str, Any]]:
        return [self._describe(row.BroadcastMessage, _TemplateVersion(row.name, row.content)) for row in rows]

    def _describe(self, message: BroadcastMessage, template: _TemplateVersion) -> dict[str, Any]:
        described: dict[str, Any] = {
            "id": message.id,
            "service_id": message.service_id,
            "template_id": message.template_id,
            "template_version": message.template_version,
            "template_name": template.name,
            "personalisation": None if message.template_id is None else self._broadcasts.personalisation(message),
            "status": message.status,
            "created_at": format_datetime(message.created_at),
            "created_by_id": message.created_by_id,
            **{name: format_optional(getattr(message, name)) for name in _TIMES},
        }
        if is_list_form(message.areas):
            return {
                **described,
                "content": filled(template.content or "", described["personalisation"] or {}),
                "areas": message.areas["areas"],
                "simple_polygons": message.areas["simple_polygons"],
                "approved_by_id": str(message.approved_by_id),
                "cancelled_by_id": str(message.cancelled_by_id),
            }
        return {
            **described,
            "content": message.content,
            "areas": message.areas,
            "reference": message.reference,
            "cap_event": message.cap_event,
            "approved_by_id": message.approved_by_id,
            "cancelled_by_id": message.cancelled_by_id,
        }


def _query() -> Select[*tuple[Any, ...]]:
    version = and_(
        TemplateHistory.id == BroadcastMessage.template_id,
        TemplateHistory.version == BroadcastMessage.template_version,
    )
    return select(BroadcastMessage, TemplateHistory.name, TemplateHistory.content).outerjoin(TemplateHistory, version)
