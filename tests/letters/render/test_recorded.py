"""Letters as they were recorded (contract: letters 3; conformance, letters/README.md): each is rendered once."""

from __future__ import annotations

import re
from typing import Any

import pytest

from notify.letters.render.letter import Purpose
from notify.letters.render.renderer import LetterRenderer
from tests.letters.render.measure import Line, Page, ink, measured, shapes
from tests.letters.render.recorded import PAGE_NUMBER, cases, letter_of

PRINTER = 0.2
"""Millimetres, for what matters to the printer, and for all else that is not below."""
READER = 0.6
OTHER_FONTS = 1.0
"""For lines above which another font had made a line higher: ours never does."""
TOLERANCES = {
    "numbers": READER,  # our font closes up 11
    "qr_code_placeholder": READER,
    "long_word": OTHER_FONTS,
    "typography": OTHER_FONTS,
    "non_latin": OTHER_FONTS,
}
NOT_LATIN_GREEK_CYRILLIC = re.compile("[^\u0000-\u04ff\u2000-\u23ff]")

ZONES_OF_PAGE_1 = [
    (0, 6.2, 14.9, 297),  # what is above has the tag, which is white
    (15.2, 0, 210, 5),
    (200.1, 0, 210, 297),
    (0, 292, 210, 297),
    (15, 30, 24.6, 95),
    (24.6, 30, 120, 39.5),
    (120, 30, 125, 95),
    (24.6, 66.3, 120, 95),
]
ZONES_OF_OTHERS = [(0, 0, 14.9, 297), (0, 0, 210, 5), (200.1, 0, 210, 297), (0, 292, 210, 297)]

RECORDED = [(name, part) for name, case in cases().items() for part in ("preview", "print") if part in case]


Found = tuple[str, float, float, float]
"""Text, baseline, x, size."""


def _expected(name: str, lines: list[dict[str, Any]]) -> list[Found]:
    found = []
    for line in lines:
        text = "A & B <PERSON>" if (name, line["text"]) == ("address_html", "A & B") else line["text"]
        if not NOT_LATIN_GREEK_CYRILLIC.search(text):
            found.append((text, line["baseline"], line["x"], line["size_pt"]))
    return sorted(found)


def _found(lines: list[Line]) -> list[Found]:
    kept = [
        line for line in lines if line.text and not NOT_LATIN_GREEK_CYRILLIC.search(line.text.replace("\0", "\uffff"))
    ]
    return sorted((line.text, line.baseline, line.x, line.size) for line in kept)


def _check(name: str, recorded: dict[str, Any], page: Page) -> None:
    assert (page.width, page.height) == pytest.approx((210, 297), abs=0.1)
    expected, found = _expected(name, recorded["lines"]), _found(page.lines)
    assert [line[0] for line in found] == [line[0] for line in expected]
    for (text, baseline, x, size), (_, found_baseline, found_x, found_size) in zip(expected, found, strict=True):
        tolerance = READER if PAGE_NUMBER.fullmatch(text) else TOLERANCES.get(name, PRINTER)
        assert (found_x, found_baseline) == pytest.approx((x, baseline), abs=tolerance), text
        assert found_size == pytest.approx(size, abs=0.1), text


@pytest.mark.parametrize(("name", "part"), RECORDED)
def test_a_letter_is_as_recorded(letters: LetterRenderer, name: str, part: Purpose) -> None:
    case = cases()[name]
    rendered = letters.render(letter_of(case["request"]), part)
    pages = measured(rendered.pdf)
    assert rendered.pages == len(pages) == len(case[part]["pages"])
    for recorded, page in zip(case[part]["pages"], pages, strict=True):
        _check(name, recorded, page)
    for number, recorded in enumerate(case[part]["pages"]):
        _check_drawings(recorded.get("drawn", []), shapes(rendered.pdf, number))
    if part == "print":
        numbers = 2 if name == "numbers" else 0
        assert ink(rendered.pdf, 0, ZONES_OF_PAGE_1) == numbers
        assert not any(ink(rendered.pdf, number, ZONES_OF_OTHERS) for number in range(1, rendered.pages))
        assert not any("NOTIFY" in line.text for page in pages[1:] for line in page.lines)


def _check_drawings(drawn: list[dict[str, Any]], found: list[tuple[float, float, float, float]]) -> None:
    """Logos and codes are where they were: they have a height of 18 mm or a width of 70, or 84 pt."""
    for shape in drawn:
        box = tuple(shape[side] for side in ("x", "y", "x2", "y2"))
        width, height = box[2] - box[0], box[3] - box[1]
        is_logo = box[0] == 15.0 and (abs(height - 18) < 0.1 or abs(width - 70) < 0.1)
        if is_logo or ("stroke" in shape and abs(width - 29.65) < 0.1):
            assert any(other == pytest.approx(box, abs=0.5) for other in found), (box, found)
