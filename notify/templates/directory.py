"""Templates in compiled form, kept in the process: the current version for two seconds, a given version (which never
changes) for thirty (contract: public-api 5.5, content 17.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from uuid import UUID

from cachetools import TTLCache

from notify.content.email import EmailTemplate
from notify.content.letter import LetterTemplate
from notify.content.sms import SmsTemplate
from notify.infra.database import Database
from notify.templates import queries
from notify.templates.queries import CachedTemplate

CURRENT_SECONDS = 2
VERSION_SECONDS = 30
ENTRIES = 1024


@dataclass(frozen=True)
class CompiledTemplate:
    """A version of a template, and its text ready to be filled in. One of the three texts fits its type."""

    row: CachedTemplate

    @cached_property
    def sms(self) -> SmsTemplate:
        """The text of a text message template."""
        return SmsTemplate(self.row.content)

    @cached_property
    def email(self) -> EmailTemplate:
        """The text of an email template."""
        return EmailTemplate(self.row.subject or "", self.row.content)

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
        """The text of whichever type it is."""
        if self.row.type == "sms":
            return self.sms
        return self.email if self.row.type == "email" else self.letter


class TemplateDirectory:
    """Looks up templates."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._current: TTLCache[tuple[UUID, UUID], CompiledTemplate | None] = TTLCache(ENTRIES, CURRENT_SECONDS)
        self._versions: TTLCache[tuple[UUID, int], CompiledTemplate | None] = TTLCache(ENTRIES, VERSION_SECONDS)
        self._lock = Lock()

    def current(self, service_id: UUID, template_id: UUID) -> CompiledTemplate | None:
        """The service's template as it is now, or null (also for a hidden one)."""
        key = (service_id, template_id)
        with self._lock:
            if key in self._current:
                return self._current[key]
        found = self._load(service_id, template_id, None, hidden=False)
        with self._lock:
            self._current[key] = found
        return found

    def version(self, service_id: UUID, template_id: UUID, version: int) -> CompiledTemplate | None:
        """The service's template as it was in that version, hidden or not, or null."""
        key = (template_id, version)
        with self._lock:
            found = self._versions.get(key)
        if found is None:
            found = self._load(service_id, template_id, version, hidden=True)
            with self._lock:
                self._versions[key] = found
        return found if found is not None and found.row.service_id == service_id else None

    def _load(
        self, service_id: UUID, template_id: UUID, version: int | None, *, hidden: bool
    ) -> CompiledTemplate | None:
        with self._database.session() as session:
            row = queries.load_template(session, service_id, template_id, version, hidden=hidden)
        return None if row is None else CompiledTemplate(row)

    def clear(self) -> None:
        """Forget everything, so that the next look is at the database."""
        with self._lock:
            self._current.clear()
            self._versions.clear()
