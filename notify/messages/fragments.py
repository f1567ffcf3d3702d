"""Counting the fragments of a stored text message."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from notify.infra.secrets import Encryptor
from notify.messages.models import PERSONALISATION
from notify.services.cache import ServiceCache
from notify.templates.cache import TemplateCache


class StoredText(Protocol):
    """A row of a text. `personalisation` is encrypted."""

    @property
    def id(self) -> UUID: ...
    @property
    def service_id(self) -> UUID: ...
    @property
    def template_id(self) -> UUID: ...
    @property
    def template_version(self) -> int: ...
    @property
    def personalisation(self) -> bytes | None: ...


def count_fragments(message: StoredText, encryptor: Encryptor, services: ServiceCache, templates: TemplateCache) -> int:
    """Of how many fragments a text is; 0 where its service or template is gone."""
    template = templates.version(message.service_id, message.template_id, message.template_version)
    service = services.get(message.service_id)
    if template is None or service is None:
        return 0
    values = encryptor.decrypt_json(message.personalisation, PERSONALISATION, message.id)
    return template.sms.render(values, service.name if service.prefix_sms else None).fragments
