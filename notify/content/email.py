"""Emails (contract: content 4, 6, 7): markdown with placeholders to HTML and to plain text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Final
from urllib.parse import quote

from notify.content import email_page as page
from notify.content.email_page import EmailBranding
from notify.content.markdown import Token, parse
from notify.content.placeholders import Field, Personalisation, Placeholder, escape, key_form
from notify.content.text import normalise_whitespace, strip_unsupported, typography, unlink_govuk

LARGEST_EMAIL: Final = 2_000_000
"""Bytes (UTF-8) an email may have, before it becomes HTML."""

RULE_WIDTH: Final = 65
LONGEST_PREHEADER: Final = 256
_SCHEME: Final = re.compile(r"(?:ftp|file|https?):|mailto:|tel:", re.IGNORECASE)
_WHITESPACE: Final = re.compile(r"\s+")


def safe_link(url: str) -> str:
    """The address of a link: with `http://` where no scheme is known, percent-encoded (content 3)."""
    if not _SCHEME.match(url):
        url = "http://" + url
    return quote(url, safe=":/?#=&;%", errors="replace")


def _shown_placeholder(placeholder: Placeholder) -> str:
    """A placeholder without a value, in HTML (content 2.5)."""
    if placeholder.conditional is None:
        return f"<span class='placeholder'>&#40;&#40;{placeholder.name}&#41;&#41;</span>"
    return (
        f"<span class='placeholder-conditional'>&#40;&#40;{placeholder.name}??</span>"
        f"{placeholder.conditional}&#41;&#41;"
    )


class EmailTemplate:
    """A template of emails: parsed once, filled for many recipients. Thread-safe."""

    def __init__(self, subject: str, content: str) -> None:
        self._subject = Field(subject)
        self._content = Field(content)
        names = {key_form(name): name for name in (*self._content.placeholders, *self._subject.placeholders)}
        in_order = dict.fromkeys(map(key_form, (*self._subject.placeholders, *self._content.placeholders)))
        spelled = {**names, **{key_form(name): name for name in self._subject.placeholders}}
        self.placeholders: tuple[str, ...] = tuple(spelled[key] for key in in_order)

    @cached_property
    def _escaped_subject(self) -> Field:
        return Field(escape(self._subject.content))

    @cached_property
    def _escaped_content(self) -> Field:
        return Field(escape(self._content.content))

    def missing(self, values: Mapping[str, object]) -> list[str]:
        """Placeholders without a value: those of the subject first."""
        given = Personalisation(values)
        return [name for name in self.placeholders if given.by_key(key_form(name)) is None]

    def subject(self, values: Mapping[str, object]) -> str:
        """The subject as it is sent: plain text."""
        return normalise_whitespace(typography(self._subject.fill(Personalisation(values))))

    def body(self, values: Mapping[str, object]) -> str:
        """The content filled in, still markdown: what the API shows."""
        return self._content.fill(Personalisation(values), lists="bullets").strip()

    def size(self, values: Mapping[str, object]) -> int:
        """Bytes of `body` in UTF-8."""
        return len(self.body(values).encode("utf-8", "surrogatepass"))

    def is_too_long(self, values: Mapping[str, object]) -> bool:
        """Larger than an email may be."""
        return self.size(values) > LARGEST_EMAIL

    def is_empty(self, values: Mapping[str, object]) -> bool:
        """Nothing to send: no content, or content that is placeholders from end to end and renders to nothing."""
        content = self._content.content
        if not content:
            return True
        is_filled_only = content.startswith("((") and content.endswith("))")
        return is_filled_only and not self._content.fill(Personalisation(values), lists="bullets")

    def html(
        self,
        values: Mapping[str, object],
        *,
        branding: EmailBranding | None = None,
        unsubscribe_url: str | None = None,
    ) -> str:
        """The whole document."""
        subject = self._escaped_subject.fill(_escaped(values), convert=escape, unfilled=_shown_placeholder)
        return page.document(
            title=normalise_whitespace(typography(subject)),
            preheader=self.preheader(values),
            body=self.html_fragment(values, unsubscribe_url),
            branding=branding or EmailBranding(),
        )

    def html_fragment(self, values: Mapping[str, object], unsubscribe_url: str | None = None) -> str:
        """The message alone, without the page around it."""
        return typography(_html(self._blocks(values, unsubscribe_url)))

    def plain_text(self, values: Mapping[str, object], unsubscribe_url: str | None = None) -> str:
        """The message for readers without HTML."""
        text = _plain(self._blocks(values, unsubscribe_url, unfilled=None))
        return html.unescape(typography(text)).lstrip() + "\n"

    def preheader(self, values: Mapping[str, object]) -> str:
        """What mail readers show beside the subject: the first words of the message, as HTML."""
        text = typography(_preheader(self._blocks(values, None)))
        return _WHITESPACE.sub(" ", text)[:LONGEST_PREHEADER].strip()

    def _blocks(
        self,
        values: Mapping[str, object],
        unsubscribe_url: str | None,
        unfilled: Callable[[Placeholder], str] | None = _shown_placeholder,
    ) -> Sequence[Token]:
        text = self._escaped_content.fill(_escaped(values), lists="bullets", convert=escape, unfilled=unfilled)
        text = strip_unsupported(unlink_govuk(text))
        if unsubscribe_url:
            text += f"\n\n---\n\n[Unsubscribe from these emails]({unsubscribe_url})"
        return parse(text + "\n")


def _escaped(values: Mapping[str, object]) -> Personalisation:
    return Personalisation({escape(str(name)): value for name, value in values.items()})


def _attribute(text: str) -> str:
    return text.replace('"', "&quot;")


# -- HTML


def _html(tokens: Sequence[Token]) -> str:
    return "".join(map(_html_token, tokens))


def _html_token(token: Token) -> str:
    kind = token["type"]
    if kind in ("text", "block_code"):
        return str(token["raw"])
    if kind == "paragraph":
        content = _html(token["children"])
        return page.element("p", content) if content.strip() else ""
    if kind == "heading":
        tag = {1: "h2", 2: "h3"}.get(token["attrs"]["level"], "p")
        return page.element(tag, _html(token["children"]))
    if kind == "list":
        items = "".join(page.element("li", _html(item["children"]).strip()) for item in token["children"])
        return page.list_of("ol" if token["attrs"]["ordered"] else "ul", items)
    if kind == "link":
        url = html.unescape(str(token["attrs"]["url"]))
        return _link(url, _html(token["children"]) or html.escape(url, quote=False), token["attrs"].get("title"))
    if kind == "bare_url":
        return _link(html.unescape(str(token["raw"])), str(token["raw"]))
    if kind in ("linebreak", "softbreak"):
        return "<br>"
    if kind == "thematic_break":
        return page.RULE
    if kind == "block_quote":
        return page.quote(_html(token["children"]))
    if kind == "block_text":
        return _html(token["children"])
    return ""  # images, tables and blank lines


def _link(url: str, content: str, title: str | None = None) -> str:
    return page.link(html.escape(safe_link(url)), content, _attribute(title) if title else None)


# -- plain text


def _plain(tokens: Sequence[Token]) -> str:
    return "".join(map(_plain_token, tokens))


def _plain_token(token: Token) -> str:
    kind = token["type"]
    if kind == "text":
        return str(token["raw"])
    if kind == "block_code":
        return "\n\n" + str(token["raw"]).rstrip("\n")
    if kind == "paragraph":
        content = _plain(token["children"])
        return "\n\n" + content if content.strip() else ""
    if kind == "heading":
        return _plain_heading(token["attrs"]["level"], _plain(token["children"]))
    if kind == "list":
        return _plain_list(token, _plain)
    if kind == "link":
        text, url = _plain(token["children"]), str(token["attrs"]["url"])
        title = token["attrs"].get("title")
        return f"{text} ({title}): {url}" if title else f"{text}: {url}"
    if kind == "bare_url":
        return str(token["raw"])
    if kind in ("linebreak", "softbreak"):
        return "\n"
    if kind == "thematic_break":
        return "\n\n" + "=-" * (RULE_WIDTH // 2) + "="
    if kind in ("block_quote", "block_text"):
        return _plain(token["children"])
    return ""


def _plain_heading(level: int, text: str) -> str:
    if level > 2:
        return "\n\n" + text
    return f"\n\n\n{text}\n" + ("=" if level == 1 else "-") * RULE_WIDTH


def _plain_list(token: Token, show: Callable[[Sequence[Token]], str]) -> str:
    marks = (f"{number}. " for number in range(1, len(token["children"]) + 1))
    bullets = ("• " for _ in token["children"])
    chosen = marks if token["attrs"]["ordered"] else bullets
    items = (show(item["children"]).strip() for item in token["children"])
    return "\n" + "".join(f"\n{mark}{item}" for mark, item in zip(chosen, items, strict=True))


# -- preheader


def _preheader(tokens: Sequence[Token]) -> str:
    return "".join(map(_preheader_token, tokens))


def _preheader_token(token: Token) -> str:
    kind = token["type"]
    if kind in ("text", "bare_url", "block_code"):
        return str(token["raw"])
    if kind in ("linebreak", "softbreak"):
        return " "
    if kind == "list":
        return _plain_list(token, _preheader)
    if kind == "link":
        title = token["attrs"].get("title")
        return _preheader(token["children"]) + (f" ({title})" if title else "")
    if kind in ("paragraph", "heading", "block_quote", "block_text"):
        return " " + _preheader(token["children"])
    return ""
