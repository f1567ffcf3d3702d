"""Composes the renderer's input from the row of a letter (contract: letters 7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, cast

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.objects import ObjectMissingError
from notify.letters.files import LetterFiles, upload_key
from notify.letters.rows import LetterOfRow, logo_of
from notify.templates.cache import TemplateCache

if TYPE_CHECKING:
    from notify.letters.render.letter import Languages, Letter


class NoTemplateError(Exception):
    """The letter is precompiled, not made from a template."""


class LetterComposer:
    """Composes templated letters: the texts of their version, the service's current logo, attached pages."""

    def __init__(self, database: Database, templates: TemplateCache, files: LetterFiles) -> None:
        self._database = database
        self._templates = templates
        self._files = files

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database, container.get(TemplateCache), container.get(LetterFiles))

    def compose(self, letter: LetterOfRow) -> Letter:
        """The letter for a renderer. Raises `NoTemplateError`, `LookupError` for a missing template or attachment, and
        the errors of the object store.
        """
        from notify.letters.render.letter import Letter

        template = self._templates.version(letter.service_id, letter.template_id, letter.template_version)
        if template is None:
            raise LookupError(f"there is no version {letter.template_version} of template {letter.template_id}")
        row = template.row
        if row.hidden:
            raise NoTemplateError(f"letter {letter.id} came as a PDF")
        with self._database.session() as session:
            logo = logo_of(session, letter.service_id)
        return Letter(
            subject=row.subject or "",
            content=row.content,
            values=letter.personalisation,
            contact_block=letter.reply_to_text,
            date=letter.created_at,
            logo=logo,
            language=cast("Languages", row.languages or "english"),
            welsh_subject=row.welsh_subject,
            welsh_content=row.welsh_content,
            attachment=None if row.attachment_id is None else self._attachment(letter, row.attachment_id),
        )

    def _attachment(self, letter: LetterOfRow, attachment_id: object) -> bytes:
        try:
            return self._files.attachments.get(upload_key(letter.service_id, attachment_id))
        except ObjectMissingError:
            raise LookupError(f"the file of attachment {attachment_id} is missing") from None
