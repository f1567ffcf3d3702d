"""The text of letters (contract: content 4, 8)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from notify.content.placeholders import Field, Personalisation, escape, key_form
from notify.content.qr import QrCodeTooLong, check_codes
from notify.content.text import normalise_whitespace, typography

__all__ = ["LetterTemplate", "QrCodeTooLong"]


class LetterTemplate:
    """A template of letters: parsed once, filled for many recipients. Thread-safe."""

    def __init__(
        self,
        subject: str,
        content: str,
        *,
        welsh_subject: str | None = None,
        welsh_content: str | None = None,
        languages: str = "english",
        contact_block: str = "",
    ) -> None:
        self._content = Field(content)
        self._escaped_subject = Field(escape(subject))
        self._welsh = Field(welsh_content or "") if languages == "welsh_then_english" else None
        texts = [contact_block.strip(), welsh_subject or "", welsh_content or "", subject, content]
        names: dict[str, str] = {}
        for text in texts:
            for name in Field(text).placeholders:
                names.setdefault(key_form(name), name)
        self._names = names
        self.placeholders: tuple[str, ...] = tuple(names.values())

    @cached_property
    def _escaped_contents(self) -> tuple[Field, ...]:
        fields = (self._content,) if self._welsh is None else (self._welsh, self._content)
        return tuple(Field(escape(field.content)) for field in fields)

    def missing(self, values: Mapping[str, object]) -> list[str]:
        """Placeholders without a value: first the contact block, then the Welsh text, then the English."""
        given = Personalisation(values)
        return [name for key, name in self._names.items() if given.by_key(key) is None]

    def subject(self, values: Mapping[str, object]) -> str:
        """The subject, HTML-escaped."""
        return normalise_whitespace(typography(self._escaped_subject.fill(_escaped(values), convert=escape)))

    def body(self, values: Mapping[str, object]) -> str:
        """The content filled in, still markdown: what the API shows."""
        return self._content.fill(Personalisation(values), lists="bullets").strip()

    def is_empty(self, values: Mapping[str, object]) -> bool:
        """Nothing to print: no content, or content that is placeholders from end to end and renders to nothing."""
        content = self._content.content
        if not content:
            return True
        is_filled_only = content.startswith("((") and content.endswith("))")
        return is_filled_only and not self._content.fill(Personalisation(values), lists="bullets")

    def check_qr_codes(self, values: Mapping[str, object]) -> None:
        """Raises `QrCodeTooLong`."""
        for field in self._escaped_contents:
            check_codes(field.fill(_escaped(values), lists="bullets", convert=escape))


def _escaped(values: Mapping[str, object]) -> Personalisation:
    return Personalisation({escape(str(name)): value for name, value in values.items()})
