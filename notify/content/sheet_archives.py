"""Workbooks that are archives of XML: Excel (xlsx, xlsm) and OpenDocument (ods; contract: content 13.1)."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Final
from xml.parsers import expat

from python_calamine import CalamineError

from notify.content.archive_parts import Archive
from notify.content.excel import read_excel
from notify.content.open_document import CONTENT, read_open_document
from notify.content.sheets import Sheet
from notify.content.spreadsheet_limits import UnreadableSpreadsheet

_FAULTS: Final = (OSError, EOFError, RuntimeError, LookupError, StopIteration, ValueError)
"""Errors that reading a broken archive raises."""


def read_archive(data: bytes) -> Sheet:
    """The first sheet that is not hidden. Raises `UnreadableSpreadsheet`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            archive = Archive(file)
            return read_open_document(archive) if CONTENT in archive else read_excel(archive)
    except UnreadableSpreadsheet:
        raise
    except (CalamineError, zipfile.BadZipFile, zlib.error, expat.ExpatError, *_FAULTS):
        raise UnreadableSpreadsheet from None
    except BaseException as fault:
        # a panic in the library, which is written in Rust
        if type(fault).__name__ != "PanicException":
            raise
        raise UnreadableSpreadsheet from None
