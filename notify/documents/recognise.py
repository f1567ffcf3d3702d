"""Detects the type of a file by its content.

Nothing is unpacked: only the list of files in an archive is read, and only the directory of an OLE file (the format of
old Office documents).
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Final

from notify.infra.json_values import InvalidJSONError, parse_json

PLAIN: Final = "text/plain"
JSON: Final = "application/json"
ODT: Final = "application/vnd.oasis.opendocument.text"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
UNKNOWN: Final = "application/octet-stream"

_STARTS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"{\\rtf", "application/rtf"),
)
_BETTER_KNOWN: Final = frozenset(
    {"application/pdf", "application/rtf", "application/msword", JSON, ODT, DOCX, XLSX, *(kind for _, kind in _STARTS)}
)
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS: Final = (
    ("WordDocument", "application/msword"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("VisioDocument", "application/vnd.visio"),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
    ("EncryptedPackage", "application/encrypted"),
)
"""Top-level streams of an OLE file that only one program writes. At lower levels they belong to embedded files."""
_INSTALLER: Final = "000C1084-0000-0000-C000-000000000046"

_ZIP: Final = b"PK\x03\x04"
_ZIP_ENTRY: Final = b"PK\x01\x02"
MOST_ZIP_ENTRIES: Final = 10_000
LONGEST_MIME_TYPE: Final = 100
_ZIP_PARTS: Final = (
    ("word/vbaproject.bin", "application/vnd.ms-word.document.macroEnabled.12"),
    ("xl/vbaproject.bin", "application/vnd.ms-excel.sheet.macroEnabled.12"),
    ("word/", DOCX),
    ("xl/", XLSX),
    ("ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)

_BINARY: Final = re.compile(r"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
"""Control characters that texts do not have; they may have tabs, line ends, page breaks and escape sequences."""
_XML: Final = re.compile(r"<\?xml\s")
_COMMENT: Final = re.compile(r"\s*(?:<!--.*?-->|<\?[^>]*>)", re.DOTALL)
_SVG: Final = re.compile(
    r"(?:<!doctype\s+svg\b[^\[>]*(?:\[[^\]]*\])?[^>]*>\s*)?<(?:\w+:)?svg[\s>/]|<!doctype\s+svg\b", re.I
)
# https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type
_HTML: Final = re.compile(
    r"<(?:!doctype\s+html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)[\s>]|<!--", re.I
)
MARKUP_CHARACTERS: Final = 20_000
"""Markup must begin within this many characters."""
_SCRIPT: Final = re.compile(r"#!\s?/")
_SIGNATURE_BYTES: Final = 5
"""Minimum length of signatures of other types in a text: a text that begins with "BM" is not a bitmap."""


def recognise(content: bytes) -> str:
    """The MIME type of a file, or `UNKNOWN`."""
    if content.lstrip(b"\xef\xbb\xbf\r\n\t \0")[:5] == b"%PDF-":
        return "application/pdf"
    for start, mime_type in _STARTS:
        if content.startswith(start):
            return mime_type
    if content.startswith(_OLE):
        return _recognise_ole(content)
    if content.startswith(_ZIP):
        return _recognise_zip(content)
    text = _as_text(content)
    return _recognise_binary(content) if text is None else _recognise_text(text, content)


def _as_text(content: bytes) -> str | None:
    """The file as text, in any encoding. None if it is not text."""
    encoding = (
        json.detect_encoding(content)
        if content[:2] in (b"\xff\xfe", b"\xfe\xff")
        or content[:4]
        in (
            b"\xff\xfe\0\0",
            b"\0\0\xfe\xff",
        )
        else "utf-8-sig"
    )
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8-sig":
            return None
        text = content.decode("latin-1")  # or another single-byte encoding: they cannot be distinguished
    text = text.removesuffix("\x1a")  # the end-of-file mark of DOS
    return None if _BINARY.search(text) else text


def _recognise_text(text: str, content: bytes) -> str:
    start = text.lstrip()[:MARKUP_CHARACTERS]
    if start[:1] in ("{", "[") and _is_json(text):
        return JSON
    return _markup(start) or _signature(content, in_text=True) or PLAIN


def _is_json(text: str) -> bool:
    try:
        return isinstance(parse_json(text), dict | list)
    except InvalidJSONError:
        return False


def _markup(start: str) -> str | None:
    if start.startswith("%!PS"):
        return "application/postscript"
    if _SCRIPT.match(start):
        return "text/x-shellscript"
    if not start.startswith("<"):
        return None
    position = 0
    while comment := _COMMENT.match(start, position):
        position = comment.end()
    root = start[position:].lstrip()
    if _SVG.match(root):
        return "image/svg+xml"
    if _HTML.match(root):
        return "application/xhtml+xml" if _XML.match(start) else "text/html"
    if _XML.match(start):
        return "text/xml"
    return "text/html" if _HTML.match(start) else None


def _recognise_binary(content: bytes) -> str:
    return _signature(content, in_text=False) or UNKNOWN


def _signature(content: bytes, *, in_text: bool) -> str | None:
    """The type by the file's first or last bytes. Never one that this module recognises by better criteria; for a text,
    only types that are not text.
    """
    import puremagic

    try:
        matches = puremagic.magic_string(content)
    except (puremagic.PureError, ValueError):
        return None
    for match in matches:
        kind = match.mime_type.partition("/")[0]
        if in_text and (len(match.byte_match) < _SIGNATURE_BYTES or kind not in ("image", "audio", "video", "font")):
            continue
        if match.mime_type and kind != "text" and match.mime_type not in _BETTER_KNOWN:
            return str(match.mime_type)
    return None


def _recognise_ole(content: bytes) -> str:
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(content)) as ole:
            streams = {path[0] for path in ole.listdir() if len(path) == 1}
            is_installer = ole.root.clsid == _INSTALLER
    except Exception:  # a damaged file; the library's errors have no common class
        return "application/x-ole-storage"
    if is_installer:
        return "application/x-msi"
    return next((mime_type for name, mime_type in _OLE_STREAMS if name in streams), "application/x-ole-storage")


def _recognise_zip(content: bytes) -> str:
    if content.count(_ZIP_ENTRY) > MOST_ZIP_ENTRIES:
        return "application/zip"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            declared = _declared_type(archive)
            names = [name.lower() for name in archive.namelist()]
    except Exception:  # damaged, encrypted or unsupported
        return "application/zip"
    if declared:
        return declared
    return next(
        (mime_type for part, mime_type in _ZIP_PARTS if any(name.startswith(part) for name in names)), "application/zip"
    )


def _declared_type(archive: zipfile.ZipFile) -> str | None:
    """The content of the file `mimetype` (OpenDocument, EPUB): short and, by the standard, not compressed."""
    try:
        entry = archive.getinfo("mimetype")
    except KeyError:
        return None
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > LONGEST_MIME_TYPE:
        return None
    with archive.open(entry) as file:
        declared = file.read(LONGEST_MIME_TYPE + 1).decode("ascii", "replace").strip()
    return declared if re.fullmatch(r"[a-z0-9.+-]{1,40}/[a-zA-Z0-9.+-]{1,60}", declared) else None
