"""Renders templated letters (contract: letters 3)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1
from typing import Final, Self

from notify.content.letter import LetterTemplate
from notify.content.qr import QrCodeTooLong
from notify.infra.container import Container
from notify.infra.times import utc_now
from notify.letters.render.assembly import joined, with_logo
from notify.letters.render.cmyk import has_rgb, to_cmyk
from notify.letters.render.compiler import LayoutCompiler, layout_version
from notify.letters.render.data import part_as_json
from notify.letters.render.empty_boxes import empty_boxes
from notify.letters.render.errors import QrDataError
from notify.letters.render.letter import Letter, Purpose, RenderedLetter
from notify.letters.render.logos import Logo, Logos
from notify.letters.settings import LetterRenderSettings

__all__ = ["Letter", "LetterRenderer", "Part", "Purpose", "RenderedLetter"]

_LAYOUT: Final = "letter.typ"


@dataclass(frozen=True, slots=True)
class Part:
    """One language of a letter, ready to be laid out. Parts with the same `key` give the same PDF."""

    data: str
    purpose: Purpose
    logo: Logo | None
    key: str


class LetterRenderer:
    """Renders letters. Thread-safe; the same letter gives the same bytes."""

    def __init__(self, compiler: LayoutCompiler, logos: Logos) -> None:
        self._compiler = compiler
        self._logos = logos
        self._version = layout_version()

    @classmethod
    def build(cls, container: Container) -> Self:
        """With the fonts of the settings, and logos of the bucket of logos."""
        settings = container.parts.settings
        fonts = settings.part(LetterRenderSettings)
        compiler = LayoutCompiler(fonts.letter_font_paths, system_fonts=fonts.letter_system_fonts)
        bucket = container.parts.objects.bucket(settings.s3_bucket_logo_upload)
        return cls(compiler, Logos(bucket, compiler))

    def render(self, letter: Letter, purpose: Purpose) -> RenderedLetter:
        """The letter as a PDF. Raises `LetterRenderError`: `LogoError`, `AttachmentError`, or for data that is too long
        for a QR code.
        """
        parts = self.parts(letter, purpose)
        documents = [self.lay_out(part) for part in parts]
        boxes = [empty_boxes(pdf, part.data) for pdf, part in zip(documents, parts, strict=True)]
        return joined(documents, letter.attachment)._replace(unprintable=frozenset().union(*boxes))

    def parts(self, letter: Letter, purpose: Purpose) -> list[Part]:
        """The letter's languages in order, for callers that cache the results of `lay_out`. Raises as `render`."""
        template = LetterTemplate(
            letter.subject,
            letter.content,
            welsh_subject=letter.welsh_subject,
            welsh_content=letter.welsh_content,
            languages=letter.language,
            contact_block=letter.contact_block or "",
        )
        logo = self._logos.get(letter.logo, purpose) if letter.logo else None
        try:
            texts = [part_as_json(part, purpose) for part in template.parts(letter.values, letter.date or utc_now())]
        except QrCodeTooLong as error:
            raise QrDataError("A QR code has more data than it can hold") from error
        return [Part(text, purpose, logo, self._key(text, logo)) for text in texts]

    def lay_out(self, part: Part) -> bytes:
        """The PDF of one language. Raises `LetterRenderError`."""
        pdf = self._compiler.compile(_LAYOUT, {"letter": part.data})
        if part.purpose == "print" and has_rgb(pdf):
            pdf = to_cmyk(pdf)
        return with_logo(pdf, part.logo.pdf) if part.logo else pdf

    def _key(self, text: str, logo: Logo | None) -> str:
        content = "\n".join((self._version, self._compiler.fonts_version(), logo.key if logo else "", text))
        return sha1(content.encode(), usedforsecurity=False).hexdigest()
