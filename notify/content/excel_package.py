"""Where the parts of an Excel workbook (xlsx, xlsm) are in its archive: its relationships say so (ECMA-376, part 2)."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Final

from notify.content.archive_parts import Archive, elements

_RELATIONSHIPS: Final = "_rels/.rels"
_CONTENT_TYPES: Final = "[Content_Types].xml"
_USUAL_WORKBOOK: Final = "xl/workbook.xml"
_TRUE: Final = frozenset({"1", "true"})


@dataclass(frozen=True, slots=True)
class Package:
    """The parts that the first visible sheet of a workbook is made of."""

    sheet: bytes
    shared_strings: bytes | None
    styles: bytes | None
    counts_from_1904: bool
    """Whether day 0 of dates is in 1904 rather than 1900."""


def read_package(archive: Archive) -> Package:
    """Raises `LookupError` where a part is missing or no sheet is visible, and what reading a part raises."""
    name = _workbook_name(archive)
    workbook = archive.read(name)
    folder = posixpath.dirname(name)
    relations = elements(archive.read(f"{folder}/_rels/{posixpath.basename(name)}.rels"), "Relationship")
    targets = {relation["Id"]: (_kind(relation), _resolve(folder, relation["Target"])) for relation in relations}
    by_kind = dict(reversed(targets.values()))
    visible = (sheet["id"] for sheet in elements(workbook, "sheet") if sheet.get("state", "visible") == "visible")
    sheets = [target for kind, target in (targets[identifier] for identifier in visible) if kind == "worksheet"]
    properties = elements(workbook, "workbookPr")
    return Package(
        sheet=archive.read(sheets[0]),
        shared_strings=_optional(archive, by_kind.get("sharedStrings", f"{folder}/sharedStrings.xml")),
        styles=_optional(archive, by_kind.get("styles", f"{folder}/styles.xml")),
        counts_from_1904=any(one.get("date1904") in _TRUE for one in properties),
    )


def _workbook_name(archive: Archive) -> str:
    if _RELATIONSHIPS in archive:
        for relation in elements(archive.read(_RELATIONSHIPS), "Relationship"):
            if _kind(relation) == "officeDocument" and (name := _resolve("", relation["Target"])) in archive:
                return name
    if _CONTENT_TYPES in archive:
        for override in elements(archive.read(_CONTENT_TYPES), "Override"):
            if override.get("ContentType", "").endswith(("sheet.main+xml", "sheet.macroEnabled.main+xml")):
                return _resolve("", override["PartName"])
    return _USUAL_WORKBOOK


def _kind(relation: dict[str, str]) -> str:
    """The last part of a relationship's type: what comes before differs between editions of the standard."""
    return relation.get("Type", "").rpartition("/")[2]


def _resolve(folder: str, target: str) -> str:
    return posixpath.normpath(posixpath.join("/", folder, target.replace("\\", "/"))).lstrip("/")


def _optional(archive: Archive, name: str) -> bytes | None:
    return archive.read(name) if name in archive else None
