"""How an email looks: the page around a message, and the elements in it.

Mail readers keep little of a style sheet, so every element has a style attribute. Tables hold what some readers would
otherwise not lay out; they are marked as presentation, so that screen readers skip them. The page says that dark modes
may invert its colours.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_INK: Final = "#1b1d1f"
_FONT: Final = "font-family:-apple-system,'Segoe UI',Helvetica,Arial,sans-serif"
_TEXT: Final = f"font-size:18px;line-height:1.5;color:{_INK}"
_STYLES: Final = {
    "p": f"margin:0 0 18px;{_TEXT}",
    "h2": f"margin:30px 0 12px;font-size:26px;line-height:1.25;font-weight:700;color:{_INK}",
    "h3": f"margin:24px 0 8px;font-size:20px;line-height:1.3;font-weight:700;color:{_INK}",
    "li": f"margin:0 0 8px;padding:0 0 0 4px;{_TEXT}",
}
_BAR: Final = "#1a4f8b"
_EDGE: Final = "#8a939b"
RULE: Final = f'<hr style="margin:30px 0;border:0;border-top:1px solid {_EDGE};height:0">'
RIGHT_TO_LEFT: Final = re.compile(
    "[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
"""Characters of scripts that are written from right to left."""

_TAG: Final = re.compile(r"<[^>]*>")
_COLOUR: Final = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


@dataclass(frozen=True, slots=True)
class EmailBranding:
    """What is shown above a message (content 7.3). `colour` is `#rrggbb`; `alt_text` describes a logo without text."""

    govuk_banner: bool = True
    brand_banner: bool = False
    logo_url: str | None = None
    text: str | None = None
    colour: str | None = None
    alt_text: str | None = None

    @staticmethod
    def from_brand_type(
        brand_type: str | None,
        *,
        logo_url: str | None = None,
        text: str | None = None,
        colour: str | None = None,
        alt_text: str | None = None,
    ) -> EmailBranding:
        """The branding of a service: `both`, `org`, `org_banner`, or `None` for the default."""
        if brand_type is None:
            return EmailBranding()
        return EmailBranding(
            govuk_banner=brand_type == "both",
            brand_banner=brand_type == "org_banner",
            logo_url=logo_url,
            text=text,
            colour=colour,
            alt_text=alt_text,
        )


def element(tag: str, content: str) -> str:
    """A paragraph, heading or list item."""
    direction = ' dir="rtl"' if reads_right_to_left(content) else ""
    return f'<{tag}{direction} style="{_STYLES[tag]}">{content}</{tag}>'


def list_of(tag: str, items: str, *, is_nested: bool = False) -> str:
    """A list, in a table: without one some mail readers lose its margin. A list within a list keeps it anyway."""
    right_to_left = reads_right_to_left(items)
    direction, padding = (' dir="rtl"', "0 26px 0 0") if right_to_left else ("", "0 0 0 26px")
    shape = "disc" if tag == "ul" else "decimal"
    margin = "8px 0 0" if is_nested else "0 0 18px"
    style = f"margin:{margin};padding:{padding};list-style-type:{shape}"
    made = f'<{tag}{direction} style="{style}">{items}</{tag}>'
    return made if is_nested else f'<table {_TABLE} width="100%"><tr><td style="{_FONT}">{made}</td></tr></table>'


def reads_right_to_left(content: str) -> bool:
    """Whether the first letter of some HTML is Arabic, Hebrew or alike. Outlook does not support `dir="auto"`."""
    if content.isascii() or not RIGHT_TO_LEFT.search(content):
        return False
    strong = (unicodedata.bidirectional(character) for character in html.unescape(_TAG.sub("", content)))
    return next((kind != "L" for kind in strong if kind in ("L", "R", "AL")), False)


def link(url: str, content: str, title: str | None) -> str:
    """A link; `url` and `title` are safe in an attribute."""
    titled = f' title="{title}"' if title else ""
    return f'<a style="color:#0b57a4;overflow-wrap:anywhere;word-break:break-word" href="{url}"{titled}>{content}</a>'


def quote(content: str) -> str:
    """A block quote, with a bar at the start of its lines."""
    side, padding = ("right", "14px 18px 1px 0") if reads_right_to_left(content) else ("left", "14px 0 1px 18px")
    style = f"margin:0 0 18px;padding:{padding};border-{side}:6px solid {_EDGE}"
    return f'<blockquote style="{style}">{content}</blockquote>'


# mail readers keep this much of a style sheet: dark modes (the second selector is Outlook's), small screens and paper
_SHEET: Final = (
    ":root{color-scheme:light dark;supported-color-schemes:light dark}"
    "body{-webkit-text-size-adjust:100%}"
    "@media (prefers-color-scheme:dark){"
    ".page,.message{background:#16181a!important}"
    ".message,.message p,.message li,.message h2,.message h3,.message td,.message span{color:#f1f3f4!important}"
    ".message a{color:#9cc4f5!important}"
    ".plate{background:#ffffff!important;border-radius:4px}}"
    "[data-ogsc] .message a{color:#9cc4f5!important}"
    ".message>:first-child{margin-top:0!important}"
    "@media (max-width:480px){.message h2{font-size:23px!important}}"
    "@media print{.bar{background:none!important;border-bottom:1pt solid #000}.bar *{color:#000!important}}"
)
_TABLE: Final = 'role="presentation" cellpadding="0" cellspacing="0" border="0"'
# Outlook on Windows does not support max-width
_NARROW: Final = (
    f'<!--[if mso]><table {_TABLE} width="600" align="center"><tr><td><![endif]-->'
    f'<table {_TABLE} width="100%" style="max-width:600px;margin:0 auto"><tr>'
)
_NARROW_END: Final = "</tr></table><!--[if mso]></td></tr></table><![endif]-->"


def document(*, title: str, preheader: str, body: str, branding: EmailBranding, complete: bool = True) -> str:
    """The page. `title`, `preheader` and `body` are HTML already. Without `complete`, the content of its body only."""
    page = (
        f'<div style="display:none;max-height:0;overflow:hidden;font-size:1px;color:#ffffff" hidden>{preheader}…</div>'
        f"{_banners(branding)}"
        f'<table {_TABLE} width="100%"><tr><td align="center" style="padding:24px 16px">{_NARROW}'
        f'<td class="message" align="left" style="{_FONT};{_TEXT};text-align:start;background:#ffffff">{body}</td>'
        f"{_NARROW_END}</td></tr></table>"
    )
    if not complete:
        return page
    return (
        '<!DOCTYPE html><html lang="en" xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="format-detection" content="telephone=no"><meta name="color-scheme" content="light dark">'
        '<meta name="supported-color-schemes" content="light dark">'
        f"<title>{title}</title><style>{_SHEET}</style></head>"
        f'<body class="page" style="margin:0;padding:0;background:#ffffff;{_FONT}">'
        f'<div role="article" aria-roledescription="email" aria-label="{_label(title)}" lang="en">'
        f"{page}</div></body></html>"
    )


def _label(title: str) -> str:
    return _TAG.sub("", title).replace('"', "&quot;")


@lru_cache(maxsize=256)
def _banners(branding: EmailBranding) -> str:
    colour = branding.colour if branding.colour and _COLOUR.fullmatch(branding.colour) else None
    bars = ""
    if branding.govuk_banner:
        name = (
            '<a href="https://www.gov.uk" title="Go to the GOV.UK homepage" '
            'style="color:#ffffff;text-decoration:none;font-size:26px;line-height:56px;font-weight:700">'
            "GOV.\u200bUK</a>"
        )
        bars += _bar(_BAR, name)
    if branding.brand_banner:
        ground = colour or _INK
        bars += _bar(ground, _brand(branding, f"color:{_readable_on(ground)};font-size:20px;font-weight:700"))
    elif branding.logo_url:
        edge = f"border-left:3px solid {colour};padding-left:10px;" if colour else ""
        bars += (
            f'<table {_TABLE} width="100%"><tr><td align="center" style="padding:24px 16px 0">{_NARROW}'
            f'<td class="message" align="left" style="{edge}{_FONT}">'
            f"{_brand(branding, f'color:{_INK};font-size:18px', plate=True)}</td>{_NARROW_END}</td></tr></table>"
        )
    return bars


def _readable_on(colour: str) -> str:
    """Black or white: the one with more contrast to this colour."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = (int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    luminance = sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000000"


def _bar(colour: str, content: str) -> str:
    return (
        f'<table {_TABLE} width="100%"><tr><td class="bar" align="center" bgcolor="{colour}" '
        f'style="background:{colour};padding:4px 16px">{_NARROW}<td align="left" style="{_FONT};padding:6px 0">'
        f"{content}</td>{_NARROW_END}</td></tr></table>"
    )


def _brand(branding: EmailBranding, style: str, *, plate: bool = False) -> str:
    """Logo and text side by side. Screen readers skip the logo where there is text. On a `plate`, a logo keeps a light
    background in dark modes.
    """
    text = html.escape(branding.text) if branding.text else ""
    logo = ""
    if branding.logo_url:
        described = 'alt="" aria-hidden="true"' if text else f'alt="{html.escape(branding.alt_text or "")}"'
        height = 28 if text else 54
        logo = (
            f'<img class="{"plate" if plate else "logo"}" src="{html.escape(branding.logo_url)}" {described} '
            f'height="{height}" '
            f'style="height:{height}px;max-width:100%;border:0;vertical-align:middle;margin-right:12px">'
        )
    return logo + (f'<span style="{style};line-height:1.4;vertical-align:middle">{text}</span>' if text else "")
