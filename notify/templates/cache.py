"""Templates in compiled form, cached in the process: the current version for two seconds, a given version (which never
changes) for thirty seconds (contract: public-api 5.5, content 17.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from threading import Condition
from typing import Self
from uuid import UUID

from cachetools import TTLCache, cached

from notify.content.email import EmailTemplate
from notify.content.letter import LetterTemplate
from notify.content.sms import SmsTemplate
from notify.infra.container import Container
from notify.infra.database import Database
from notify.settings import Settings
from notify.templates import queries
from notify.templates.queries import CachedTemplate
from notify.templates.settings import TemplateSettings

CURRENT_SECONDS = 2
VERSION_SECONDS = 30
ENTRIES = 1024


@dataclass(frozen=True)
class CompiledTemplate:
    """A version of a template with its compiled text. Use the attribute of the template's type."""

    row: CachedTemplate
    gsm_only: bool = False
    """Whether text messages are downgraded for providers that do not support Unicode."""
    prepares: bool = True
    """Whether emails are rendered once for many recipients."""

    @cached_property
    def sms(self) -> SmsTemplate:
        """The text of a text message template."""
        return SmsTemplate(self.row.content, gsm_only=self.gsm_only)

    @cached_property
    def email(self) -> EmailTemplate:
        """The text of an email template."""
        return EmailTemplate(self.row.subject or "", self.row.content, prepare=self.prepares)

    @cached_property
    def letter(self) -> LetterTemplate:
        """The text of a letter template."""
        return LetterTemplate(
            self.row.subject or "",
            self.row.content,
            welsh_subject=self.row.welsh_subject,
            welsh_content=self.row.welsh_content,
            languages=self.row.languages or "english",
            contact_block=self.row.contact_block or "",
        )

    @property
    def text(self) -> SmsTemplate | EmailTemplate | LetterTemplate:
        """The compiled text, whatever its type."""
        if self.row.type in ("sms", "broadcast"):
            return self.sms
        return self.email if self.row.type == "email" else self.letter


class _NoTemplateError(LookupError):
    """There is no such version. Not cached, since it may be created at any time."""


class TemplateCache:
    """Looks up templates. If several threads miss the same one at the same time, only one queries the database."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings.part(TemplateSettings)
        self._database = database
        self._current = cached(TTLCache(ENTRIES, CURRENT_SECONDS), condition=Condition())(self._load_current)
        self._version = cached(TTLCache(ENTRIES, VERSION_SECONDS), condition=Condition())(self._load_version)

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.settings, container.parts.database)

    def current(self, service_id: UUID, template_id: UUID) -> CompiledTemplate | None:
        """The current version of the service's template, or None (also for a hidden one)."""
        return self._current(service_id, template_id)

    def version(self, service_id: UUID, template_id: UUID, version: int) -> CompiledTemplate | None:
        """That version of the service's template, hidden or not, or None."""
        try:
            return self._version(service_id, template_id, version)
        except _NoTemplateError:
            return None

    def _load_current(self, service_id: UUID, template_id: UUID) -> CompiledTemplate | None:
        return self._load(service_id, template_id, None, hidden=False)

    def _load_version(self, service_id: UUID, template_id: UUID, version: int) -> CompiledTemplate:
        found = self._load(service_id, template_id, version, hidden=True)
        if found is None:
            raise _NoTemplateError
        return found

    def _load(
        self, service_id: UUID, template_id: UUID, version: int | None, *, hidden: bool
    ) -> CompiledTemplate | None:
        with self._database.session() as session:
            row = queries.load_template(session, service_id, template_id, version, hidden=hidden)
        if row is None:
            return None
        return CompiledTemplate(row, gsm_only=self._settings.sms_gsm_only, prepares=self._settings.prepared_emails)

    def clear(self) -> None:
        """Empty the cache."""
        self._current.cache_clear()
        self._version.cache_clear()
