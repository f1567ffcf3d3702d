"""Parts of archives of XML, read within limits: what Excel and OpenDocument files are made of."""

from __future__ import annotations

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache
from typing import Final
from xml.parsers import expat

from notify.content.spreadsheet_limits import UnreadableSpreadsheet

LARGEST_INFLATED: Final = 100 * 2**20
"""Most bytes read from all parts of an archive together."""

MOST_PARTS: Final = 2_000
MOST_TEXT: Final = 50_000_000
"""Most characters of all cells together."""

_CHUNK: Final = 2**16
"""Bytes passed to a parser at once: it copies them."""

Attributes = dict[str, str]


class Archive:
    """The parts of an archive by name. Names ignore case, and backslashes count as slashes: programs differ."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Raises `UnreadableSpreadsheet` for an archive of too many parts."""
        self._archive = archive
        self._left = LARGEST_INFLATED
        parts = [part for part in archive.infolist() if part.filename.lower().endswith((".xml", ".rels"))]
        if len(parts) > MOST_PARTS:
            raise UnreadableSpreadsheet
        self._parts = {_key(part.filename): part for part in parts}

    def __contains__(self, name: str) -> bool:
        return _key(name) in self._parts

    def read(self, name: str) -> bytes:
        """A part. Raises `KeyError`, `UnreadableSpreadsheet` once the parts that were read are too large together, and
        what `zipfile` raises.
        """
        part = self._parts[_key(name)]
        self._left -= part.file_size
        if self._left < 0:
            raise UnreadableSpreadsheet("too_much_text")
        return self._archive.read(part)


def _key(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


@lru_cache(maxsize=256)
def local(name: str) -> str:
    """The name of an element or attribute without its prefix or namespace."""
    return name.rpartition(":")[2]


class Reader(ABC):
    """Reads a part as a stream. Where `namespaces` is set, names are `namespace name`, else `prefix:name`."""

    namespaces = False

    def read(self, data: bytes) -> None:
        """Raises `expat.ExpatError`, and `UnreadableSpreadsheet` for entities, of which no spreadsheet has any."""
        parser = self.parser = expat.ParserCreate(namespace_separator=" " if self.namespaces else None)
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text
        parser.StartDoctypeDeclHandler = self._refuse
        with memoryview(data) as view:
            for start in range(0, len(data), _CHUNK):
                parser.Parse(view[start : start + _CHUNK], False)
        parser.Parse(b"", True)

    @abstractmethod
    def start(self, name: str, attributes: Attributes) -> None:
        """An element begins."""

    end: Callable[[str], None] | None = None
    """An element ends."""

    text: Callable[[str], None] | None = None
    """Text of the element that began last, or of one around it."""

    def _refuse(self, *_: object) -> None:
        raise UnreadableSpreadsheet


class Elements(Reader):
    """The attributes of all elements of one name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.found: list[Attributes] = []

    def start(self, name: str, attributes: Attributes) -> None:
        """Keeps the attributes, by their names without a prefix."""
        if local(name) == self._name:
            self.found.append({local(key): value for key, value in attributes.items()})


def elements(data: bytes, name: str) -> list[Attributes]:
    """The attributes of all elements of this name, in the order of the part."""
    reader = Elements(name)
    reader.read(data)
    return reader.found
