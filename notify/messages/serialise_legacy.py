"""Messages as the API's first version shows them (contract: public-api 15.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from notify.infra.container import Container
from notify.messages.accept.base import AcceptedMessage
from notify.messages.details import MessageDetails
from notify.templates.cache import CompiledTemplate, TemplateCache


def accepted(message: AcceptedMessage) -> dict[str, Any]:
    """The answer to a message that was accepted. A text message has no subject."""
    answer = {
        "notification": {"id": message.id},
        "body": message.body,
        "template_version": message.template.row.version,
    }
    if message.template.row.type != "sms":
        answer["subject"] = message.subject
    return {"data": answer}


class LegacySerialiser:
    """Shows stored messages."""

    def __init__(self, templates: TemplateCache) -> None:
        self._templates = templates

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        return cls(container.get(TemplateCache))

    def notification(self, message: MessageDetails) -> dict[str, Any]:
        """A message and its status. `reference` is the provider's; statuses are those that are stored."""
        used = message.template
        template = self._templates.version(message.service, used.id, used.version)
        return {
            "id": message.id,
            "to": message.to,
            "job_row_number": message.job_row_number,
            "template_version": used.version,
            "billable_units": message.billable_units,
            "notification_type": message.notification_type,
            "created_at": _zoned(message.created_at),
            "sent_at": None if message.sent_at is None else _zoned(message.sent_at),
            "sent_by": message.sent_by,
            "updated_at": None if message.updated_at is None else _zoned(message.updated_at),
            "status": message.status,
            "reference": message.reference,
            "template": {
                "id": used.id,
                "name": used.name,
                "template_type": used.template_type,
                "version": used.version,
            },
            "service": message.service,
            "job": None if message.job is None else message.job._asdict(),
            "api_key": message.api_key,
            **_content(template, message),
        }


def _content(template: CompiledTemplate | None, message: MessageDetails) -> dict[str, Any]:
    values = message.personalisation
    if message.notification_type == "sms":
        text = None if template is None else template.sms.render(values)
        body, count = ("", 0) if text is None else (text.body, text.character_count_without_prefix)
        return {"body": body, "content_char_count": count}
    body, subject = "", None
    if template is not None and message.notification_type == "email":
        body, subject = template.email.body(values), template.email.shown_subject(values)
    elif template is not None:
        body, subject = template.letter.body(values), template.letter.subject(values)
    return {"body": body, "subject": subject, "content_char_count": None}


def _zoned(moment: datetime) -> str:
    """`2020-12-01T10:00:00.000000+00:00`. Times of rows are in UTC."""
    return moment.isoformat(timespec="microseconds")
