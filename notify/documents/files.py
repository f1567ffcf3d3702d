"""Files in personalisation (contract: public-api 5.6)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from notify.documents.filenames import clean_filename
from notify.documents.recognise import DOCX, JSON, ODT, PLAIN, XLSX, recognise
from notify.infra.errors import ProblemError, ValidationProblemError

USUAL_RETENTION_WEEKS: Final = 26
LONGEST_RETENTION_WEEKS: Final = 78
LARGEST_FILE: Final = 2 * 1024 * 1024 + 1024
LONGEST_FILENAME: Final = 100
NO_ENDING: Final = "`filename` must end with a file extension. For example, filename.csv"

TYPES: Final = {
    ".csv": "text/csv",
    ".doc": "application/msword",
    ".docx": DOCX,
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": JSON,
    ".odt": ODT,
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".rtf": "application/rtf",
    ".txt": PLAIN,
    ".xlsx": XLSX,
}
"""Types of files that can be sent, by the ending of their names."""
_ENDINGS: Final = {mime_type: extension for extension, mime_type in TYPES.items() if extension != ".jpg"}

_FIELDS: Final = ("file", "is_csv", "confirm_email_before_download", "retention_period", "filename")
_RETENTION: Final = re.compile(r"\s*(\d{1,3}) weeks?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FileToSend:
    """A file that was checked. `filename` is safe to show; `mime_type` follows from it or, without one, the content."""

    content: bytes
    filename: str | None
    extension: str
    mime_type: str
    confirm_email: bool
    retention_weeks: int


class FileTooLargeError(ProblemError):
    """The file is larger than files may be."""

    def __init__(self) -> None:
        super().__init__("Uploaded file exceeds file size limit")


class InfectedFileError(ProblemError):
    """A file in which the scanner found a virus."""

    def __init__(self) -> None:
        super().__init__("File did not pass the virus scan")


def find_files(values: Mapping[str, object]) -> dict[str, FileToSend]:
    """The files among the values, by the names of their placeholders.

    Raises `ValidationProblemError` for an object that breaks the contract's schema, `ProblemError` for a file that
    cannot be sent.
    """
    return {name: _read(value) for name, value in values.items() if isinstance(value, dict) and "file" in value}


def check_upload(value: object) -> FileToSend:
    """The file in a request to check it: an object with `document` in base64 and usually `filename`.

    Raises `ProblemError` for one that cannot be sent, in particular `FileTooLargeError`.
    """
    document = value.get("document") if isinstance(value, dict) else None
    if not isinstance(value, dict) or document is None:
        raise ProblemError("No document upload")
    if not isinstance(document, str):
        raise ProblemError("Document is not base64 encoded")
    filename, is_csv = value.get("filename"), value.get("is_csv")
    if is_csv not in (None, True, False) or isinstance(is_csv, int | float) > isinstance(is_csv, bool):
        raise ProblemError("Value for is_csv must be a boolean")
    if filename is not None and not (isinstance(filename, str) and "." in filename):
        raise ProblemError(NO_ENDING)
    return to_send(_decode(document), filename, is_csv=bool(is_csv))


def to_send(
    content: bytes,
    filename: str | None,
    *,
    is_csv: bool = False,
    confirm_email: bool = True,
    retention_weeks: int = USUAL_RETENTION_WEEKS,
) -> FileToSend:
    """A file with this content. Raises `ProblemError` for a name or a type that cannot be sent."""
    name = _name(filename)
    extension, mime_type = _type_of(content, name, is_csv=is_csv)
    return FileToSend(content, name, extension, mime_type, confirm_email, retention_weeks)


def _read(value: Mapping[str, Any]) -> FileToSend:
    faults = _faults(value)
    if faults:
        raise ValidationProblemError(faults)
    content = _decode(value["file"])
    return to_send(
        content,
        value.get("filename"),
        is_csv=bool(value.get("is_csv")),
        confirm_email=value.get("confirm_email_before_download") is not False,
        retention_weeks=_weeks(value.get("retention_period")) or USUAL_RETENTION_WEEKS,
    )


def _name(filename: str | None) -> str | None:
    if filename is None:
        return None
    if len(filename) > LONGEST_FILENAME:
        raise ProblemError("`filename` cannot be longer than 100 characters")
    name = clean_filename(filename)
    return name if "." in name else f"file.{name}"  # only the extension may be left


def _faults(value: Mapping[str, Any]) -> list[str]:
    faults = []
    extra = sorted(name for name in value if name not in _FIELDS)
    if extra:
        verb = "was" if len(extra) == 1 else "were"
        faults.append(f"Additional properties are not allowed ({', '.join(extra)} {verb} unexpected)")
    if not isinstance(value["file"], str):
        shown = repr(value["file"])[:1000].replace("'", "")
        faults.append(f"file {shown} is not of type string")
    for name in ("is_csv", "confirm_email_before_download"):
        if value.get(name) not in (None, True, False) or isinstance(value.get(name), int | float) > isinstance(
            value.get(name), bool
        ):
            faults.append(
                f"{name} Unsupported value for {name}: {_shown(value[name])}. Use a boolean true or false value."
            )
    period = value.get("retention_period")
    if period is not None and _weeks(period) is None:
        faults.append(
            f"retention_period Unsupported value for retention_period: {_shown(period)}. "
            "Supported periods are from 1 to 78 weeks."
        )
    filename = value.get("filename")
    if filename is not None and not (isinstance(filename, str) and "." in filename):
        faults.append(f"filename {NO_ENDING}")
    if "is_csv" in value and "filename" in value:
        faults.append("Do not set a value for `is_csv` if `filename` is set.")
    return faults


def _shown(value: object) -> str:
    return str(value)[:1000].replace("'", "")


def _weeks(period: object) -> int | None:
    match = _RETENTION.fullmatch(period) if isinstance(period, str) else None
    weeks = int(match[1]) if match else 0
    return weeks if 1 <= weeks <= LONGEST_RETENTION_WEEKS else None


def _decode(text: str) -> bytes:
    if not text:
        raise ProblemError("Document must not be empty")
    if len(text) > LARGEST_FILE * 3 // 2:
        raise FileTooLargeError
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ProblemError("Document is not base64 encoded") from None
    if not content:
        raise ProblemError("Document must not be empty")
    if len(content) > LARGEST_FILE:
        raise FileTooLargeError
    return content


def _type_of(content: bytes, filename: str | None, *, is_csv: bool) -> tuple[str, str]:
    """The ending and the MIME type of a file: by its name where it has one, else by its content."""
    if filename is not None:
        extension = "." + filename.rpartition(".")[2].lower()
        if extension not in TYPES:
            raise _unsupported(extension)
        return extension, TYPES[extension]
    mime_type = recognise(content)
    if is_csv and mime_type in (PLAIN, JSON):  # rows in brackets look like JSON
        return ".csv", TYPES[".csv"]
    extension = _ENDINGS.get(mime_type, "")
    if not extension:
        raise _unsupported(mime_type)
    return extension, mime_type


def _unsupported(what: str) -> ProblemError:
    supported = ", ".join(f"'{extension}'" for extension in TYPES)
    return ProblemError(f"Unsupported file type '{what}'. Supported types are: {supported}")
