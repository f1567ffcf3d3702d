"""Every recorded PDF: the same result as the reference service's, and a printable file."""

from __future__ import annotations

from typing import Any

import pytest

from notify.letters.precompiled.sanitiser import PdfSanitiser, Sanitised
from tests.letters.precompiled import reading
from tests.letters.recorded import answers, recorded_pdf

RECORDED = answers("sanitised.json")
CROPPED = "size_crop_box"
"""The reference cuts letters off where a crop box is smaller; the contract says not to copy that."""
NOT_EMBEDDED = ("font_cid",)
"""No font at hand has these letters (docs/letters.md)."""


def _asked(recorded: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    kinds = [kind for kind in ("default", "international", "attachment") if recorded.get(kind) is not None]
    return [(kind, recorded["default"] if recorded[kind] == "as default" else recorded[kind]) for kind in kinds]


def _sanitised(sanitiser: PdfSanitiser, name: str, kind: str) -> Sanitised:
    pdf = recorded_pdf(name)
    return sanitiser.sanitise(pdf, international=kind == "international", attachment=kind == "attachment")


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: str(recorded["name"]))
def test_the_verdict_is_the_recorded_one(sanitiser: PdfSanitiser, recorded: dict[str, Any]) -> None:
    name = recorded["name"]
    for kind, answer in _asked(recorded):
        found = _sanitised(sanitiser, name, kind)
        assert found.message == answer["message"], kind
        assert found.page_count == answer["page_count"], kind
        assert found.invalid_pages == tuple(answer["invalid_pages"] or ()), kind
        assert (found.pdf is not None) == (answer["status"] == 200), kind
        if name != CROPPED:
            assert found.recipient_address == answer["recipient_address"], kind


def test_letters_outside_a_crop_box_are_read_as_well(sanitiser: PdfSanitiser) -> None:
    found = _sanitised(sanitiser, CROPPED, "default")
    assert found.recipient_address == "A Person\n2 Low Road\nAnytown\nSW1A 1AA"


_PASSED = [
    pytest.param(recorded["name"], kind, answer["returned_file"], id=f"{recorded['name']}-{kind}")
    for recorded in RECORDED
    for kind, answer in _asked(recorded)
    if kind != "international" and answer.get("returned_file")
]


@pytest.mark.parametrize(("name", "kind", "facts"), _PASSED)
def test_the_file_is_what_the_printer_needs(
    sanitiser: PdfSanitiser, name: str, kind: str, facts: dict[str, Any]
) -> None:
    pdf = _sanitised(sanitiser, name, kind).pdf
    assert pdf is not None
    opened = reading.opened(pdf)
    assert len(opened.pages) == facts["pages"]
    sizes = [[*(round(float(side) * reading.POINT, 1) for side in page.mediabox[2:]), 0] for page in opened.pages]
    assert sizes == facts["page_sizes_rotate"] * (facts["pages"] if len(facts["page_sizes_rotate"]) == 1 else 1)
    assert not any("/Rotate" in page or "/CropBox" in page for page in opened.pages)
    if name not in NOT_EMBEDDED:
        assert all(reading.fonts(pdf).values())
    assert set(opened.Root.keys()) <= {"/Type", "/Pages", "/OCProperties"}
    assert sum(len(page.get("/Annots", [])) for page in opened.pages) == facts["annotations"]
    _check_colours(pdf, facts)


def _check_colours(pdf: bytes, facts: dict[str, Any]) -> None:
    used = list(reading.operators(pdf))
    recorded = facts["drawing_colours"]
    if "RGB 0 0 0" in recorded:  # beside pictures in CMYK, colours stay
        assert ["0", "0", "0"] in [[str(float(one))[0] for one in given] for name, given in used if name == "rg"]
        return
    assert not [name for name, _ in used if name in ("rg", "RG")]
    inks = [[float(one) for one in given] for name, given in used if name == "k"]
    for colour in (colour for colour in recorded if colour.startswith("CMYK")):
        wanted = [float(ink) for ink in colour.split()[1:]]
        assert any(all(abs(a - b) <= 0.05 for a, b in zip(one, wanted, strict=True)) for one in inks), colour
    greys = {round(float(given[0]), 2) for name, given in used if name == "g"}
    assert {float(colour.split()[1]) for colour in recorded if colour.startswith("grey")} - {0.0} <= greys


_LETTERS = [case for case in _PASSED if case.values[1] == "default"]
_TURNED = "size_rotate_180_portrait"


@pytest.mark.parametrize(
    ("name", "kind", "facts"), [case for case in _LETTERS if case.values[0] not in (CROPPED, _TURNED)]
)
def test_the_address_and_the_tag_stand_where_the_printer_looks(
    sanitiser: PdfSanitiser, name: str, kind: str, facts: dict[str, Any]
) -> None:
    sanitised = _sanitised(sanitiser, name, kind)
    assert sanitised.pdf is not None
    found = reading.letters(sanitised.pdf)
    from_top = facts["page_sizes_rotate"][0][1] - 297
    address = [one for one in found if 21.6 <= one.x <= 123 and 36.5 < one.baseline - from_top < 69.3]
    wanted = facts["address_area_text"]
    lines = reading.lines(address)
    assert [line[1:] for line in lines] == [(line["x"], line["baseline"], line["size_pt"]) for line in wanted]
    # composed letters are drawn, and read as the decomposed ones that the address has
    assert [line.text for line in lines] == (sanitised.recipient_address or "").split("\n")
    assert {one.font for one in address} == {"LiberationSans"}
    tag = [one for one in found if one.x < 15.2 and one.baseline < 7]
    own = [one for one in tag if one.font == "LiberationSans" or name == "tag_page_1"]
    assert "".join(one.text for one in own) == "NOTIFY"
    assert {one.colour[:3] for one in own} == {(255, 255, 255)}
    assert (round(own[0].x, 1), round(own[0].baseline, 1)) == (1.8, 3.9)
