"""Renders the tokens of an email's Markdown as HTML, plain text and preheader (contract: content 6.1)."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Final

from notify.content import email_page as page
from notify.content.links import safe_link
from notify.content.markdown import CONTAINERS, Token

RULE_WIDTH: Final = 65


def _link_text(token: Token) -> Sequence[Token]:
    """The text of a link, in which a bare URL is no link."""
    return [
        {"type": "text", "raw": child["raw"]} if child["type"] == "bare_url" else child for child in token["children"]
    ]


# -- HTML


def as_html(tokens: Sequence[Token]) -> str:
    """The message as HTML, without the page around it."""
    out: list[str] = []
    after_code = False
    for token in tokens:
        made = _html_token(token)
        if not made:
            continue
        # code has no element around it, so a line end keeps it apart from text on either side
        is_code = token["type"] == "block_code"
        meets_text = is_code or (after_code and not made.startswith("<"))
        if meets_text and out and not out[-1].endswith((">", "\n")):
            out.append("\n")
        out.append(made)
        after_code = is_code
    return "".join(out)


def _html_token(token: Token) -> str:
    kind = token["type"]
    if kind in ("text", "block_code", "escaped_angle"):
        return str(token["raw"])
    if kind == "paragraph":
        content = as_html(token["children"])
        return page.element("p", content) if content.strip() else ""
    if kind == "heading":
        content = as_html(token["children"])
        tag = {1: "h2", 2: "h3"}.get(token["attrs"]["level"], "p")
        return page.element(tag, content) if content.strip() else ""
    if kind in ("list", "nested_list"):
        return _html_list(token, is_nested=kind == "nested_list")
    if kind == "link":
        url = str(token["attrs"]["url"])
        return _link(html.unescape(url), as_html(_link_text(token)) or url, token["attrs"].get("title"))
    if kind == "bare_url":
        return _link(html.unescape(str(token["raw"])), str(token["raw"]))
    if kind in ("linebreak", "softbreak"):
        return "<br>"
    if kind == "thematic_break":
        return page.RULE
    if kind == "block_quote":
        return page.quote(as_html(token["children"]))
    if kind in CONTAINERS:
        return as_html(token["children"])
    return ""  # images, tables, references to footnotes and blank lines


def _html_list(token: Token, *, is_nested: bool = False) -> str:
    items = "".join(page.element("li", _html_item(item["children"]).strip()) for item in token["children"])
    return page.list_of("ol" if token["attrs"]["ordered"] else "ul", items, is_nested=is_nested)


def _html_item(tokens: Sequence[Token]) -> str:
    return as_html([{**token, "type": "nested_list"} if token["type"] == "list" else token for token in tokens])


def _link(url: str, content: str, title: str | None = None) -> str:
    return page.link(html.escape(safe_link(url)), content, title.replace('"', "&quot;") if title else None)


# -- plain text


def as_plain_text(tokens: Sequence[Token]) -> str:
    """The message as text. Special characters of HTML are still escaped."""
    return "".join(map(_plain_token, tokens))


def _plain_token(token: Token) -> str:
    kind = token["type"]
    if kind in ("text", "bare_url"):
        return str(token["raw"])
    if kind == "escaped_angle":
        return str(token["raw"])[1:]
    if kind == "block_code":
        return "\n\n" + str(token["raw"]).rstrip("\n")
    if kind == "paragraph":
        content = as_plain_text(token["children"])
        return "\n\n" + content if content.strip() else ""
    if kind == "heading":
        return _plain_heading(token["attrs"]["level"], as_plain_text(token["children"]))
    if kind == "list":
        return _plain_list(token, as_plain_text)
    if kind == "link":
        url, title = str(token["attrs"]["url"]), token["attrs"].get("title")
        text = as_plain_text(_link_text(token)) + (f" ({title})" if title else "")
        return f"{text}: {url}" if text else url
    if kind in ("linebreak", "softbreak"):
        return "\n"
    if kind == "thematic_break":
        return "\n\n" + "=-" * (RULE_WIDTH // 2) + "="
    if kind in CONTAINERS:
        return as_plain_text(token["children"])
    return ""


def _plain_heading(level: int, text: str) -> str:
    if not text.strip():
        return ""
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


def as_preheader(tokens: Sequence[Token]) -> str:
    """The words of the message, as HTML without elements."""
    return "".join(map(_preheader_token, tokens))


def _preheader_token(token: Token) -> str:
    kind = token["type"]
    if kind in ("text", "bare_url", "escaped_angle"):
        return str(token["raw"])
    if kind == "block_code":
        return " " + str(token["raw"])
    if kind in ("linebreak", "softbreak"):
        return " "
    if kind == "list":
        return _plain_list(token, as_preheader)
    if kind == "link":
        title = token["attrs"].get("title")
        return as_preheader(_link_text(token)) + (f" ({title})" if title else "")
    if kind in ("paragraph", "heading"):
        return " " + as_preheader(token["children"])
    if kind in CONTAINERS:
        return as_preheader(token["children"])
    return ""
