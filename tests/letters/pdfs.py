"""PDFs as services send them."""

from __future__ import annotations

import io
from collections.abc import Sequence

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

ADDRESS = ("Amala Bird", "1 Oak Street", "ne1 1aa")
_HEIGHT = 297


def a_pdf(pages: int = 1, address: Sequence[str] = ADDRESS) -> bytes:
    """A letter of so many pages, or with no address an attachment, that can be printed."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(210 * mm, _HEIGHT * mm), invariant=1)
    for number in range(pages):
        if number == 0:
            for position, line in enumerate(address):
                canvas.drawString(26 * mm, (_HEIGHT - 45 - 5 * position) * mm, line)
        canvas.drawString(20 * mm, (_HEIGHT - 110) * mm, f"The garden opens at nine, says page {number + 1}.")
        canvas.showPage()
    canvas.save()
    return file.getvalue()
