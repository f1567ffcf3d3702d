"""How fast letters are rendered: `python -m bench.letters [--seconds N]`.

Every letter has a different text, so that no result is reused. Figures are processor time of one process.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from notify.infra.objects import Objects
from notify.letters.render.compiler import LayoutCompiler
from notify.letters.render.letter import Letter, Purpose
from notify.letters.render.logos import FOLDER, Logos
from notify.letters.render.pictures import page_png
from notify.letters.render.renderer import LetterRenderer

SENTENCE = "The garden behind the hall opens at nine each day and closes when it gets dark. "
LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="200" height="60"><rect width="200" height="60" fill="#123456"/>'
    b'<circle cx="30" cy="30" r="20" fill="#fff"/></svg>'
)
SHORT = (
    "Dear ((name))\n\n" + SENTENCE * 6 + "\n\nBring:\n\n* boots\n* a coat\n* gloves\n\n# Thank you\n\nReference ((ref))"
)
LONG = "Dear ((name))\n\n" + (SENTENCE * 5 + "\n\n") * 24
CODE = "Dear ((name))\n\nqr: https://www.example.com/((ref))\n\n" + SENTENCE
DATE = datetime(2026, 3, 5, 10, tzinfo=UTC)


def values(number: int) -> dict[str, object]:
    """The address of one of many recipients, and what fills the template."""
    return {
        "address_line_1": f"Kate Smith {number}",
        "address_line_2": f"{number} High Street",
        "postcode": "SW1A 1AA",
        "name": f"Kate {number}",
        "ref": f"AB{number}",
    }


def letter(content: str, number: int, **others: str) -> Letter:
    """The letter for this recipient."""
    return Letter("Your plot, ((name))", content, values(number), "Office\n1 High Street\nAnytown", DATE, **others)  # type: ignore[arg-type]


def measure(make: Callable[[int], int], seconds: float) -> tuple[float, float]:
    """Milliseconds of processor time for one letter, and for one page of it. `make` tells how many pages it made."""
    make(-1)
    letters = pages = 0
    began = time.process_time()
    while (spent := time.process_time() - began) < seconds:
        letters += 1
        pages += make(letters)
    return spent / letters * 1000, spent / pages * 1000


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.letters", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2, help="length of each run (default 2)")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="notify-bench-") as folder:
        bucket = Objects(f"file://{Path(folder)}").bucket("logos")
        bucket.put(f"{FOLDER}/logo.svg", LOGO)
        compiler = LayoutCompiler([], system_fonts=False)
        renderer = LetterRenderer(compiler, Logos(bucket, compiler))

        def rendered(purpose: Purpose, content: str, **others: str) -> Callable[[int], int]:
            return lambda number: renderer.render(letter(content, number, **others), purpose).pages

        welsh = {"language": "welsh_then_english", "welsh_subject": "Pwnc", "welsh_content": SHORT}
        pdf = renderer.render(letter(SHORT, 0), "preview").pdf
        cases: dict[str, Callable[[int], int]] = {
            "one page, for print": rendered("print", SHORT),
            "one page, preview": rendered("preview", SHORT),
            "one page with a logo, for print": rendered("print", SHORT, logo="logo"),
            "Welsh and English, for print": rendered("print", SHORT, **welsh),
            "a QR code, for print": rendered("print", CODE),
            "five pages, for print": rendered("print", LONG),
            "a page as a picture": lambda _: len([page_png(pdf, 0)]),
        }
        for name, make in cases.items():
            one, page = measure(make, seconds)
            print(f"{name}: {one:.1f} ms a letter, {page:.1f} ms a page, {1000 / one:,.0f} letters/s", flush=True)
    print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB", file=sys.stderr)


if __name__ == "__main__":
    main()
