"""Sanitises logos in SVG: no scripts, no external resources, nothing except vector drawings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from notify.letters.render.errors import LogoError

if TYPE_CHECKING:
    from lxml import etree

LARGEST: Final = 2 * 2**20
"""Most bytes of a logo (contract: letters 13.6)."""

_SVG: Final = "{http://www.w3.org/2000/svg}"
_NAMES: Final = frozenset(
    [
        *("svg", "g", "defs", "symbol", "use", "switch", "title", "desc", "metadata", "style"),
        *("path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan"),
        *("linearGradient", "radialGradient", "stop", "pattern", "clipPath", "mask"),
    ]
)
"""The elements to keep. Scripts, animations, links, HTML, pictures, and filters (which become pictures) are removed.

"""
_DROPPED: Final = ("filter", "spreadMethod")
"""Attributes that cannot be printed in CMYK. A gradient without the second continues with its last colour."""
_HREFS: Final = ("href", "{http://www.w3.org/1999/xlink}href")
_FOREIGN_URL: Final = re.compile(r"url\(\s*['\"]?\s*(?!\s*['\"]?#)[^)]*\)?|@import[^;]*;?", re.IGNORECASE)


def sanitised(content: bytes) -> str:
    """The drawing without anything dangerous. Raises `LogoError` where there is no SVG that can be read."""
    from lxml import etree  # few processes read logos

    if len(content) > LARGEST:
        raise LogoError("The logo is larger than 2 MB")
    # allow the file's own entities, which drawing programs use; the parser bounds their expansion
    parser = etree.XMLParser(
        resolve_entities="internal",  # type: ignore[arg-type] # the stubs are older
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise LogoError("The logo is no XML that can be read") from error
    if root.tag != f"{_SVG}svg":
        raise LogoError("The logo is no SVG")
    for element in list(root.iter()):
        if not isinstance(element.tag, str) or element.tag.removeprefix(_SVG) not in _NAMES:
            _remove(element)
        else:
            _clean(element)
    return etree.tostring(root, encoding="unicode", with_tail=False)


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _clean(element: etree._Element) -> None:
    for name, value in list(element.attrib.items()):
        key, text = str(name), str(value)
        is_foreign = key in _HREFS and not text.strip().startswith("#")
        if is_foreign or key.lower().startswith("on") or key in _DROPPED:
            del element.attrib[name]
        elif _FOREIGN_URL.search(text):
            element.attrib[name] = _FOREIGN_URL.sub("none", text)
    if element.tag == f"{_SVG}style" and element.text:
        element.text = _FOREIGN_URL.sub("none", element.text)
