"""Messages as JSON for the page: rows of the list, and a message with all details."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from html import unescape
from typing import Any, Final

from notify.console.letter_pages import LetterPages
from notify.console.queries import MessageList, Sent, Summary
from notify.console.timeline import Step, state_of, timeline
from notify.content.sms import SmsMessage
from notify.content.sms_anatomy import dissect
from notify.content.text import normalise_whitespace
from notify.infra.times import format_datetime, format_optional
from notify.messages.callbacks import is_called_back
from notify.messages.compose import Composer
from notify.messages.queries import StoredMessage
from notify.messages.serialise import Serialiser
from notify.messages.settings import DeliverySettings
from notify.messages.statuses import shown_status
from notify.providers.base import OutgoingEmail
from notify.providers.mime import UnsendableError, source
from notify.services.cache import ServiceCache
from notify.services.queries import CachedService
from notify.settings import Settings
from notify.templates.cache import CompiledTemplate, TemplateCache

PREVIEW: Final = 160
_MARKUP: Final = re.compile(r"[-=]{5,}|^[#*^]{1,2} ", re.MULTILINE)
"""Markup and decoration that would fill a preview."""


class MessageView:
    """Describes messages: as sent if the sandbox has them, else as they would be sent."""

    def __init__(
        self,
        settings: Settings,
        messages: MessageList,
        services: ServiceCache,
        templates: TemplateCache,
        serialiser: Serialiser,
        composer: Composer,
        pages: LetterPages,
    ) -> None:
        self._pages = pages
        self._settings = settings
        self._messages = messages
        self._services = services
        self._templates = templates
        self._presenter = serialiser
        self._composer = composer

    def row(self, message: StoredMessage, summary: Summary | None) -> dict[str, Any]:
        """A message in the list."""
        kind = message.notification_type
        subject, start = (summary.subject, summary.start) if summary else self._start(message)
        return {
            "id": message.id,
            "type": kind,
            "status": shown_status(kind, message.status),
            "state": state_of(message.status),
            "to": message.to if kind != "letter" else message.to.replace("\n", ", "),
            "subject": subject,
            "preview": normalise_whitespace(_MARKUP.sub(" ", start))[:PREVIEW],
            "created_at": format_datetime(message.created_at),
            "reference": message.client_reference,
            "key_type": message.key_type,
            "copies": summary.copies if summary else 0,
        }

    def _start(self, message: StoredMessage) -> tuple[str | None, str]:
        template = self._template(message)
        if template is None:
            return None, ""
        if message.notification_type == "sms":
            service = self._services.get(message.service_id)
            prefix = service.name if service and service.prefix_sms else None
            return None, template.sms.render(message.personalisation, prefix).text
        text = template.email if message.notification_type == "email" else template.letter
        subject, body = text.subject(message.personalisation), text.body(message.personalisation)
        return (unescape(subject) if message.notification_type == "letter" else subject), body

    def message(self, message: StoredMessage) -> dict[str, Any]:
        """A message with its content, its timeline, and its JSON of the public API."""
        sent = self._messages.sent(message.id)
        service, template = self._services.get(message.service_id), self._template(message)
        key = next((key for key in service.api_keys if key.id == message.api_key_id), None) if service else None
        steps = timeline(
            message,
            sent,
            self._messages.reactions(message.id),
            self._messages.callbacks(message.id),
            accepted_by=f"By the {message.key_type} key “{key.name}”" if key else f"As {message.key_type}",
            time_out=timedelta(seconds=self._settings.part(DeliverySettings).sending_notifications_timeout_period),
        )
        api = self._presenter.notification(message, self._settings.api_host_name.rstrip("/") + "/")
        return {
            "id": message.id,
            "type": message.notification_type,
            "status": shown_status(message.notification_type, message.status),
            "state": state_of(message.status),
            "to": message.to,
            "created_at": format_datetime(message.created_at),
            "ended_at": api["completed_at"],
            "content": self._content(message, sent, service, template),
            "timeline": [_step(step) for step in steps],
            "can_call_back_again": self._can_call_back(message),
            "details": {
                "service": service.name if service else None,
                "service_id": message.service_id,
                "template": template.row.name if template else None,
                "template_id": message.template_id,
                "template_version": message.template_version,
                "key": key.name if key else None,
                "key_type": message.key_type,
                "reference": message.client_reference,
                "provider": message.sent_by,
                "provider_reference": message.reference,
                "created_by": message.created_by_name,
                "postage": message.postage,
                "cost_in_pounds": api["cost_in_pounds"],
                "personalisation": message.personalisation,
            },
            "api": api,
        }

    def _can_call_back(self, message: StoredMessage) -> bool:
        is_told = message.notification_type != "letter" and is_called_back(message.status)
        return is_told and self._messages.has_callback(message.service_id)

    def _content(
        self,
        message: StoredMessage,
        sent: Sequence[Sent],
        service: CachedService | None,
        template: CompiledTemplate | None,
    ) -> dict[str, Any] | None:
        """What the recipient sees. None if the template or the service is gone."""
        if service is None or template is None:
            return None
        if message.notification_type == "sms":
            return self._text(message, sent, service, template)
        if message.notification_type == "email":
            email = self._email(message, sent, service, template)
            return {
                "was_sent": bool(sent),
                "from": f"{email.from_name} <{email.from_address}>",
                "to": email.to,
                "reply_to": email.reply_to,
                "subject": email.subject,
                "text": email.plain_text,
                "headers": dict(email.headers),
            }
        letter = template.letter
        return {
            "address": message.to.split("\n"),
            "sender": (message.reply_to_text or "").split("\n"),
            "date": format_datetime(message.created_at),
            "subject": unescape(letter.subject(message.personalisation)),
            "body": letter.body(message.personalisation),
            "pages": self._pages.count(message),
            "has_pdf": self._pages.has_pdf(message),
            "failure": self._pages.failure(message),
        }

    def _text(
        self, message: StoredMessage, sent: Sequence[Sent], service: CachedService, template: CompiledTemplate
    ) -> dict[str, Any]:
        outgoing, composed = self._composer.text(
            service,
            template,
            message.personalisation,
            notification_id=message.id,
            normalised_to=message.normalised_to or "",
            reply_to_text=message.reply_to_text,
            international=message.international,
        )
        if sent and sent[-1].body != composed.text:  # the service's name or prefix has changed since
            body = sent[-1].body
            composed = SmsMessage(body)
        anatomy = dissect(composed)
        return {
            "was_sent": bool(sent),
            "from": sent[-1].sender if sent else outgoing.sender,
            "text": composed.text,
            "characters": composed.character_count,
            "fragments": composed.fragments,
            "rate_multiplier": float(message.rate_multiplier or 1),
            **asdict(anatomy),
        }

    def email(self, message: StoredMessage) -> OutgoingEmail | None:
        """The whole email. None for another type of message, and if the template or the service is gone."""
        service, template = self._services.get(message.service_id), self._template(message)
        if message.notification_type != "email" or service is None or template is None:
            return None
        return self._email(message, self._messages.sent(message.id), service, template)

    def _email(
        self, message: StoredMessage, sent: Sequence[Sent], service: CachedService, template: CompiledTemplate
    ) -> OutgoingEmail:
        if sent:
            entry = sent[-1]
            name, _, address = entry.sender.removesuffix(">").rpartition(" <")
            return OutgoingEmail(
                notification_id=message.id,
                to=entry.recipient,
                from_name=name,
                from_address=address,
                reply_to=entry.reply_to,
                subject=entry.subject or "",
                plain_text=entry.body,
                html=entry.html or "",
                headers=entry.headers,
            )
        return self._composer.email(
            service,
            template,
            message.personalisation,
            notification_id=message.id,
            address=message.to,
            normalised_to=message.normalised_to or "",
            reply_to_text=message.reply_to_text,
            unsubscribe_link=message.unsubscribe_link,
        )

    def source(self, message: StoredMessage) -> bytes | None:
        """An email as sent: headers and MIME parts. None as for `email`."""
        email = self.email(message)
        if email is None:
            return None
        try:
            return source(email, message.sent_at or message.created_at)
        except UnsendableError as error:
            return f"This email cannot be sent: its {error} is malformed.\r\n".encode()

    def _template(self, message: StoredMessage) -> CompiledTemplate | None:
        return self._templates.version(message.service_id, message.template_id, message.template_version)


def _step(step: Step) -> Mapping[str, Any]:
    return {**asdict(step), "at": format_optional(step.at)}
