"""Accepts text messages (contract: public-api 6.2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.content.recipients import clean_recipient
from notify.content.sms import LONGEST_MESSAGE
from notify.content.sms_senders import resolve_sender
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.ids import new_id
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.messages import errors
from notify.messages.accept.base import AcceptedMessage, Caller
from notify.messages.accept.checks import check_missing, check_permission, check_recipient, find_template, refuse_files
from notify.messages.accept.values import encrypt_values
from notify.messages.models import TO
from notify.messages.store import MessageStore, NewMessage
from notify.providers.settings import TextProviderSettings
from notify.services.cache import ServiceCache
from notify.services.limits import INTERNATIONAL_SMS, RateLimiter
from notify.services.queries import CachedService
from notify.settings import Settings
from notify.templates.cache import CompiledTemplate, TemplateCache

SIMULATED_NUMBERS: Final = frozenset({"447700900000", "447700900111", "447700900222"})
"""Recipients of smoke tests: all is checked, and nothing is stored (contract: public-api 5.7)."""


class SmsAcceptor:
    """Accepts text messages."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        encryptor: Encryptor,
        services: ServiceCache,
        templates: TemplateCache,
        limits: RateLimiter,
        store: MessageStore,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._default_sender = settings.part(TextProviderSettings).from_number
        self._database = database
        self._encryptor = encryptor
        self._services = services
        self._templates = templates
        self._limits = limits
        self._store = store
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        return cls(
            parts.settings,
            parts.database,
            parts.encryptor,
            container.get(ServiceCache),
            container.get(TemplateCache),
            container.get(RateLimiter),
            container.get(MessageStore),
        )

    def accept(
        self,
        caller: Caller,
        *,
        phone_number: str,
        template_id: UUID,
        personalisation: Mapping[str, Any],
        reference: str | None,
        sms_sender_id: UUID | None,
        scheduled_for: datetime | None = None,
    ) -> AcceptedMessage:
        """Accept a text message. Raises a `ProblemError` of `notify.messages.errors`, or `LimitExceededError`."""
        service, key_type = caller.service, caller.key.key_type
        check_permission(service, "sms")
        template = find_template(self._templates, service.id, template_id, "sms")
        check_missing(template, personalisation)
        text = template.sms.render(personalisation, service.name if service.prefix_sms else None)
        if text.is_empty:
            raise errors.EmptyMessageError
        refuse_files(personalisation)
        sender = self._sender(service, template, sms_sender_id)
        number = PhoneNumber.parse(phone_number)
        check_recipient(self._database, caller, number.normalised)
        check_number(number, service.permissions)
        if text.is_too_long:
            if not number.is_uk_number:  # this limit comes before errors of the text
                self._limits.check_day(service, key_type, INTERNATIONAL_SMS)
            raise errors.TextTooLongError(text.character_count_without_prefix, LONGEST_MESSAGE)
        message = AcceptedMessage(
            id=new_id(),
            template=template,
            reference=reference,
            body=text.body,
            sender=sender,
            scheduled_for=scheduled_for,
        )
        limit = self._limits.request(service, key_type, "sms", international=not number.is_uk_number)
        kept = caller.kept(message)
        if number.normalised in SIMULATED_NUMBERS:
            self._limits.check(limit)
            if kept is not None:
                self._store.keep(kept)
        else:
            to = self._encryptor.encrypt(clean_recipient(phone_number), TO, message.id)
            values = encrypt_values(self._encryptor, template, personalisation, message.id)
            self._store.store(self._row(caller, message, number, to=to, values=values), limit, kept)
        return message

    def _row(
        self, caller: Caller, message: AcceptedMessage, number: PhoneNumber, *, to: bytes, values: bytes | None
    ) -> NewMessage:
        return NewMessage(
            id=message.id,
            to=to,
            service_id=caller.service.id,
            template_id=message.template.row.id,
            template_version=message.template.row.version,
            personalisation=values,
            api_key_id=caller.key.id,
            key_type=caller.key.key_type,
            notification_type="sms",
            created_at=self._now(),
            notification_status="created",
            client_reference=message.reference,
            international=number.international,
            phone_prefix=number.country_prefix,
            rate_multiplier=number.rate_multiplier,
            normalised_to=number.normalised,
            reply_to_text=message.sender,
        ).at(message.scheduled_for)

    def _sender(self, service: CachedService, template: CompiledTemplate, sender_id: UUID | None) -> str:
        if sender_id is None:
            return resolve_sender(template.row.default_sender_text or self._default_sender)
        text = self._services.sms_sender(service.id, sender_id)
        if text is None:
            raise errors.UnknownSenderError("sms_sender_id", sender_id, service.id)
        return resolve_sender(text)


def check_number(number: PhoneNumber, permissions: Collection[str], *, for_people: bool = False) -> None:
    """Raises `InternationalNotAllowedError` or `InvalidPhoneProblemError` for a number that a service with these
    permissions may not send to (contract: public-api 5.3). `for_people`: with the texts of the admin app.
    """
    try:
        number.check(
            allow_international="international_sms" in permissions,
            allow_landline="sms_to_uk_landlines" in permissions,
        )
    except InvalidPhoneNumber as error:
        if error.code == "not_a_uk_mobile" and number.international and not number.crown_dependency:
            raise errors.InternationalNotAllowedError from None
        raise errors.InvalidPhoneProblemError(error.ui_text if for_people else error.api_text) from None
