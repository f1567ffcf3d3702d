"""Emails (contract: content 4, 6, 7): Markdown with placeholders to HTML and to plain text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from notify.content import email_page as page
from notify.content.email_page import EmailBranding
from notify.content.email_render import as_html, as_plain_text, as_preheader
from notify.content.markdown import Token, parse
from notify.content.placeholders import (
    Field,
    Personalisation,
    Unfilled,
    escape,
    escaped_names,
    marked,
    missing,
    names_of,
    redacted,
    redacted_text,
)
from notify.content.prepared import Prepared, Texts
from notify.content.sanitise import without_angle_escapes, without_escapes
from notify.content.text import normalise_whitespace, strip_unsupported, typography, unescape, unlink_govuk

LARGEST_EMAIL: Final = 2_000_000
"""Most bytes (UTF-8) of an email, before it becomes HTML."""

LONGEST_PREHEADER: Final = 256
_WHITESPACE: Final = re.compile(r"\s+")
_AUTOLINK: Final = re.compile(r"&lt;([^\s&][^\s&@:]*[@:][^\s&]+)&gt;")


@dataclass(frozen=True, slots=True)
class EmailMessage:
    """An email ready to be sent."""

    subject: str
    html: str
    """The whole document."""
    plain_text: str


class EmailTemplate:
    """A template of emails: parsed once, filled for many recipients. Thread-safe. `redact` hides the names of
    placeholders without a value. Without `prepare` the Markdown is read anew for each recipient, which is much slower
    and must give the same result (`notify.content.prepared`).
    """

    def __init__(self, subject: str, content: str, *, redact: bool = False, prepare: bool = True) -> None:
        self._subject = Field(subject)
        self._content = Field(content)
        self._names = names_of((self._subject, self._content))
        self.placeholders: tuple[str, ...] = tuple(self._names.values())
        self._marked: Unfilled = redacted if redact else marked
        self._unfilled: Unfilled | None = redacted_text if redact else None
        self._prepares = prepare

    @cached_property
    def _escaped_subject(self) -> Field:
        return Field(escape(self._subject.content))

    @cached_property
    def _escaped_content(self) -> Field:
        return Field(escape(self._content.content))

    @cached_property
    def _prepared(self) -> Prepared:
        return Prepared(self._subject, self._escaped_subject, self._escaped_content, self._marked, self._unfilled)

    def missing(self, values: Mapping[str, object]) -> list[str]:
        """Placeholders without a value: those of the subject first."""
        return missing(self._names, values)

    def subject(self, values: Mapping[str, object]) -> str:
        """The subject as it is sent: plain text."""
        return _subject(self._filled_subject(Personalisation(values)))

    def shown_subject(self, values: Mapping[str, object]) -> str:
        """The subject as the API shows it: sanitised values keep their backslashes there."""
        return _subject(self._subject.fill(Personalisation(values), unfilled=self._unfilled))

    def body(self, values: Mapping[str, object]) -> str:
        """The content filled in, still Markdown: what the API shows."""
        return self._content.fill(Personalisation(values), lists="bullets").strip()

    def size(self, values: Mapping[str, object]) -> int:
        """Bytes of `body` in UTF-8."""
        return len(self.body(values).encode("utf-8", "surrogatepass"))

    def is_too_long(self, values: Mapping[str, object]) -> bool:
        """Larger than an email may be."""
        return self.size(values) > LARGEST_EMAIL

    def is_empty(self, values: Mapping[str, object]) -> bool:
        """Nothing to send: no content, or content that is placeholders from end to end and renders to nothing."""
        return self._content.is_empty(values)

    def render(
        self,
        values: Mapping[str, object],
        *,
        branding: EmailBranding | None = None,
        unsubscribe_url: str | None = None,
    ) -> EmailMessage:
        """The email with these values. Recipients whose values are alike share one reading of the Markdown
        (`notify.content.prepared`); the result is the same as that of the methods below.
        """
        texts = self._prepared.fill(values, unsubscribe_url, _make_texts) if self._prepares else None
        if texts is None:
            texts = self._texts(values, unsubscribe_url)
        document = page.document(
            title=texts.title,
            preheader=_cut(texts.preheader),
            body=texts.fragment,
            branding=branding or EmailBranding(),
        )
        return EmailMessage(texts.subject, document, texts.plain_text)

    def html(
        self,
        values: Mapping[str, object],
        *,
        branding: EmailBranding | None = None,
        unsubscribe_url: str | None = None,
        complete: bool = True,
    ) -> str:
        """The document; without `complete`, the content of its body only."""
        texts = self._texts(values, unsubscribe_url)
        return page.document(
            title=texts.title,
            preheader=_cut(texts.preheader),
            body=texts.fragment,
            branding=branding or EmailBranding(),
            complete=complete,
        )

    def html_fragment(self, values: Mapping[str, object], unsubscribe_url: str | None = None) -> str:
        """The message alone, without the page around it."""
        return self._texts(values, unsubscribe_url).fragment

    def plain_text(self, values: Mapping[str, object], unsubscribe_url: str | None = None) -> str:
        """The message for readers without HTML."""
        return self._texts(values, unsubscribe_url).plain_text

    def html_subject(self, values: Mapping[str, object]) -> str:
        """The subject as HTML: the title of the page."""
        return _subject(self._filled_title(escaped_names(values)))

    def preheader(self, values: Mapping[str, object]) -> str:
        """The first words of the message as HTML, which mail readers show beside the subject."""
        return _cut(self._texts(values, None).preheader)

    def _filled_subject(self, given: Personalisation) -> str:
        filled = self._subject.fill(given, unfilled=self._unfilled)
        if "\\" in filled:
            filled = self._subject.fill(given, convert=without_escapes, unfilled=self._unfilled)
        return filled

    def _filled_title(self, given: Personalisation) -> str:
        return self._escaped_subject.fill(given, convert=_escape_for_title, unfilled=self._marked)

    def _texts(self, values: Mapping[str, object], unsubscribe_url: str | None) -> Texts:
        given = escaped_names(values)
        content = self._escaped_content
        shown = content.fill(given, lists="bullets", convert=_escape_for_markdown, unfilled=self._marked)
        text = shown
        if any(given.by_key(key) is None for key in content.names):
            text = content.fill(given, lists="bullets", convert=_escape_for_markdown, unfilled=self._unfilled)
        return _make_texts(
            self._filled_subject(Personalisation(values)), self._filled_title(given), shown, text, unsubscribe_url
        )


def _escape_for_title(value: str) -> str:
    return escape(without_escapes(value))


def _escape_for_markdown(value: str) -> str:
    return escape(without_angle_escapes(value))


def _make_texts(subject: str, title: str, shown: str, text: str, unsubscribe_url: str | None) -> Texts:
    """All texts of an email. `title` and `shown` are for HTML, where placeholders without a value are marked;
    `text` is the same content as plain text has it. All but the subject are escaped.
    """
    tokens = _tokens(shown)
    plain_tokens = tokens if text is shown or text == shown else _tokens(text)
    footer = _footer(unsubscribe_url) if unsubscribe_url else []
    plain = _AUTOLINK.sub(r"\1", as_plain_text([*plain_tokens, *footer]))
    plain = typography(plain.replace("&lt;", "<").replace("&gt;", ">"))  # tags stay as they are
    return Texts(
        subject=_subject(subject),
        title=_subject(title),
        preheader=_WHITESPACE.sub(" ", typography(as_preheader(tokens))),
        fragment=typography(as_html([*tokens, *footer])),
        plain_text=unescape(plain).lstrip() + "\n",
    )


def _subject(filled: str) -> str:
    return normalise_whitespace(typography(filled))


def _tokens(text: str) -> list[Token]:
    return list(parse(strip_unsupported(unlink_govuk(text)) + "\n"))


def _footer(url: str) -> list[Token]:
    """What `---` and `[Unsubscribe from these emails](url)` below a message become."""
    return list(parse(f"\n\n---\n\n[Unsubscribe from these emails]({escape(url)})\n"))


def _cut(preheader: str) -> str:
    return preheader[:LONGEST_PREHEADER].strip()
