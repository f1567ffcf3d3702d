"""Messages as JSON of the API's first version (contract: public-api 15.1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

from notify.infra.container import Container
from notify.infra.database import Database
from notify.messages.accept.base import AcceptedMessage
from notify.messages.hooks import job_files
from notify.messages.queries import StoredMessage
from notify.templates.cache import CompiledTemplate, TemplateCache


def accepted(message: AcceptedMessage) -> dict[str, Any]:
    """The answer about an accepted message. A text message has no subject."""
    answer = {
        "notification": {"id": message.id},
        "body": message.body,
        "template_version": message.template.row.version,
    }
    if message.template.row.type != "sms":
        answer["subject"] = message.subject
    return {"data": answer}


class LegacySerialiser:
    """Serialises stored messages."""

    def __init__(self, database: Database, templates: TemplateCache) -> None:
        self._database = database
        self._templates = templates

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database, container.get(TemplateCache))

    def notifications(self, messages: Sequence[StoredMessage]) -> list[dict[str, Any]]:
        """Messages with their stored statuses. `reference` is the provider's."""
        files = self._file_names({message.job_id for message in messages if message.job_id is not None})
        # render without holding a connection: looking up a template may need one
        return [self._notification(message, files) for message in messages]

    def _file_names(self, job_ids: Collection[UUID]) -> Mapping[UUID, str]:
        if not job_ids:
            return {}
        with self._database.session() as session:
            return job_files.names(session, job_ids)

    def _notification(self, message: StoredMessage, files: Mapping[UUID, str]) -> dict[str, Any]:
        template = self._templates.version(message.service_id, message.template_id, message.template_version)
        file_name = files.get(message.job_id) if message.job_id is not None else None
        return {
            "id": message.id,
            "to": message.to,
            "job_row_number": message.job_row_number,
            "template_version": message.template_version,
            "billable_units": message.billable_units,
            "notification_type": message.notification_type,
            "created_at": _zoned(message.created_at),
            "sent_at": None if message.sent_at is None else _zoned(message.sent_at),
            "sent_by": message.sent_by,
            "updated_at": None if message.updated_at is None else _zoned(message.updated_at),
            "status": message.status,
            "reference": message.reference,
            "template": {
                "id": message.template_id,
                "name": "" if template is None else template.row.name,
                "template_type": message.notification_type,
                "version": message.template_version,
            },
            "service": message.service_id,
            "job": None if file_name is None else {"id": message.job_id, "original_file_name": file_name},
            "api_key": message.api_key_id,
            **_content(template, message),
        }


def _content(template: CompiledTemplate | None, message: StoredMessage) -> dict[str, Any]:
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
    """`2020-12-01T10:00:00.000000+00:00`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
