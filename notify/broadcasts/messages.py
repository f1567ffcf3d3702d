"""Creates, changes, approves and cancels emergency alerts (contract: broadcasts 3, 4, 8.1). Every method flushes; the
caller's transaction commits.

Admin apps of 2020 and later ones follow different rules in a few places. The form of a message's areas decides
(`areas.py`, docs/decisions/0036-two-forms-of-alerts.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.accounts.models import User
from notify.accounts.queries import get_user
from notify.broadcasts.areas import is_list_form, list_form
from notify.broadcasts.content import filled, normalised, rendered, too_long
from notify.broadcasts.errors import (
    ContentTooLongError,
    ForeignUserError,
    IncompleteAreasError,
    NoAreasError,
    NotEditableError,
    OwnApprovalError,
    ServiceInactiveError,
    TransitionError,
)
from notify.broadcasts.events import record_event
from notify.broadcasts.models import PERSONALISATION, BroadcastMessage
from notify.infra.container import Container
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_public_id
from notify.infra.json_values import dump_json
from notify.infra.queue import Queue
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.messages.accept.values import MOST_BYTES
from notify.messages.errors import TooMuchPersonalisationError
from notify.services.members import is_member
from notify.services.models import Service
from notify.templates.models import Template, TemplateHistory
from notify.vocabulary import BroadcastEventType

logger = structlog.get_logger(__name__)

EDITABLE: Final = ("draft", "pending-approval", "rejected")
TRANSITIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "draft": ("pending-approval", "broadcasting"),
    "pending-approval": ("rejected", "draft", "broadcasting"),
    "rejected": ("draft", "pending-approval"),
    "broadcasting": ("completed", "cancelled"),
    "completed": (),
    "cancelled": (),
    "technical-failure": (),
}
EVENTS: Final[Mapping[str, BroadcastEventType]] = {"broadcasting": "alert", "cancelled": "cancel"}
"""The statuses that the networks are sent an event about."""


@dataclass(frozen=True)
class NewBroadcast:
    """A message to create: from a template, or from `content` with a `reference`. `areas` has one of the two forms."""

    service_id: UUID
    created_by_id: UUID
    areas: Mapping[str, Any]
    template_id: UUID | None = None
    content: str = ""
    reference: str | None = None
    personalisation: Mapping[str, Any] = field(default_factory=dict)
    starts_at: datetime | None = None
    finishes_at: datetime | None = None


class Broadcasts:
    """Creates and changes messages."""

    def __init__(self, encryptor: Encryptor, queue: Queue) -> None:
        self._encryptor = encryptor
        self._queue = queue

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.encryptor, container.parts.queue)

    def create(self, session: Session, new: NewBroadcast) -> BroadcastMessage:
        """Create a draft. Raises `NotFoundProblemError` (no such service, user or template), `ContentTooLongError`,
        `TooMuchTextError`, `TooMuchPersonalisationError`.
        """
        service = session.get(Service, new.service_id)
        if service is None:
            raise NotFoundProblemError
        get_user(session, new.created_by_id)
        message = BroadcastMessage(
            id=new_public_id(),
            service_id=service.id,
            reference=new.reference,
            areas=dict(new.areas),
            status="draft",
            stubbed=service.restricted,
            starts_at=new.starts_at,
            finishes_at=new.finishes_at,
            created_by_id=new.created_by_id,
        )
        if new.template_id is None:
            message.content = normalised(new.content)
            if limit := too_long(message.content):
                raise ContentTooLongError(limit)
        else:
            template = _template(session, new.service_id, new.template_id)
            message.template_id, message.template_version = template.id, template.version
            self._set_values(message, template.content, new.personalisation)
        session.add(message)
        session.flush()
        return message

    def update(
        self,
        session: Session,
        service_id: UUID,
        message_id: UUID,
        *,
        areas: object = None,
        simple_polygons: list[Any] | None = None,
        personalisation: Mapping[str, Any] | None = None,
        times: Mapping[str, datetime] | None = None,
        now: datetime | None = None,
    ) -> BroadcastMessage:
        """Change what is given (not None). `areas` is a list or an object; `times` may have the keys `starts_at` and
        `finishes_at`.

        Raises `NotFoundProblemError`, `NotEditableError`, `IncompleteAreasError`, `ContentTooLongError`,
        `TooMuchTextError`, `TooMuchPersonalisationError`.
        """
        message = lock_message(session, service_id, message_id)
        if message.status not in EDITABLE:
            raise NotEditableError(message_id, message.status)
        changed: dict[str, Any] = dict(times or {})
        if areas is not None or simple_polygons is not None:
            changed["areas"] = _complete_areas(message_id, areas, simple_polygons)
        changes = {name: value for name, value in changed.items() if getattr(message, name) != value}
        for name, value in changes.items():
            setattr(message, name, value)
        known = self.personalisation(message)
        values = known if personalisation is None or message.template_id is None else dict(personalisation)
        if message.template_id is not None and (values != known or "areas" in changes):
            version = session.get_one(TemplateHistory, (message.template_id, message.template_version))
            self._set_values(message, version.content, values)
        if changes or values != known:
            message.updated_at = now or utc_now()
        session.flush()
        return message

    def _set_values(self, message: BroadcastMessage, template: str, values: Mapping[str, Any]) -> None:
        size = len(dump_json(values))
        if size > MOST_BYTES["sms"]:
            raise TooMuchPersonalisationError(size, MOST_BYTES["sms"])
        filled(template, values)  # raises if the text to show is too long, too
        message.personalisation = self._encryptor.encrypt_json(values, PERSONALISATION, message.id)
        is_old = is_list_form(message.areas)
        message.content = rendered(template, {} if is_old else values)
        if not is_old and (limit := too_long(message.content)):
            raise ContentTooLongError(limit)

    def personalisation(self, message: BroadcastMessage) -> dict[str, Any]:
        """The decrypted values of a message's template."""
        values: dict[str, Any] = self._encryptor.decrypt_json(message.personalisation, PERSONALISATION, message.id)
        return values

    def set_status(
        self,
        session: Session,
        service_id: UUID,
        message_id: UUID,
        status: str,
        user_id: UUID,
        *,
        now: datetime | None = None,
    ) -> BroadcastMessage:
        """Move a message to a status. Approving or cancelling it sends the networks an event.

        Raises `NotFoundProblemError` (no such message or user), `ServiceInactiveError`, `ForeignUserError`,
        `TransitionError`, `OwnApprovalError`, `NoAreasError`.
        """
        message = lock_message(session, service_id, message_id)
        user, service = get_user(session, user_id), session.get_one(Service, service_id)
        if not service.active:
            raise ServiceInactiveError
        is_old = is_list_form(message.areas)
        may_cancel = not is_old and status == "cancelled" and user.platform_admin
        if not is_member(session, service_id, user_id) and not may_cancel:
            raise ForeignUserError(message_id, user_id, "approve" if is_old else "update")
        skips_approval = (message.status, status) == ("draft", "broadcasting")
        if status not in TRANSITIONS[message.status] or (skips_approval and not is_old):
            raise TransitionError(message_id, message.status, status)
        if status == "broadcasting":
            _check_approval(message, user, service)
        moment = now or utc_now()
        if status == "broadcasting":
            message.approved_at, message.approved_by_id = moment, user_id
        elif status == "cancelled":
            message.cancelled_at, message.cancelled_by_id = moment, user_id
        self.move(session, message, service, status, moment)
        return message

    def move(
        self, session: Session, message: BroadcastMessage, service: Service, status: str, moment: datetime
    ) -> None:
        """Set an allowed status of a locked message, and record the event that follows."""
        message.status, message.updated_at = status, moment
        session.flush()
        if status in EVENTS:
            record_event(session, self._queue, message, service, EVENTS[status], moment)


