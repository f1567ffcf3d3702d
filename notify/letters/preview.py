"""Previews of sent letters, for the admin app (contract: letters 13.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Self
from uuid import UUID

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.errors import NotFoundProblemError, ProblemError
from notify.infra.secrets import Encryptor
from notify.letters.compose import LetterComposer, NoTemplateError
from notify.letters.files import LetterFiles
from notify.letters.preview_cache import PreviewCache
from notify.letters.rows import LetterOfRow, find_letter
from notify.letters.work import PdfWork

if TYPE_CHECKING:
    from notify.letters.precompiled.sanitiser import PdfSanitiser
    from notify.letters.render.previews import LetterPreviews as TemplatedPreviews

OUTSIDE_PRINTABLE_AREA: Final = "content-outside-printable-area"

FileType = Literal["pdf", "png"]
FILE_TYPES: Final[Mapping[str, FileType]] = {"pdf": "pdf", "png": "png"}


class Preview(NamedTuple):
    """A PDF, or the picture of one page; `metadata` is that of a precompiled letter (2.3)."""

    content: bytes
    metadata: Mapping[str, str]


class PageProblemError(ProblemError):
    """The page cannot be shown: the file is missing, cannot be read, or has no such page."""

    status = 500

    def __init__(self, letter_id: UUID, file_type: str, error: Exception) -> None:
        super().__init__(
            f"Error extracting requested page from PDF file for notification_id {letter_id} type {file_type} {error}"
        )


class PreviewProblemError(ProblemError):
    """The templated letter cannot be shown: it cannot be rendered, or has no such page."""

    status = 500

    def __init__(self, letter_id: UUID, error: Exception) -> None:
        super().__init__(f"Error generating preview letter for {letter_id} Status code: 500 {error}")


class LetterPreviews:
    """Previews letters: renders a templated one, and shows the file of any other."""

    def __init__(
        self,
        database: Database,
        encryptor: Encryptor,
        letter_files: LetterFiles,
        composer: LetterComposer,
        previews: TemplatedPreviews,
        kept: PreviewCache,
        sanitiser: PdfSanitiser,
        work: PdfWork,
    ) -> None:
        self._database = database
        self._encryptor = encryptor
        self._files = letter_files
        self._composer = composer
        self._previews = previews
        self._kept = kept
        self._sanitiser = sanitiser
        self._work = work

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        from notify.letters.precompiled.sanitiser import PdfSanitiser  # few requests show letters
        from notify.letters.render.previews import LetterPreviews as TemplatedPreviews

        parts = container.parts
        return cls(
            parts.database,
            parts.encryptor,
            container.get(LetterFiles),
            container.get(LetterComposer),
            container.get(TemplatedPreviews),
            container.get(PreviewCache),
            container.get(PdfSanitiser),
            container.get(PdfWork),
        )

    def preview(self, service_id: UUID, letter_id: UUID, file_type: FileType, page: int) -> Preview:
        """A letter as a PDF, or one page of it, counted from 1, as a picture. Raises `NotFoundProblemError` (no such
        letter), `PreviewProblemError` (made from a template), `PageProblemError` (any other).
        """
        with self._database.session() as session:
            letter = find_letter(session, self._encryptor, letter_id, service_id=service_id)
        if letter is None:
            raise NotFoundProblemError
        with self._work.slot():
            try:
                return self._templated(letter, file_type, page)
            except NoTemplateError:
                pass
            except Exception as error:
                raise PreviewProblemError(letter_id, error) from error
            try:
                return self._precompiled(letter, file_type, page)
            except Exception as error:
                raise PageProblemError(letter_id, file_type, error) from error

    def _templated(self, letter: LetterOfRow, file_type: FileType, page: int) -> Preview:
        composed = self._composer.compose(letter)
        return Preview(
            self._previews.pdf(composed).pdf if file_type == "pdf" else self._previews.png(composed, page), {}
        )

    def _precompiled(self, letter: LetterOfRow, file_type: FileType, page: int) -> Preview:
        from notify.letters.pages import page_png

        pdf, metadata = self._files.read(letter), self._files.metadata(letter)
        is_outside = metadata.get("message") == OUTSIDE_PRINTABLE_AREA
        if file_type == "pdf":
            return Preview(self._sanitiser.overlay(pdf) if is_outside else pdf, metadata)
        if is_outside and page in _invalid_pages(metadata):
            return Preview(page_png(self._sanitiser.overlay(pdf, page), 1), metadata)
        return Preview(self._kept.page(pdf, page, hide_notify=page == 1), metadata)


def _invalid_pages(metadata: Mapping[str, str]) -> list[int]:
    found = json.loads(metadata.get("invalid_pages") or "[]")
    return found if isinstance(found, list) else []
