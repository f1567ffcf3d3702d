"""Opens untrusted PDFs, and makes the copy that is checked. Child processes only."""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Callable
from typing import Any, Final

import pikepdf
import pypdfium2
from pikepdf import Name, Pdf
from pikepdf.models.encryption import EncryptionInfo
from pypdfium2 import PdfDocument

from notify.letters.precompiled.areas import Box
from notify.letters.precompiled.errors import UnreadablePdfError

logging.getLogger("pikepdf").setLevel(logging.CRITICAL)

_CIPHERS: Final = ("aes", "aesv3")
_DEEPEST_TREE: Final = 64
_NO_MEDIA_BOX: Final = "MediaBox is undefined"
"""The library's warning when it assumes a size for a page that has none."""


def open_pdf(content: bytes) -> Pdf:
    """Open a PDF, and repair it if possible (contract: letters 4, step 1). It may have no pages.

    Raises `UnreadablePdfError`.
    """
    if b"startxref" not in content:
        raise UnreadablePdfError("it is no PDF, or its end is missing")
    try:
        pdf = pikepdf.open(io.BytesIO(content), suppress_warnings=True)
        len(pdf.pages)
    except pikepdf.PasswordError:
        raise UnreadablePdfError("a password is needed") from None
    except (pikepdf.PdfError, ValueError, RuntimeError, TypeError) as error:
        raise UnreadablePdfError(f"damaged ({type(error).__name__})") from None
    if any(_NO_MEDIA_BOX in str(warning) for warning in pdf.get_warnings()):
        raise UnreadablePdfError("a page has no media box")
    encryption: EncryptionInfo | None = pdf.encryption if pdf.is_encrypted else None
    if encryption is not None and encryption.stream_method.name in _CIPHERS:
        raise UnreadablePdfError("it is encrypted with AES")
    return pdf


def saved(pdf: Pdf, *, as_it_is: bool = False, version: str = "") -> bytes:
    """The PDF as bytes, not encrypted; the same bytes each time. `as_it_is`: do not compress streams, for a temporary
    copy.
    """
    target = io.BytesIO()
    options: dict[str, Any] = {"compress_streams": not as_it_is, "encryption": False, "deterministic_id": True}
    pdf.save(target, force_version=version, **options) if version else pdf.save(target, **options)
    return target.getvalue()


def inherited(page: pikepdf.Dictionary, key: str) -> Any:
    """A value of a page, or inherited from the page tree; None if there is none."""
    node: Any = page
    for _ in range(_DEEPEST_TREE):
        if not isinstance(node, pikepdf.Dictionary):
            return None
        if key in node:
            return node[key]
        node = node.get("/Parent")
    return None


def media_box(page: pikepdf.Dictionary) -> Box:
    """The media box in points, from the bottom left. Raises `UnreadablePdfError`."""
    try:
        x, y, x2, y2 = (float(number) for number in inherited(page, "/MediaBox"))
    except (TypeError, ValueError, pikepdf.PdfError):
        raise UnreadablePdfError("a page has no media box") from None
    box = Box(min(x, x2), min(y, y2), max(x, x2), max(y, y2))
    if not all(math.isfinite(number) and abs(number) < 1e6 for number in box):
        raise UnreadablePdfError("the size of a page is no number")
    return box


def measured_copy(content: bytes, change: Callable[[pikepdf.Dictionary], None] | None = None) -> PdfDocument:
    """The pages as they are checked and shown: without crop boxes and annotations, and with hidden layers visible.
    `change` changes each page further. Raises `UnreadablePdfError`.
    """
    pdf = open_pdf(content)
    for key in ("/OCProperties", "/AcroForm", "/OpenAction", "/Names", "/AA"):
        if key in pdf.Root:
            del pdf.Root[key]
    for page in pdf.pages:
        dictionary = page.obj
        dictionary["/MediaBox"] = pikepdf.Array(list(media_box(dictionary)))
        dictionary["/CropBox"] = dictionary["/MediaBox"]
        if change is not None:
            change(dictionary)
    return opened_by_pdfium(saved(pdf, as_it_is=True))


def upright(page: pikepdf.Dictionary) -> None:
    """A `change` for `measured_copy`: no rotation, no annotations. The checks use the page's own coordinates."""
    page["/Rotate"] = 0
    if Name.Annots in page:
        del page[Name.Annots]


def opened_by_pdfium(content: bytes) -> PdfDocument:
    """A document for measuring and for pictures. Raises `UnreadablePdfError`."""
    try:
        return PdfDocument(content)
    except pypdfium2.PdfiumError:
        raise UnreadablePdfError("damaged") from None
