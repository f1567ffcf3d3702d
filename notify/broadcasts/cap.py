"""Reading CAP 1.2 (Common Alerting Protocol): XML in, plain values out (contract: broadcasts 8.4).

Input is not trusted: DTDs, entities and network access are off, and the parser bounds depth and size.
"""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any, Final

from lxml import etree

from notify.broadcasts.cap_schema import NAMESPACE, SCHEMA
from notify.broadcasts.errors import BroadcastProblemError, InvalidCapError

MOST_POINTS: Final = 20_000
"""Most points that the polygons of a message may have in total."""

_validating: Final = Lock()
"""A schema object is not thread-safe: it keeps the errors of its last validation."""


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(SCHEMA.encode()))


def read_cap(raw: bytes) -> dict[str, Any]:
    """A CAP message as plain values: `msgType`, `reference`, `references`, `cap_event`, `category`, `expires`,
    `content` and `areas`, each with `name` and `polygons`. Missing values are None. Malformed numbers stay strings.

    Raises `InvalidCapError`, and `BroadcastProblemError` for more points than `MOST_POINTS`.
    """
    root = _parse(raw)
    info = root.find(_name("info"))
    areas = [] if info is None else info.findall(_name("area"))
    texts = [[polygon.text or "" for polygon in area.findall(_name("polygon"))] for area in areas]
    if sum(_size(text) for polygons in texts for text in polygons) > MOST_POINTS:
        raise BroadcastProblemError(f"Areas must have {MOST_POINTS:,} points or fewer")
    return {
        "msgType": _text(root, "msgType"),
        "reference": _text(root, "identifier"),
        "references": _text(root, "references"),
        "cap_event": _text(info, "event"),
        "category": _text(info, "category"),
        "expires": _text(info, "expires"),
        "content": _text(info, "description"),
        "areas": [
            {"name": _text(area, "areaDesc"), "polygons": [_points(text) for text in polygons]}
            for area, polygons in zip(areas, texts, strict=True)
        ],
    }


def _parse(raw: bytes) -> etree._Element:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise InvalidCapError from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise InvalidCapError
    with _validating:
        if not _schema().validate(root):
            raise InvalidCapError
    return root


def _name(tag: str) -> str:
    return f"{{{NAMESPACE}}}{tag}"


def _text(parent: etree._Element | None, tag: str) -> str | None:
    element = None if parent is None else parent.find(_name(tag))
    return None if element is None else element.text or ""


def _size(text: str) -> int:
    """About how many points a polygon's text has, by its commas, so that malformed input is bounded too."""
    return max(text.count(","), len(text.split()))


def _points(text: str) -> list[list[float | str]]:
    return [[_number(number) for number in pair.split(",")] for pair in text.split()]


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
