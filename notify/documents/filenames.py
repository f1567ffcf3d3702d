"""Names of files, safe to show and to download."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import quote

_DIRECTION: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSEEN: Final = re.compile(f"[{_DIRECTION}\u200b\u2060\ufeff]")
"""Characters that are invisible or reverse a name: `\\u202efdp.csv` looks like `vsc.pdf`."""
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_NOT_IN_A_NAME: Final = re.compile(r'[:*?"<>|]')
"""Characters that some systems do not allow in names of files."""


def clean_filename(name: str) -> str:
    """The name without a path and invisible characters, and with line breaks as blanks. May be empty, or only an
    extension.
    """
    name = _BREAKS.sub(" ", _UNSEEN.sub("", name))
    name = re.split(r"[/\\]", name)[-1]
    return " ".join(name.split()).lstrip(". ") if name.strip(". ") else ""


def attachment_header(filename: str) -> str:
    """The `Content-Disposition` of a download (RFC 6266 4.3): the name, and an ASCII one for programs that know only
    `filename`.
    """
    plain = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode()
    plain = _NOT_IN_A_NAME.sub("_", plain.replace("\\", "_").replace("%", "_")).strip()
    if not plain.rpartition(".")[0].strip():  # only the extension is ASCII
        plain = f"file.{plain.rpartition('.')[2]}" if "." in plain else "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
