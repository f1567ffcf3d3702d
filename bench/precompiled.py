"""How fast precompiled letters are checked: `python -m bench.precompiled [--letters N]`.

A letter of two pages, with text in one of PDF's standard fonts, is checked and rewritten again and again by one kept
child process. Times are of that process's processor; its start is measured on the clock.
"""

from __future__ import annotations

import argparse
import io
import time

import psutil
from reportlab.lib.units import mm
from reportlab.pdfgen import canvas

from notify.letters.precompiled.sanitiser import PdfSanitiser
from notify.letters.precompiled.workers import PdfWorkers

ADDRESS = ("A Person", "2 Low Road", "Anytown", "SW1A 1AA")
SENTENCE = "We look forward to seeing you. Please bring this letter with you, and something to read."


def letter() -> bytes:
    """Two full pages."""
    target = io.BytesIO()
    paper = canvas.Canvas(target, pagesize=(210 * mm, 297 * mm))
    for index, line in enumerate(ADDRESS):
        paper.drawString(26 * mm, (297 - 45 - 4 * index) * mm, line)
    for top, lines in ((180, 35), (280, 55)):
        text = paper.beginText(20 * mm, top * mm)
        text.setFont("Helvetica", 11)
        text.textLines("\n".join([SENTENCE] * lines))
        paper.drawText(text)
        paper.showPage()
    paper.save()
    return target.getvalue()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=50)
    count = parser.parse_args().letters
    children, pdf = PdfWorkers(1), letter()
    sanitiser = PdfSanitiser(children)
    began = time.perf_counter()
    assert sanitiser.sanitise(pdf).message is None
    started = time.perf_counter() - began
    (child,) = psutil.Process().children()
    before = child.cpu_times()
    for _ in range(count):
        sanitiser.sanitise(pdf)
    after = child.cpu_times()
    spent = after.user + after.system - before.user - before.system
    size = child.memory_info().rss / 1024**2
    children.close()
    print(
        f"first letter: {started * 1000:.0f} ms; then {spent / count * 1000:.0f} ms of a processor each; {size:.0f} MiB"
    )


if __name__ == "__main__":
    main()
