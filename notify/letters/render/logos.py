"""Logos of letters: read from the bucket of logos, sanitised, and cached as one-page PDFs."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1
from threading import Lock
from typing import Final

from cachetools import TTLCache

from notify.infra.objects import Bucket, InvalidKeyError, ObjectMissingError
from notify.letters.render.cmyk import to_cmyk
from notify.letters.render.compiler import LayoutCompiler
from notify.letters.render.errors import LogoError
from notify.letters.render.letter import Purpose
from notify.letters.render.svg import sanitised

FOLDER: Final = "letters/static/images/letter-template"
"""Folder of logos in their bucket (contract: letters 13.6)."""

_LAYOUT: Final = "logo.typ"
_KEPT: Final = 256
_KEPT_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Logo:
    """A logo as a PDF of one page, as large as the drawing. `key` changes with the drawing."""

    pdf: bytes
    key: str


class Logos:
    """Reads logos, and caches them for five minutes. Thread-safe."""

    def __init__(self, bucket: Bucket, compiler: LayoutCompiler) -> None:
        self._bucket = bucket
        self._compiler = compiler
        self._lock = Lock()
        self._kept: TTLCache[tuple[str, Purpose], Logo] = TTLCache(_KEPT, _KEPT_SECONDS)

    def get(self, name: str, purpose: Purpose) -> Logo:
        """The logo with this file name, which is without extension. Raises `LogoError`."""
        with self._lock:
            found = self._kept.get((name, purpose))
        if found is None:
            found = self._read(name, purpose)
            with self._lock:
                self._kept[name, purpose] = found
        return found

    def _read(self, name: str, purpose: Purpose) -> Logo:
        try:
            content = self._bucket.get(f"{FOLDER}/{name}.svg")
        except (ObjectMissingError, InvalidKeyError) as error:
            raise LogoError(f"There is no logo {name}") from error
        drawing = sanitised(content)
        pdf = self._compiler.compile(_LAYOUT, {"drawing": drawing})
        if purpose == "print":
            pdf = to_cmyk(pdf)
        return Logo(pdf, sha1(drawing.encode(), usedforsecurity=False).hexdigest())