def lock_message(session: Session, service_id: UUID, message_id: UUID) -> BroadcastMessage:
    """A message of this service, locked. Raises `NotFoundProblemError`."""
    wanted = select(BroadcastMessage).where(
        BroadcastMessage.id == message_id, BroadcastMessage.service_id == service_id
    )
    message = session.scalar(wanted.with_for_update())
    if message is None:
        raise NotFoundProblemError
    return message


def _template(session: Session, service_id: UUID, template_id: UUID) -> Template:
    template = session.get(Template, template_id)
    if template is None or template.service_id != service_id or template.hidden:
        raise NotFoundProblemError
    return template


def _complete_areas(message_id: UUID, areas: object, simple_polygons: list[Any] | None) -> dict[str, Any]:
    """Areas with their polygons. Raises `IncompleteAreasError` if one comes without the other."""
    if isinstance(areas, dict):
        if ("ids" in areas) != ("simple_polygons" in areas):
            raise IncompleteAreasError(message_id, "area IDs")
        return areas
    if not isinstance(areas, list) or simple_polygons is None:
        raise IncompleteAreasError(message_id, "areas")
    return list_form(areas, simple_polygons)


def _check_approval(message: BroadcastMessage, user: User, service: Service) -> None:
    """Check that a second person approves. In training mode, where no one is alerted, the author may."""
    is_old = is_list_form(message.areas)
    if message.created_by_id == user.id and not service.restricted and not (is_old and user.platform_admin):
        raise OwnApprovalError(message.id, user.id)
    has_areas = bool(message.areas) if is_old else bool(message.areas.get("simple_polygons"))
    if not has_areas:
        raise NoAreasError(message.id)
