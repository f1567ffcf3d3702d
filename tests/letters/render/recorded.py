"""The recorded letters (conformance, letters/rendered.json), with their logos and attachment."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from reportlab.pdfgen.canvas import Canvas

from notify.infra.objects import Bucket, Objects
from notify.letters.render.compiler import LayoutCompiler
from notify.letters.render.letter import Letter
from notify.letters.render.logos import FOLDER, Logos
from notify.letters.render.renderer import LetterRenderer

SUITE = Path(__file__).parents[2] / "conformance" / "suite" / "letters"
POINTS = 72 / 25.4
PAGE_NUMBER = re.compile(r"(Page|Tudalen) \d+ (of|o) \d+")


def _svg(width: int, height: int, drawing: str) -> bytes:
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{drawing}</svg>'.encode()


LOGOS = {
    "example-logo": _svg(
        200, 60, '<rect width="200" height="60" fill="#123456"/><circle cx="30" cy="30" r="20" fill="#ffffff"/>'
    ),
    "wide-logo": _svg(800, 100, '<rect width="800" height="100" fill="#006633"/>'),
    "tall-logo": _svg(50, 100, '<rect width="50" height="100" fill="#660033"/>'),
}


@cache
def cases() -> dict[str, dict[str, Any]]:
    """The recorded letters by their names."""
    return {case["name"]: case for case in json.loads((SUITE / "rendered.json").read_text())}


@cache
def attachment() -> bytes:
    """Two pages, as the recorded attachment has."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(210 * POINTS, 297 * POINTS), invariant=1)
    for page in (1, 2):
        canvas.setFont("Helvetica", 12)
        canvas.drawString(30 * POINTS, (297 - 50) * POINTS, f"Attachment page {page}")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def letter_of(request: Mapping[str, Any]) -> Letter:
    """The letter of a recorded request."""
    template, date = request["template"], request.get("date")
    return Letter(
        subject=template["subject"],
        content=template["content"],
        values=request["values"] or {},
        contact_block=request["letter_contact_block"],
        date=datetime.fromisoformat(date).replace(tzinfo=UTC) if date and "+" not in date else _moment(date),
        logo=request["filename"],
        language=template.get("letter_languages") or "english",
        welsh_subject=template.get("letter_welsh_subject"),
        welsh_content=template.get("letter_welsh_content"),
        attachment=attachment() if template.get("letter_attachment") else None,
    )


def _moment(date: str | None) -> datetime | None:
    return datetime.fromisoformat(date) if date else None


def logo_bucket(folder: Path, logos: Mapping[str, bytes] = LOGOS) -> Bucket:
    """A bucket with these logos in it."""
    bucket = Objects(f"file://{folder}").bucket("logos")
    for name, drawing in logos.items():
        bucket.put(f"{FOLDER}/{name}.svg", drawing)
    return bucket


def renderer(folder: Path, logos: Mapping[str, bytes] = LOGOS, *, system_fonts: bool = False) -> LetterRenderer:
    """A renderer with these logos."""
    compiler = LayoutCompiler([], system_fonts=system_fonts)
    return LetterRenderer(compiler, Logos(logo_bucket(folder, logos), compiler))
