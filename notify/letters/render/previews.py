"""Previews of templated letters: as a PDF, one page as a picture, the number of pages (contract: letters 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from notify.infra.container import Container
from notify.letters.preview_cache import PreviewCache
from notify.letters.render.assembly import joined, page_count
from notify.letters.render.letter import Letter, RenderedLetter
from notify.letters.render.pictures import PageMissingError, page_png
from notify.letters.render.renderer import LetterRenderer


@dataclass(frozen=True, slots=True)
class PageCounts:
    """The numbers of pages of a letter's languages, without its attachment."""

    welsh: int
    english: int


class LetterPreviews:
    """Creates previews. Thread-safe."""

    def __init__(self, renderer: LetterRenderer, kept: PreviewCache) -> None:
        self._renderer = renderer
        self._kept = kept

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.get(LetterRenderer), container.get(PreviewCache))

    def pdf(self, letter: Letter) -> RenderedLetter:
        """The whole letter. Raises `LetterRenderError`."""
        return joined(self._parts(letter), letter.attachment)

    def page_counts(self, letter: Letter) -> PageCounts:
        """The numbers of pages. Raises `LetterRenderError`."""
        *welsh, english = map(page_count, self._parts(letter))
        return PageCounts(sum(welsh), english)

    def png(self, letter: Letter, page: int) -> bytes:
        """One page of the whole letter, counted from 1; 0 is the last page, -1 the one before it. Raises
        `LetterRenderError`, `PageMissingError`.
        """
        documents = [*self._parts(letter), *([letter.attachment] if letter.attachment else [])]
        places = [(document, index) for document in documents for index in range(page_count(document))]
        try:
            document, index = places[page - 1]
        except IndexError:
            raise PageMissingError(page) from None
        return self._kept.picture(document, f"{index}", lambda: page_png(document, index))

    def _parts(self, letter: Letter) -> list[bytes]:
        return [
            self._kept.part(part.key, lambda part=part: self._renderer.lay_out(part))  # type: ignore[misc]
            for part in self._renderer.parts(letter, "preview")
        ]
