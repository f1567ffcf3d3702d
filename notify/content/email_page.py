"""How an email looks: the page around a message, and the elements in it.

Mail readers keep little of a style sheet, so every element carries its style. Tables hold what some of them would
otherwise not lay out; they are marked as presentation, so that screen readers pass over them. Readers with a dark mode
are told that the colours may be turned round.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Final

_FONT: Final = "font-family:-apple-system,'Segoe UI',Helvetica,Arial,sans-serif"
_TEXT: Final = "font-size:18px;line-height:1.5;color:#1b1d1f"
_STYLES: Final = {
    "p": f"margin:0 0 18px;{_TEXT}",
    "h2": "margin:26px 0 12px;font-size:25px;line-height:1.25;font-weight:700;color:#1b1d1f",
    "h3": "margin:22px 0 10px;font-size:20px;line-height:1.3;font-weight:700;color:#1b1d1f",
    "li": f"margin:0 0 6px;padding:0 0 0 4px;{_TEXT}",
    "ul": "margin:0 0 18px;padding:0 0 0 26px;list-style-type:disc",
    "ol": "margin:0 0 18px;padding:0 0 0 26px;list-style-type:decimal",
}
_BAR: Final = "#1a4f8b"
RULE: Final = '<hr style="margin:28px 0;border:0;border-top:1px solid #a9b0b6;height:0">'
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{3,8}")


@dataclass(frozen=True, slots=True)
class EmailBranding:
    """What stands above a message (content 7.3). `colour` is `#rrggbb`; `alt_text` describes a logo without text."""

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
        """The branding of a service: `both`, `org`, `org_banner`, or null for none of its own."""
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
    return f'<{tag} style="{_STYLES[tag]}">{content}</{tag}>'


def list_of(tag: str, items: str) -> str:
    """A list, in a table: some mail readers lose the margin of one that is not."""
    return f'<table role="presentation" width="100%"><tr><td style="{_FONT}">{element(tag, items)}</td></tr></table>'


def link(url: str, content: str, title: str | None) -> str:
    """A link; `url` and `title` are safe in an attribute."""
    titled = f' title="{title}"' if title else ""
    return f'<a style="color:#0b57a4;overflow-wrap:anywhere" href="{url}"{titled}>{content}</a>'


def quote(content: str) -> str:
    """A block quote."""
    return (
        '<blockquote style="margin:0 0 18px;padding:14px 0 1px 16px;border-left:6px solid #a9b0b6">'
        f"{content}</blockquote>"
    )


_SHEET: Final = (
    ":root{color-scheme:light dark;supported-color-schemes:light dark}"
    "@media (prefers-color-scheme:dark){"
    ".page,.message{background:#16181a!important}"
    ".message p,.message li,.message h2,.message h3,.message td{color:#f1f3f4!important}"
    ".message a{color:#8ab8f0!important}}"
    "@media print{.bar{background:none!important;border-bottom:1pt solid #000}.bar *{color:#000!important}}"
)
_TABLE: Final = 'role="presentation" cellpadding="0" cellspacing="0" border="0"'


def document(*, title: str, preheader: str, body: str, branding: EmailBranding, complete: bool = True) -> str:
    """The page. `title`, `preheader` and `body` are HTML already."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="format-detection" content="telephone=no"><meta name="color-scheme" content="light dark">'
        f"<title>{title}</title><style>{_SHEET}</style></head>"
        f'<body class="page" style="margin:0;padding:0;background:#ffffff;{_FONT}">'
        f'<div style="display:none;max-height:0;overflow:hidden;font-size:1px;color:#ffffff" hidden>{preheader}…</div>'
        f"{_banners(branding)}"
        f'<table {_TABLE} width="100%"><tr><td align="center" style="padding:24px 12px">'
        f'<table {_TABLE} width="100%" style="max-width:600px"><tr>'
        f'<td class="message" align="left" style="{_FONT};{_TEXT};background:#ffffff">{body}</td>'
        "</tr></table></td></tr></table></body></html>"
    )


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
        bars += _bar(colour or "#1b1d1f", _brand(branding, "color:#ffffff;font-size:19px;font-weight:700"))
    elif branding.logo_url:
        edge = f"border-left:3px solid {colour};padding-left:8px;" if colour else ""
        bars += (
            f'<table {_TABLE} width="100%"><tr><td align="center" style="padding:20px 12px 0">'
            f'<table {_TABLE} width="100%" style="max-width:600px"><tr>'
            f'<td class="message" style="{edge}{_FONT}">{_brand(branding, "color:#1b1d1f;font-size:18px")}</td>'
            "</tr></table></td></tr></table>"
        )
    return bars


def _bar(colour: str, content: str) -> str:
    return (
        f'<table {_TABLE} width="100%"><tr><td class="bar" align="center" bgcolor="{colour}" '
        f'style="background:{colour};padding:4px 12px"><table {_TABLE} width="100%" style="max-width:600px"><tr>'
        f'<td align="left" style="{_FONT}">{content}</td></tr></table></td></tr></table>'
    )


def _brand(branding: EmailBranding, style: str) -> str:
    """Logo and text side by side; the logo says nothing to a screen reader where the text does."""
    text = html.escape(branding.text) if branding.text else ""
    logo = ""
    if branding.logo_url:
        described = 'alt="" aria-hidden="true"' if text else f'alt="{html.escape(branding.alt_text or "")}"'
        height = 28 if text else 54
        logo = (
            f'<img src="{html.escape(branding.logo_url)}" {described} height="{height}" '
            f'style="height:{height}px;border:0;vertical-align:middle;margin-right:10px">'
        )
    return logo + (f'<span style="{style};line-height:1.4;vertical-align:middle">{text}</span>' if text else "")
