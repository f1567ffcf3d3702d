"""Accepts templated letters (contract: public-api 6.4)."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from notify.content.letter import QrCodeTooLong
from notify.content.postal_addresses import PostalAddress
from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.messages import errors
from notify.messages.accept.base import AcceptedMessage, Caller
from notify.messages.accept.checks import check_missing, check_permission, find_template, refuse_files
from notify.messages.accept.values import encrypt_values
from notify.messages.models import TO
from notify.messages.settings import DeliverySettings
from notify.messages.store import MessageStore, NewMessage
from notify.services.limits import RateLimiter
from notify.services.queries import CachedService
from notify.settings import Settings
from notify.templates.cache import CompiledTemplate, TemplateCache

REFERENCE_CHARACTERS: Final = string.ascii_uppercase + string.digits
REFERENCE_LENGTH: Final = 16


class LetterAcceptor:
    """Accepts letters. They stay `created` until they are printed; those of test keys are `delivered` at once, or
    `sending` if fake callbacks of the print provider are on.
    """

    def __init__(
        self,
        settings: Settings,
        encryptor: Encryptor,
        templates: TemplateCache,
        limits: RateLimiter,
        store: MessageStore,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._test_status = status_of_tests(settings)
        self._encryptor = encryptor
        self._templates = templates
        self._limits = limits
        self._store = store
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(
            container.parts.settings,
            container.parts.encryptor,
            container.get(TemplateCache),
            container.get(RateLimiter),
            container.get(MessageStore),
        )

    def accept(
        self, caller: Caller, *, template_id: UUID, personalisation: Mapping[str, Any], reference: str | None
    ) -> AcceptedMessage:
        """Accept a letter. Raises a `ProblemError` of `notify.messages.errors`, or `LimitExceededError`."""
        service, key_type = caller.service, caller.key.key_type
        check_permission(service, "letter")
        template = find_template(self._templates, service.id, template_id, "letter")
        check_content(template, personalisation)
        check_key(service, key_type)
        address = PostalAddress.from_personalisation(
            personalisation, allow_international="international_letters" in service.permissions
        )
        if address.error:
            raise errors.AddressProblemError(address.error)
        message = AcceptedMessage(
            id=new_id(),
            template=template,
            reference=reference,
            body=template.letter.body(personalisation),
            subject=template.letter.subject(personalisation),
        )
        values = encrypt_values(self._encryptor, template, personalisation, message.id)
        limit = self._limits.request(service, key_type, "letter")
        self._store.store(self._row(caller, message, address, values), limit, caller.kept(message))
        return message

    def _row(
        self, caller: Caller, message: AcceptedMessage, address: PostalAddress, values: bytes | None
    ) -> NewMessage:
        now, template = self._now(), message.template.row
        to = "\n".join(address.normalised_lines)
        is_test = caller.key.key_type == "test"
        return NewMessage(
            id=message.id,
            to=self._encryptor.encrypt(to, TO, message.id),
            service_id=caller.service.id,
            template_id=template.id,
            template_version=template.version,
            personalisation=values,
            api_key_id=caller.key.id,
            key_type=caller.key.key_type,
            notification_type="letter",
            created_at=now,
            notification_status=self._test_status if is_test else "created",
            updated_at=now if is_test and self._test_status == "delivered" else None,
            client_reference=message.reference,
            international=address.international,
            normalised_to="".join(to.split()).lower(),
            reply_to_text=template.contact_block,
            postage=address.postage_zone if address.international else template.postage,
            reference=new_reference(),
        )


def status_of_tests(settings: Settings) -> str:
    """The first status of a letter of a test key."""
    return "sending" if settings.part(DeliverySettings).test_letters_fake_delivery else "delivered"


def check_content(template: CompiledTemplate, values: Mapping[str, Any]) -> None:
    """Raise a `ProblemError` if the template with these values gives no valid letter (5.5)."""
    try:
        template.letter.check_qr_codes(values)
    except QrCodeTooLong as error:
        raise errors.QrCodeTooLongError(error.data, error.num_bytes, error.max_bytes) from None
    check_missing(template, values)
    if template.letter.is_empty(values):
        raise errors.EmptyMessageError
    refuse_files(values)


def check_key(service: CachedService, key_type: str) -> None:
    """Raises `LettersNotForTeamKeyError`, `LettersInTrialModeError`: letters need a live service, or a test key."""
    if key_type == "team":
        raise errors.LettersNotForTeamKeyError
    if service.restricted and key_type != "test":
        raise errors.LettersInTrialModeError


def new_reference() -> str:
    """A random reference, which identifies a letter for print providers."""
    return "".join(secrets.choice(REFERENCE_CHARACTERS) for _ in range(REFERENCE_LENGTH))
