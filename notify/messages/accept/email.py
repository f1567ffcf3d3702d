"""Accepts emails, and the files sent with them (contract: public-api 5.6, 6.3)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from notify.content.email import LARGEST_EMAIL
from notify.content.email_addresses import normalise, validate
from notify.content.placeholders import key_form
from notify.content.sanitise import sanitise_value
from notify.documents.antivirus import Antivirus
from notify.documents.files import FileToSend, find_files
from notify.documents.store import DocumentStore
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.ids import new_id
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.messages import errors
from notify.messages.accept.base import AcceptedMessage, Caller
from notify.messages.accept.checks import check_missing, check_permission, check_recipient, find_template
from notify.messages.accept.template_files import TemplateFiles, fill, with_fillers
from notify.messages.accept.values import encrypt_values
from notify.messages.models import TO
from notify.messages.store import MessageStore, NewMessage
from notify.services.cache import ServiceCache
from notify.services.limits import RateLimiter
from notify.services.queries import CachedService
from notify.settings import Settings
from notify.templates.cache import CompiledTemplate, TemplateCache

SIMULATED_EMAILS: Final = frozenset(
    f"simulate-delivered{suffix}@notifications.service.gov.uk" for suffix in ("", "-2", "-3")
)
"""Recipients of smoke tests: everything is checked, nothing is stored (contract: public-api 5.7)."""


class SanitisedValues(NamedTuple):
    """Values, some of them sanitised; and the changed ones, each before and after."""

    values: dict[str, Any]
    changed: dict[str, dict[str, str]]


class EmailAcceptor:
    """Accepts emails."""

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
        antivirus: Antivirus,
        template_files: TemplateFiles,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._email_domain = settings.notify_email_domain
        self._admin_base_url = settings.admin_base_url
        self._database = database
        self._encryptor = encryptor
        self._services = services
        self._templates = templates
        self._limits = limits
        self._store = store
        self._documents = documents
        self._antivirus = antivirus
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
            container.get(ServiceCache),
            container.get(TemplateCache),
            container.get(RateLimiter),
            container.get(MessageStore),
            container.get(DocumentStore),
            container.get(Antivirus),
            container.get(TemplateFiles),
        )

    def accept(
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
        scheduled_for: datetime | None = None,
    ) -> AcceptedMessage:
        """Accept an email. Raises a `ProblemError` of `notify.messages.errors`, or `LimitExceededError`."""
        service = caller.service
        check_permission(service, "email")
        values, sanitised = sanitise(personalisation, sanitise_content_for)
        template = find_template(self._templates, service.id, template_id, "email")
        if template.row.email_files:
            values = with_fillers(template, values)
        check_missing(template, values)
        if template.email.is_empty(values):
            raise errors.EmptyMessageError
        reply_to = self._reply_to(service, template, email_reply_to_id)
        address = normalise(email_address)
        check_recipient(self._database, caller, address)
        limit = self._limits.request(service, caller.key.key_type, "email")
        is_simulated = address in SIMULATED_EMAILS
        has_files = any(isinstance(value, dict) and "file" in value for value in values.values())
        files: dict[str, FileToSend] = {}
        if has_files or template.row.email_files:
            self._limits.check(limit)  # before reading files, which is expensive
            limit = limit._replace(rate_limit=0)
            files = find_files(values)
            if files:
                values = {**values, **self._file_links(service, files, address, is_simulated=is_simulated)}
            check_size(template.email.body(values))
            values = fill(values, self._template_files.open(template).links(address))
        body = template.email.body(values)
        check_size(body)
        message = AcceptedMessage(
            id=new_id(),
            template=template,
            reference=reference,
            body=body,
            subject=template.email.shown_subject(values),
            sender=f"{service.email_sender_local_part}@{self._email_domain}",
            one_click_unsubscribe_url=one_click_unsubscribe_url,
            sanitised=sanitised,
            scheduled_for=scheduled_for,
        )
        kept = caller.kept(message)
        if is_simulated:
            self._limits.check(limit)
            if kept is not None:
                self._store.keep(kept)
            return message
        row = self._row(caller, message, validate(email_address), values)
        self._store.store(row._replace(reply_to_text=reply_to, document_download_count=len(files) or None), limit, kept)
        return message

    def _row(self, caller: Caller, message: AcceptedMessage, to: str, values: Mapping[str, Any]) -> NewMessage:
        return NewMessage(
            id=message.id,
            to=self._encryptor.encrypt(to, TO, message.id),
            service_id=caller.service.id,
            template_id=message.template.row.id,
            template_version=message.template.row.version,
            personalisation=encrypt_values(self._encryptor, message.template, values, message.id),
            api_key_id=caller.key.id,
            key_type=caller.key.key_type,
            notification_type="email",
            created_at=self._now(),
            notification_status="created",
            client_reference=message.reference,
            normalised_to=to.lower(),
            unsubscribe_link=message.one_click_unsubscribe_url,
        ).at(message.scheduled_for)

    def _reply_to(self, service: CachedService, template: CompiledTemplate, reply_to_id: UUID | None) -> str | None:
        if reply_to_id is None:
            return template.row.default_sender_text
        text = self._services.reply_to(service.id, reply_to_id)
        if text is None:
            raise errors.UnknownSenderError("email_reply_to_id", reply_to_id, service.id)
        return text

    def _file_links(
        self, service: CachedService, files: Mapping[str, FileToSend], address: str, *, is_simulated: bool
    ) -> dict[str, str]:
        """Store the files. Returns the links for their placeholders."""
        if not service.contact_link:
            raise errors.FilesNotSetUpError(self._admin_base_url, service.id)
        for file in files.values():
            self._antivirus.refuse_infected(file.content)
        if is_simulated:
            return dict.fromkeys(files, self._documents.simulated_link(service.id))
        return {
            name: self._documents.keep(service.id, file, confirmation_email=address) for name, file in files.items()
        }


def check_size(body: str) -> None:
    """Raises `EmailTooLongError` for the markdown of an email that is too large."""
    size = len(body.encode("utf-8", "surrogatepass"))
    if size > LARGEST_EMAIL:
        raise errors.EmailTooLongError(size, LARGEST_EMAIL)


def sanitise(personalisation: Mapping[str, Any], names: Collection[Any]) -> SanitisedValues:
    """Remove links and markdown from the values of these names (contract: public-api 6.3)."""
    wanted = {key_form(name) for name in names if isinstance(name, str)}
    values, changed = dict(personalisation), {}
    for name, value in personalisation.items():
        if isinstance(value, str) and key_form(name) in wanted:
            clean = sanitise_value(value)
            if clean != value:
                values[name] = clean
                changed[name] = {"unsanitised": value, "sanitised": clean}
    return SanitisedValues(values, changed)
