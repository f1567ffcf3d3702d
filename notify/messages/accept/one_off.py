"""Accepts messages that a person sends to one recipient (contract: internal-services 11.1).

The checks are those of the public API, in another order and with the admin app's texts. The permissions for text
messages, emails and letters, and the limit per minute, are not checked. The service and its template are read from
the database, not the cache, so that a person who changes a setting and then sends sees the change.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.accounts.models import ServiceUser, User
from notify.accounts.queries import get_user
from notify.content.email_addresses import InvalidEmailAddress, normalise
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.content.placeholders import Personalisation
from notify.content.postal_addresses import PostalAddress
from notify.content.recipients import clean_recipient, format_recipient
from notify.content.sms import LONGEST_MESSAGE
from notify.content.sms_senders import resolve_sender
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_id
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.messages import errors
from notify.messages.accept.checks import check_missing, refuse_files
from notify.messages.accept.email import check_size
from notify.messages.accept.letter import check_content, new_reference
from notify.messages.accept.sms import check_number
from notify.messages.accept.template_files import TemplateFiles, fill, with_fillers
from notify.messages.accept.values import encrypt_values
from notify.messages.models import TO, Notification
from notify.messages.settings import DeliverySettings
from notify.messages.store import MessageStore, NewMessage
from notify.providers.settings import TextProviderSettings
from notify.services import queries as services
from notify.services.limits import INTERNATIONAL_SMS, RateLimiter
from notify.services.queries import CachedService
from notify.settings import Settings
from notify.templates.cache import CompiledTemplate
from notify.templates.queries import load_template
from notify.vocabulary import NOTIFICATION_TYPES

LOOK_EVERY_SECONDS: Final = 0.015


class OneOff(NamedTuple):
    """A message that a person sends. `created_by_id` is that person; `sender_id` a text message sender or reply-to."""

    template_id: UUID
    to: str | None
    personalisation: Mapping[str, Any]
    created_by_id: UUID
    sender_id: UUID | None = None


class _Recipient(NamedTuple):
    """Columns of a message that depend on its recipient."""

    to: str
    normalised_to: str
    international: bool = False
    phone_prefix: str | None = None
    rate_multiplier: int | None = None
    is_uk_number: bool = True


class OneOffAcceptor:
    """Accepts messages that people send from the admin app to one recipient."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        encryptor: Encryptor,
        limits: RateLimiter,
        store: MessageStore,
        template_files: TemplateFiles,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._from_number = settings.part(TextProviderSettings).from_number
        self._wait_seconds = settings.part(DeliverySettings).one_off_wait_ms / 1000
        self._database = database
        self._encryptor = encryptor
        self._limits = limits
        self._store = store
        self._template_files = template_files
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        return cls(
            parts.settings,
            parts.database,
            parts.encryptor,
            container.get(RateLimiter),
            container.get(MessageStore),
            container.get(TemplateFiles),
        )

    def accept(self, service_id: UUID, wanted: OneOff) -> UUID:
        """Accept a message; returns its id once it was sent, or after a short wait. Raises `NotFoundProblemError` (no
        such service, template or person), a `ProblemError` of `notify.messages.errors`, or `LimitExceededError`.
        """
        with self._database.session() as session:
            service = services.load_service(session, service_id, self._encryptor)
            row = load_template(session, service_id, wanted.template_id, hidden=True)
            if service is None or row is None or row.type not in NOTIFICATION_TYPES:
                raise NotFoundProblemError
            template = CompiledTemplate(row)
            self._limits.check_day(service, "normal", row.type)
            recipient = self._recipient(session, service, row.type, wanted.to)
            values = with_fillers(template, wanted.personalisation)
            self._check_content(service, template, values)
            message = self._message(service, template, recipient, wanted, values)
            check_member(session, service, wanted.created_by_id)
            message = message._replace(reply_to_text=self._sender(session, template, wanted.sender_id))
        if row.email_files:  # only after all other checks
            values = fill(values, self._template_files.open(template).links(recipient.to))
            check_size(template.email.body(values))
            message = message._replace(personalisation=self._encrypted(template, values, message.id))
        limit = self._limits.request(service, "normal", row.type, international=not recipient.is_uk_number)
        self._store.store(message, limit._replace(rate_limit=0))
        if row.type != "letter":
            self._wait_for_delivery(message.id)
        return message.id

    def _wait_for_delivery(self, message_id: UUID) -> None:
        """Wait briefly until a message is no longer `created`: the admin app reads it next, and should then get
        `sending` (recorded in `admin_requests_2020 / messages as rows of a file`).
        """
        ends = time.monotonic() + self._wait_seconds
        while time.monotonic() < ends:
            time.sleep(LOOK_EVERY_SECONDS)
            with self._database.session() as session:
                status = session.scalar(select(Notification.notification_status).where(Notification.id == message_id))
            if status != "created":
                return

    def _recipient(self, session: Session, service: CachedService, kind: str, to: str | None) -> _Recipient:
        if to is None:
            raise errors.NoRecipientError
        if service.restricted and (kind == "letter" or format_recipient(to) not in _team(session, service.id)):
            raise errors.TrialModeRecipientError
        if kind == "letter":
            return _Recipient(to, "".join(to.split()).lower())
        if kind == "email":
            try:
                address = normalise(to)
            except InvalidEmailAddress:
                raise errors.InvalidEmailProblemError from None
            return _Recipient(address, address)
        try:
            number = PhoneNumber.parse(to)
        except InvalidPhoneNumber as error:
            raise errors.InvalidPhoneProblemError(error.ui_text) from None
        check_number(number, service.permissions, for_people=True)
        if not number.is_uk_number:
            self._limits.check_day(service, "normal", INTERNATIONAL_SMS)
        return _Recipient(
            to=clean_recipient(to),
            normalised_to=number.normalised,
            international=number.international,
            phone_prefix=number.country_prefix,
            rate_multiplier=number.rate_multiplier,
            is_uk_number=number.is_uk_number,
        )

    def _check_content(self, service: CachedService, template: CompiledTemplate, values: Mapping[str, Any]) -> None:
        """Raise a `ProblemError` if the template with these values gives no valid message (public-api 5.5)."""
        if template.row.archived:
            raise errors.TemplateDeletedError
        if template.row.type == "letter":
            check_content(template, values)
            return
        check_missing(template, values)
        if template.row.type == "email":
            if template.email.is_empty(values):
                raise errors.EmptyMessageError
            check_size(template.email.body(values))
            return
        text = template.sms.render(values, service.name if service.prefix_sms else None)
        if text.is_empty:
            raise errors.EmptyMessageError
        refuse_files(values)
        if text.is_too_long:
            raise errors.TextTooLongError(text.character_count_without_prefix, LONGEST_MESSAGE)

    def _message(
        self,
        service: CachedService,
        template: CompiledTemplate,
        recipient: _Recipient,
        wanted: OneOff,
        values: Mapping[str, Any],
    ) -> NewMessage:
        """The row without its sender. Raises `AddressProblemError`, `TooMuchPersonalisationError`."""
        id_, kind = new_id(), template.row.type
        message = NewMessage(
            id=id_,
            to=self._encryptor.encrypt(recipient.to, TO, id_),
            service_id=service.id,
            template_id=template.row.id,
            template_version=template.row.version,
            personalisation=self._encrypted(template, values, id_),
            api_key_id=None,
            key_type="normal",
            notification_type=kind,
            created_at=self._now(),
            notification_status="created",
            international=recipient.international,
            phone_prefix=recipient.phone_prefix,
            rate_multiplier=recipient.rate_multiplier,
            normalised_to=recipient.normalised_to,
            created_by_id=wanted.created_by_id,
        )
        return _as_letter(message, service, template, values) if kind == "letter" else message

    def _encrypted(self, template: CompiledTemplate, values: Mapping[str, Any], message_id: UUID) -> bytes | None:
        return encrypt_values(self._encryptor, template, values, message_id, keep_unused=True)

    def _sender(self, session: Session, template: CompiledTemplate, sender_id: UUID | None) -> str | None:
        row = template.row
        if row.type == "letter":
            return None if sender_id is not None else row.contact_block
        text = row.default_sender_text
        if sender_id is not None:
            find = services.sms_sender if row.type == "sms" else services.reply_to
            text = find(session, row.service_id, sender_id)
            if text is None:
                raise errors.SenderNotFoundError(row.type)
        return resolve_sender(text or self._from_number) if row.type == "sms" else text


def _as_letter(
    message: NewMessage, service: CachedService, template: CompiledTemplate, values: Mapping[str, Any]
) -> NewMessage:
    address = PostalAddress.from_personalisation(
        values, allow_international="international_letters" in service.permissions
    )
    if address.error:
        raise errors.AddressProblemError(address.error)
    reference = Personalisation(values).get("reference")
    return message._replace(
        international=address.international,
        postage=address.postage_zone if address.international else template.row.postage,
        reference=new_reference(),
        client_reference=None if reference is None else str(reference),
    )


def check_member(session: Session, service: CachedService, user_id: UUID) -> User:
    """The person who sends. Raises `NotFoundProblemError` (no such user), `NotAMemberError`."""
    user = get_user(session, user_id)
    if session.get(ServiceUser, (user_id, service.id)) is None:
        raise errors.NotAMemberError(user.name, service.name)
    return user


def _team(session: Session, service_id: UUID) -> frozenset[str]:
    """Recipients that a service in trial mode may send to from the admin app, in normalised form."""
    return frozenset(map(format_recipient, services.team_recipients(session, service_id)))
