"""Accepting messages: decide without writing, then store (contract: public-api 5 and 6).

Each `accept_...` follows the contract's order of checks. A refusal is a typed error; nothing was changed then.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NoReturn, Self
from uuid import UUID

from notify.content.email import LARGEST_EMAIL
from notify.content.email_addresses import normalise, validate
from notify.content.letter import QrCodeTooLong
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.content.placeholders import key_form
from notify.content.postal_addresses import PostalAddress
from notify.content.recipients import format_recipient
from notify.content.sanitise import sanitise_value
from notify.content.sms import LONGEST_MESSAGE
from notify.content.sms_senders import resolve_sender
from notify.content.text import strip_obscure
from notify.documents.files import FileToSend, find_files
from notify.documents.store import DocumentStore
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.errors import ProblemError
from notify.infra.ids import new_id
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.messages import errors
from notify.messages.store import MessageStore, NewMessage
from notify.services import queries as service_queries
from notify.services.cache import ServiceCache
from notify.services.limits import LimitExceededError, RateLimiter
from notify.services.queries import CachedApiKey, CachedService
from notify.settings import Settings
from notify.templates.cache import CompiledTemplate, TemplateCache

SIMULATED_EMAILS: Final = frozenset(
    f"simulate-delivered{suffix}@notifications.service.gov.uk" for suffix in ("", "-2", "-3")
)
SIMULATED_NUMBERS: Final = frozenset({"447700900000", "447700900111", "447700900222"})
REFERENCE_CHARACTERS: Final = string.ascii_uppercase + string.digits
REFERENCE_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a service, by one of its keys."""

    service: CachedService
    key: CachedApiKey


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """A message that was accepted: what the caller is told about it."""

    id: UUID
    template: CompiledTemplate
    reference: str | None
    body: str
    subject: str | None = None
    sender: str | None = None
    one_click_unsubscribe_url: str | None = None
    sanitised: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Acceptor:
    """Accepts messages of one process."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        encryptor: Encryptor,
        services: ServiceCache,
        templates: TemplateCache,
        limits: RateLimiter,
        store: MessageStore,
        documents: DocumentStore,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._database = database
        self._vault = encryptor
        self._services = services
        self._templates = templates
        self._limits = limits
        self._store = store
        self._documents = documents
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        parts = container.parts
        return cls(
            parts.settings,
            parts.database,
            parts.encryptor,
            container.get(ServiceCache),
            container.get(TemplateCache),
            container.get(RateLimiter),
            container.get(MessageStore),
            container.get(DocumentStore),
        )

    def refuse(self, caller: Caller, notification_type: str, problem: ProblemError) -> NoReturn:
        """Refuse a message for this reason, or because a limit is used up: that comes first, and a refused request
        counts towards it too (5.1). Raises.
        """
        if not isinstance(problem, LimitExceededError):
            self._limits.check(self._limits.request(caller.service, caller.key.key_type, notification_type))
        raise problem

    def accept_sms(
        self,
        caller: Caller,
        *,
        phone_number: str,
        template_id: UUID,
        personalisation: Mapping[str, Any],
        reference: str | None,
        sms_sender_id: UUID | None,
    ) -> AcceptedMessage:
        """Accept a text message (6.2)."""
        service = caller.service
        _check_permission(service, "sms")
        template = self._template(service, template_id, "sms")
        _check_missing(template, personalisation)
        text = template.sms.render(personalisation, service.name if service.prefix_sms else None)
        if text.is_empty:
            raise errors.EmptyMessageError
        _refuse_files(personalisation)
        sender = self._sms_sender(service, template, sms_sender_id)
        number = PhoneNumber.parse(phone_number)
        self._check_recipient(caller, number.normalised)
        _check_number(number, service.permissions)
        if not number.is_uk_number:
            self._limits.check_day(service, caller.key.key_type, "international_sms")
        if text.is_too_long:
            raise errors.TextTooLongError(text.character_count_without_prefix, LONGEST_MESSAGE)
        id_ = new_id()
        limit = self._limits.request(service, caller.key.key_type, "sms")
        if number.normalised in SIMULATED_NUMBERS:
            self._limits.check(limit)
        else:
            self._store.store(
                NewMessage(
                    id=id_,
                    to=self._vault.encrypt(strip_obscure(phone_number)),
                    service_id=service.id,
                    template_id=template.row.id,
                    template_version=template.row.version,
                    personalisation=self._seal(personalisation),
                    api_key_id=caller.key.id,
                    key_type=caller.key.key_type,
                    notification_type="sms",
                    created_at=self._now(),
                    notification_status="created",
                    client_reference=reference,
                    international=number.international,
                    phone_prefix=number.country_prefix,
                    rate_multiplier=number.rate_multiplier,
                    normalised_to=number.normalised,
                    reply_to_text=sender,
                ),
                limit,
            )
        return AcceptedMessage(id=id_, template=template, reference=reference, body=text.body, sender=sender)

    def accept_email(
        self,
        caller: Caller,
        *,
        email_address: str,
        template_id: UUID,
        personalisation: Mapping[str, Any],
        reference: str | None,
        email_reply_to_id: UUID | None,
        one_click_unsubscribe_url: str | None,
        sanitise_content_for: Collection[Any],
    ) -> AcceptedMessage:
        """Accept an email (6.3), with the files that are sent by it (5.6)."""
        service = caller.service
        _check_permission(service, "email")
        values, sanitised = _sanitise(personalisation, sanitise_content_for)
        template = self._template(service, template_id, "email")
        _check_missing(template, values)
        if template.email.is_empty(values):
            raise errors.EmptyMessageError
        reply_to = self._reply_to(service, template, email_reply_to_id)
        address = normalise(email_address)
        self._check_recipient(caller, address)
        is_simulated = address in SIMULATED_EMAILS
        files = find_files(values)
        if files:
            values = {**values, **self._file_links(service, files, address, is_simulated=is_simulated)}
        body = template.email.body(values)
        size = len(body.encode("utf-8", "surrogatepass"))
        if size > LARGEST_EMAIL:
            raise errors.EmailTooLongError(size, LARGEST_EMAIL)
        id_ = new_id()
        limit = self._limits.request(service, caller.key.key_type, "email")
        if is_simulated:
            self._limits.check(limit)
        else:
            self._store.store(
                NewMessage(
                    id=id_,
                    to=self._vault.encrypt(validate(email_address)),
                    service_id=service.id,
                    template_id=template.row.id,
                    template_version=template.row.version,
                    personalisation=self._seal(values),
                    api_key_id=caller.key.id,
                    key_type=caller.key.key_type,
                    notification_type="email",
                    created_at=self._now(),
                    notification_status="created",
                    client_reference=reference,
                    normalised_to=address,
                    reply_to_text=reply_to,
                    unsubscribe_link=one_click_unsubscribe_url,
                    document_download_count=len(files) or None,
                ),
                limit,
            )
        return AcceptedMessage(
            id=id_,
            template=template,
            reference=reference,
            body=body,
            subject=template.email.subject(values),
            sender=f"{service.email_sender_local_part}@{self._settings.notify_email_domain}",
            one_click_unsubscribe_url=one_click_unsubscribe_url,
            sanitised=sanitised,
        )

    def accept_letter(
        self, caller: Caller, *, template_id: UUID, personalisation: Mapping[str, Any], reference: str | None
    ) -> AcceptedMessage:
        """Accept a letter made from a template (6.4). It stays `created` until it is printed; that of a test key counts
        as delivered at once.
        """
        service, key_type = caller.service, caller.key.key_type
        _check_permission(service, "letter")
        template = self._template(service, template_id, "letter")
        letter = template.letter
        try:
            letter.check_qr_codes(personalisation)
        except QrCodeTooLong as error:
            raise errors.QrCodeTooLongError(error.data, error.num_bytes, error.max_bytes) from None
        _check_missing(template, personalisation)
        if letter.is_empty(personalisation):
            raise errors.EmptyMessageError
        _refuse_files(personalisation)
        if key_type == "team":
            raise errors.LettersNotForTeamKeyError
        if service.restricted and key_type != "test":
            raise errors.LettersInTrialModeError
        address = PostalAddress.from_personalisation(
            personalisation, allow_international="international_letters" in service.permissions
        )
        if address.error:
            raise errors.AddressProblemError(address.error)
        now = self._now()
        to = "\n".join(address.normalised_lines)
        is_test = key_type == "test"
        id_ = new_id()
        self._store.store(
            NewMessage(
                id=id_,
                to=self._vault.encrypt(to),
                service_id=service.id,
                template_id=template.row.id,
                template_version=template.row.version,
                personalisation=self._seal(personalisation),
                api_key_id=caller.key.id,
                key_type=key_type,
                notification_type="letter",
                created_at=now,
                notification_status="delivered" if is_test else "created",
                updated_at=now if is_test else None,
                client_reference=reference,
                international=address.international,
                normalised_to="".join(to.split()).lower(),
                reply_to_text=template.row.contact_block,
                postage=address.postage_zone if address.international else template.row.postage,
                reference="".join(secrets.choice(REFERENCE_CHARACTERS) for _ in range(REFERENCE_LENGTH)),
            ),
            self._limits.request(service, key_type, "letter"),
        )
        return AcceptedMessage(
            id=id_,
            template=template,
            reference=reference,
            body=letter.body(personalisation),
            subject=letter.subject(personalisation),
        )

    def _seal(self, personalisation: Mapping[str, Any]) -> bytes | None:
        return self._vault.encrypt_json(personalisation) if personalisation else None

    def _template(self, service: CachedService, template_id: UUID, notification_type: str) -> CompiledTemplate:
        template = self._templates.current(service.id, template_id)
        if template is None:
            raise errors.TemplateNotFoundError
        if template.row.type != notification_type:
            raise errors.UnsuitableTemplateError(template.row.type, notification_type)
        if template.row.archived:
            raise errors.TemplateDeletedError
        return template

    def _sms_sender(self, service: CachedService, template: CompiledTemplate, sender_id: UUID | None) -> str:
        if sender_id is None:
            return resolve_sender(template.row.default_sender_text or self._settings.from_number)
        text = self._services.sms_sender(service.id, sender_id)
        if text is None:
            raise errors.UnknownSenderError("sms_sender_id", sender_id, service.id)
        return resolve_sender(text)

    def _reply_to(self, service: CachedService, template: CompiledTemplate, reply_to_id: UUID | None) -> str | None:
        if reply_to_id is None:
            return template.row.default_sender_text
        text = self._services.reply_to(service.id, reply_to_id)
        if text is None:
            raise errors.UnknownSenderError("email_reply_to_id", reply_to_id, service.id)
        return text

    def _check_recipient(self, caller: Caller, recipient: str) -> None:
        key_type, service = caller.key.key_type, caller.service
        if key_type == "test" or (key_type == "normal" and not service.restricted):
            return
        with self._database.session() as session:
            allowed = service_queries.allowed_recipients(session, service.id)
        if recipient in {format_recipient(entry) for entry in allowed}:
            return
        raise errors.TeamOnlyRecipientError if key_type == "team" else errors.TrialModeRecipientError

    def _file_links(
        self, service: CachedService, files: Mapping[str, FileToSend], address: str, *, is_simulated: bool
    ) -> dict[str, str]:
        if not service.contact_link:
            raise errors.FilesNotSetUpError(self._settings.admin_base_url, service.id)
        if is_simulated:
            return dict.fromkeys(files, self._documents.simulated_link(service.id))
        return {
            name: self._documents.keep(service.id, file, confirmation_email=address) for name, file in files.items()
        }


def _check_permission(service: CachedService, notification_type: str) -> None:
    if notification_type not in service.permissions:
        raise errors.NotAllowedToSendError(notification_type)


def _check_missing(template: CompiledTemplate, personalisation: Mapping[str, Any]) -> None:
    missing = template.text.missing(personalisation)
    if missing:
        raise errors.MissingPersonalisationError(missing)


def _refuse_files(personalisation: Mapping[str, Any]) -> None:
    if any(isinstance(value, dict) and "file" in value for value in personalisation.values()):
        raise errors.FileInWrongChannelError


def _check_number(number: PhoneNumber, permissions: Collection[str]) -> None:
    try:
        number.check(
            allow_international="international_sms" in permissions,
            allow_landline="sms_to_uk_landlines" in permissions,
        )
    except InvalidPhoneNumber as error:
        if error.code == "not_a_uk_mobile" and number.international and not number.crown_dependency:
            raise errors.InternationalNotAllowedError from None
        raise errors.InvalidPhoneProblemError(error.api_text) from None


def _sanitise(
    personalisation: Mapping[str, Any], names: Collection[Any]
) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """The values with those named made harmless, and which ones that changed."""
    wanted = {key_form(name) for name in names if isinstance(name, str)}
    values, changed = dict(personalisation), {}
    for name, value in personalisation.items():
        if isinstance(value, str) and key_form(name) in wanted:
            clean = sanitise_value(value)
            if clean != value:
                values[name] = clean
                changed[name] = {"unsanitised": value, "sanitised": clean}
    return values, changed
