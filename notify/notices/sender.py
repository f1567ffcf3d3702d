"""Sends messages of Notify itself, in the transaction of their cause (contract: internal-users 0)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy.orm import Session

from notify.content.phone_numbers import PhoneNumber
from notify.content.recipients import format_recipient
from notify.infra.container import Container
from notify.infra.database import after_commit
from notify.infra.ids import new_id
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.messages.accept.checks import check_missing
from notify.messages.accept.values import encrypt_values
from notify.messages.models import TO
from notify.messages.publish import DeliveryPublisher
from notify.messages.store import NewMessage, write_messages
from notify.providers.settings import TextProviderSettings
from notify.services.models import NOTIFY_SERVICE_ID
from notify.templates.cache import TemplateCache


class NoticeTemplateMissingError(Exception):
    """The built-in Notify service has no template with this id: the database was not migrated, or it was deleted."""


class Notices:
    """Sends messages from the templates of the built-in Notify service."""

    def __init__(
        self,
        encryptor: Encryptor,
        templates: TemplateCache,
        publisher: DeliveryPublisher,
        default_sms_sender: str,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._encryptor = encryptor
        self._templates = templates
        self._publisher = publisher
        self._default_sms_sender = default_sms_sender
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        publisher = container.get(DeliveryPublisher)
        sender = parts.settings.part(TextProviderSettings).from_number
        return cls(parts.encryptor, container.get(TemplateCache), publisher, sender)

    def send(
        self,
        session: Session,
        template_id: UUID,
        to: str,
        personalisation: Mapping[str, Any],
        *,
        sender: str | None = None,
    ) -> UUID:
        """Store a message in the session's transaction, and publish its delivery after the commit. Returns its id.

        `template_id` is one of `notify.notices.catalogue`; its type decides whether `to` is a phone number or an email
        address. `sender` replaces the template's default text message sender or reply-to address. No limit applies.
        Raises `NoticeTemplateMissingError`, `MissingPersonalisationError`, `InvalidPhoneNumber`.
        """
        template = self._templates.current(NOTIFY_SERVICE_ID, template_id)
        if template is None:
            raise NoticeTemplateMissingError(str(template_id))
        check_missing(template, personalisation)
        is_text = template.row.type == "sms"
        number = PhoneNumber.parse(to) if is_text else None
        usual = template.row.default_sender_text or (self._default_sms_sender if is_text else None)
        id_ = new_id()
        message = NewMessage(
            id=id_,
            to=self._encryptor.encrypt(to, TO, id_),
            service_id=NOTIFY_SERVICE_ID,
            template_id=template_id,
            template_version=template.row.version,
            personalisation=encrypt_values(self._encryptor, template, personalisation, id_),
            api_key_id=None,
            key_type="normal",
            notification_type=template.row.type,
            created_at=self._now(),
            notification_status="created",
            international=number.international if number else False,
            phone_prefix=number.country_prefix if number else None,
            rate_multiplier=number.rate_multiplier if number else None,
            normalised_to=number.normalised if number else format_recipient(to),
            reply_to_text=sender or usual,
        )
        write_messages(session, [message])
        after_commit(session, lambda: self._publisher.stored([message]))
        return message.id
