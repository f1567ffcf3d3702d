"""Checks that several channels share (contract: public-api 5.2, 5.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from notify.content.recipients import format_recipient
from notify.infra.database import Database
from notify.messages import errors
from notify.messages.accept.base import Caller
from notify.services import queries as services
from notify.services.queries import CachedService
from notify.templates.cache import CompiledTemplate, TemplateCache


def check_permission(service: CachedService, notification_type: str) -> None:
    """Raises `NotAllowedToSendError` when the service may not send messages of this type."""
    if notification_type not in service.permissions:
        raise errors.NotAllowedToSendError(notification_type)


def check_missing(template: CompiledTemplate, values: Mapping[str, Any]) -> None:
    """Raises `MissingPersonalisationError` when a placeholder has no value."""
    missing = template.text.missing(values)
    if missing:
        raise errors.MissingPersonalisationError(missing)


def refuse_files(values: Mapping[str, Any]) -> None:
    """Raises `FileInWrongChannelError` when a value is a file: only emails carry them."""
    if any(isinstance(value, dict) and "file" in value for value in values.values()):
        raise errors.FileInWrongChannelError


def find_template(
    templates: TemplateCache, service_id: UUID, template_id: UUID, notification_type: str
) -> CompiledTemplate:
    """The template to send from.

    Raises `TemplateNotFoundError`, `UnsuitableTemplateError` (of another type), `TemplateDeletedError` (archived).
    """
    template = templates.current(service_id, template_id)
    if template is None:
        raise errors.TemplateNotFoundError
    if template.row.type != notification_type:
        raise errors.UnsuitableTemplateError(template.row.type, notification_type)
    if template.row.archived:
        raise errors.TemplateDeletedError
    return template


def check_recipient(database: Database, caller: Caller, recipient: str) -> None:
    """Team keys, and services in trial mode, send to the service's team and guest list only (5.2).

    `recipient` is in its normalised form. Raises `TeamOnlyRecipientError`, `TrialModeRecipientError`.
    """
    key_type, service = caller.key.key_type, caller.service
    if key_type == "test" or (key_type == "normal" and not service.restricted):
        return
    with database.session() as session:
        allowed = services.allowed_recipients(session, service.id)
    if recipient in {format_recipient(entry) for entry in allowed}:
        return
    raise errors.TeamOnlyRecipientError if key_type == "team" else errors.TrialModeRecipientError
