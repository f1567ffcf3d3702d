"""Accepts messages through the API's first version (contract: public-api 15.1).

They are accepted by the same code as those of the second version. Only refusals differ: they have other texts and, if
there are several errors, may name a different one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, Self
from uuid import UUID

from notify.content.email_addresses import normalise
from notify.content.phone_numbers import PhoneNumber
from notify.content.placeholders import TooMuchTextError
from notify.content.sms import LONGEST_MESSAGE
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.errors import BusyError, FieldProblemError, NotFoundProblemError, ProblemError
from notify.infra.validation import parse_uuid
from notify.messages import errors
from notify.messages.accept.base import AcceptedMessage, Caller
from notify.messages.accept.checks import check_missing, check_permission, check_recipient, find_template
from notify.messages.accept.email import EmailAcceptor, check_size
from notify.messages.accept.sms import SmsAcceptor, check_number
from notify.messages.accept.template_files import with_fillers
from notify.services.limits import LimitExceededError, RateLimiter
from notify.templates.cache import CompiledTemplate, TemplateCache

Kind = Literal["sms", "email"]

_NOT_ALLOWED: Final = {"sms": "Cannot send text messages", "email": "Cannot send emails"}


class LegacyAcceptor:
    """Accepts text messages and emails."""

    def __init__(
        self,
        database: Database,
        templates: TemplateCache,
        limits: RateLimiter,
        sms: SmsAcceptor,
        email: EmailAcceptor,
    ) -> None:
        self._database = database
        self._templates = templates
        self._limits = limits
        self._sms = sms
        self._email = email

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(
            container.parts.database,
            container.get(TemplateCache),
            container.get(RateLimiter),
            container.get(SmsAcceptor),
            container.get(EmailAcceptor),
        )

    def accept(
        self, caller: Caller, kind: Kind, *, to: str, template_id: str, personalisation: Mapping[str, Any]
    ) -> AcceptedMessage:
        """Accept a message to a valid number or address. Raises `ProblemError`, `LimitExceededError`."""
        try:
            return self._accept(caller, kind, to, _id(template_id), personalisation)
        except (LimitExceededError, BusyError):
            raise
        except (ProblemError, TooMuchTextError):
            # an exceeded limit comes first, and the request counts towards it
            self._limits.check(self._limits.request(caller.service, caller.key.key_type, kind))
            self._say_what_is_wrong(caller, kind, to, _id(template_id), personalisation)
            raise

    def _accept(
        self, caller: Caller, kind: Kind, to: str, template_id: UUID, personalisation: Mapping[str, Any]
    ) -> AcceptedMessage:
        if kind == "sms":
            return self._sms.accept(
                caller,
                phone_number=to,
                template_id=template_id,
                personalisation=personalisation,
                reference=None,
                sms_sender_id=None,
            )
        return self._email.accept(
            caller,
            email_address=to,
            template_id=template_id,
            personalisation=personalisation,
            reference=None,
            email_reply_to_id=None,
            one_click_unsubscribe_url=None,
            sanitise_content_for=(),
        )

    def _say_what_is_wrong(
        self, caller: Caller, kind: Kind, to: str, template_id: UUID, personalisation: Mapping[str, Any]
    ) -> None:
        """Raise the error that the first version reports. Does nothing if it has no such error."""
        template = find_template(self._templates, caller.service.id, template_id, kind)
        personalisation = with_fillers(template, personalisation)
        check_missing(template, personalisation)
        try:
            _check_text(template, personalisation)
        except TooMuchTextError as error:
            raise errors.too_much_text(kind, error.length) from None
        number = PhoneNumber.parse(to) if kind == "sms" else None
        try:
            check_recipient(self._database, caller, normalise(to) if number is None else number.normalised)
        except (errors.TeamOnlyRecipientError, errors.TrialModeRecipientError) as error:
            raise FieldProblemError("to", error.messages[0]) from None
        try:
            check_permission(caller.service, kind)
        except errors.NotAllowedToSendError:
            raise FieldProblemError("service", _NOT_ALLOWED[kind]) from None
        if number is not None:
            check_number(number, caller.service.permissions)


def _id(text: str) -> UUID:
    """The text as an id. Raises `NotFoundProblemError` if it is not one."""
    try:
        return parse_uuid(text)
    except ValueError:
        raise NotFoundProblemError from None


def _check_text(template: CompiledTemplate, values: Mapping[str, Any]) -> None:
    if template.row.type == "sms":
        text = template.sms.render(values)
        if text.is_empty:
            raise errors.EmptyMessageError
        if text.is_too_long:
            raise errors.TextTooLongError(text.character_count_without_prefix, LONGEST_MESSAGE)
    else:
        if template.email.is_empty(values):
            raise errors.EmptyMessageError
        check_size(template.email.body(values))
