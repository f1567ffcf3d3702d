"""Requirements for printed PDFs (contract: letters 3.4)."""

from __future__ import annotations

import dataclasses
import io
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Name

from notify.content.postal_addresses import PostalAddress
from notify.letters.precompiled import workers
from notify.letters.precompiled.sanitiser import PdfSanitiser
from notify.letters.render.cmyk import has_rgb, to_cmyk
from notify.letters.render.errors import AttachmentError, LetterRenderError, LogoError
from notify.letters.render.letter import Letter
from notify.letters.render.renderer import LetterRenderer
from tests.letters.render.measure import measured
from tests.letters.render.recorded import LOGOS, PAGE_NUMBER, attachment, cases, letter_of, renderer

ADDRESS = {"address_line_1": "A Person", "address_line_2": "2 Low Road", "postcode": "SW1A 1AA"}
LETTER = Letter(
    "Subject", "Text ((gap))\n\n* item\n\nqr: data\n\nhttps://example.com", ADDRESS, "Office", logo="painted"
)

PAINTED = b"""<svg xmlns="http://www.w3.org/2000/svg" width="200" height="60">
<defs><linearGradient id="a"><stop offset="0" stop-color="#f00"/><stop offset="1" stop-color="#00f"/></linearGradient>
<radialGradient id="b"><stop offset="0" stop-color="red"/><stop offset="0.4" stop-color="#0f0"/>
<stop offset="1" stop-color="#000" stop-opacity="0.2"/></radialGradient>
<pattern id="c" width="4" height="4" patternUnits="userSpaceOnUse"><rect width="2" height="2" fill="#a00"/></pattern></defs>
<rect width="50" height="60" fill="url(#a)"/><rect x="50" width="50" height="60" fill="url(#b)"/>
<rect x="100" width="50" height="60" fill="url(#c)"/>
<g opacity="0.5"><rect x="150" width="50" height="30" fill="#0a0" stroke="#aa0"/></g><text y="20">Aa</text></svg>"""


@pytest.fixture(scope="module")
def painting(tmp_path_factory: pytest.TempPathFactory) -> LetterRenderer:
    return renderer(tmp_path_factory.mktemp("painted"), {**LOGOS, "painted": PAINTED, "broken": b"<svg"})


def _streams(pdf: pikepdf.Pdf) -> Iterator[Any]:
    yield from pdf.pages
    for found in pdf.objects:
        if isinstance(found, pikepdf.Stream) and (found.get(Name.Subtype) == Name.Form or Name.PatternType in found):
            yield found


def _spaces(thing: Any, seen: set[tuple[int, int]]) -> Iterator[Any]:
    """All colour spaces that an object leads to, but those of masks, whose colours say how much is seen."""
    if isinstance(thing, pikepdf.Object) and thing.is_indirect:
        if thing.objgen in seen:
            return
        seen.add(thing.objgen)
    if isinstance(thing, pikepdf.Name) and str(thing) in ("/DeviceRGB", "/DeviceGray", "/DeviceCMYK"):
        yield str(thing)
    elif isinstance(thing, pikepdf.Array):
        if len(thing) > 1 and thing[0] == Name.ICCBased:
            yield int(thing[1].N)
        for item in thing:
            yield from _spaces(item, seen)
    elif isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        for key, value in thing.items():
            if key not in ("/Parent", "/SMask"):
                yield from _spaces(value, seen)


def test_nothing_is_in_rgb(painting: LetterRenderer) -> None:
    rendered = painting.render(LETTER, "print")
    with pikepdf.open(io.BytesIO(rendered.pdf)) as pdf:
        assert pdf.pdf_version == "1.7"
        operators = {str(each.operator) for stream in _streams(pdf) for each in pikepdf.parse_content_stream(stream)}
        assert not operators & {"rg", "RG"}
        assert {"k", "scn"} <= operators
        spaces = set(_spaces(pdf.pages[0].obj, set()))
        assert "/DeviceCMYK" in spaces
        assert not spaces & {3, "/DeviceRGB"}
        assert not any(
            isinstance(found, pikepdf.Stream) and found.get(Name.Subtype) == Name.Image for found in pdf.objects
        )


def test_what_may_be_in_rgb_is_known(painting: LetterRenderer) -> None:
    """For glyphs in colour: the layout has such colours in previews alone."""
    letter = Letter("S", "((gap))", {})
    preview, printed = (painting.render(letter, purpose).pdf for purpose in ("preview", "print"))
    assert (has_rgb(preview), has_rgb(printed)) == (True, False)
    with pikepdf.open(io.BytesIO(to_cmyk(preview))) as pdf:
        assert not set(_spaces(pdf.pages[0].obj, set())) & {3, "/DeviceRGB"}


def test_text_is_in_black_ink_alone(letters: LetterRenderer) -> None:
    rendered = letters.render(letter_of(cases()["one_page_plain"]["request"]), "print")
    with pikepdf.open(io.BytesIO(rendered.pdf)) as pdf:
        content = pdf.pages[0].Contents.read_bytes()
    assert set(re.findall(rb"(?:[\d.]+ )+(?:k|K|g|G|rg|RG|scn|SCN)\b", content)) == {b"0 0 0 1 k", b"0 0 0 0 k"}


def test_all_fonts_are_embedded(painting: LetterRenderer) -> None:
    rendered = painting.render(LETTER, "print")
    with pikepdf.open(io.BytesIO(rendered.pdf)) as pdf:
        fonts = [
            found
            for found in pdf.objects
            if isinstance(found, pikepdf.Dictionary) and found.get(Name.Type) == Name.Font
        ]
        described = [font.FontDescriptor for font in fonts if Name.FontDescriptor in font]
        assert len(described) == len([font for font in fonts if font.Subtype != Name.Type0]) > 1
        assert all(Name.FontFile2 in font or Name.FontFile3 in font for font in described)


def test_the_tag_is_white_and_within_its_box(letters: LetterRenderer) -> None:
    (page,) = measured(letters.render(Letter("S", "T", ADDRESS), "print").pdf)
    (tag,) = [line for line in page.lines if line.text == "NOTIFY"]
    assert tag.colour == "#ffffff"
    assert (tag.x, tag.baseline, tag.size) == pytest.approx((7.2, 5.7, 6), abs=0.1)
    assert tag.end < 15.191
    assert tag.baseline + 0.1 < 6.149


OUTSIDE = "content-outside-printable-area"
REFUSED = {
    # what the recorded letters have, too: lines of the contact block are 71.2 mm wide, and no word is broken
    "contact_block_long_line": OUTSIDE,
    "long_word": OUTSIDE,
    # templates are checked for these before there is a letter
    "address_none": "not-a-real-uk-postcode-or-country",
    "address_values_null": "not-a-real-uk-postcode-or-country",
    "address_8_lines": "not-a-real-uk-postcode-or-country",
    "address_invalid_postcode": "not-a-real-uk-postcode-or-country",
    "address_no_fixed_abode": "no-fixed-abode-address",
    **dict.fromkeys(("pages_11", "lines_451", "pages_9_and_attachment", "welsh_5_english_6"), "letter-too-long"),
}
"""Recorded letters that the checks of precompiled ones refuse for other things than their page numbers."""


def _without_ends_of_page_numbers(pdf: bytes) -> bytes:
    """White from 195 to 200.2 mm, and 281 to 286: that much of a page number, and no more, is not where those who send
    PDFs may print (decision 48).
    """
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as changed:
        for page in changed.pages:
            page.contents_add(b"1 g 552.76 31.18 14.74 14.17 re f")
        changed.save(out)
    return out.getvalue()


@pytest.mark.parametrize("name", cases())
def test_a_letter_passes_the_checks_of_precompiled_ones_but_for_its_page_numbers(
    letters: LetterRenderer, name: str
) -> None:
    request = cases()[name]["request"]
    rendered = letters.render(letter_of(request), "print")
    sanitiser = PdfSanitiser(workers.shared())
    as_it_is = sanitiser.sanitise(rendered.pdf, international=True)
    if rendered.pages <= 10:
        numbered = [any(PAGE_NUMBER.fullmatch(line.text) for line in page.lines) for page in measured(rendered.pdf)]
        expected = tuple(number for number, is_numbered in enumerate(numbered, start=1) if is_numbered)
        assert (as_it_is.message, as_it_is.invalid_pages) == (OUTSIDE, expected)
    checked = sanitiser.sanitise(_without_ends_of_page_numbers(rendered.pdf), international=True)
    assert (checked.message, checked.page_count) == (REFUSED.get(name), rendered.pages)
    if checked.message is None:
        (page, *_) = measured(rendered.pdf)
        printed = [line.text for line in page.lines if 39.5 < line.baseline < 66.3 and line.x < 30]
        assert checked.recipient_address is not None
        found = unicodedata.normalize("NFC", checked.recipient_address).split("\n")
        whole = PostalAddress("\n".join(printed), allow_international=True).normalised_lines
        # what is beyond its window is cut off
        assert [line[: len(seen)] for line, seen in zip(whole, found, strict=True)] == found
        assert name == "address_long_line" or found == whole


def test_the_same_letter_gives_the_same_bytes(painting: LetterRenderer, tmp_path: Path) -> None:
    both = dataclasses.replace(
        LETTER,
        language="welsh_then_english",
        welsh_subject="P",
        welsh_content="T",
        attachment=attachment(),
        date=letter_of(cases()["date_winter"]["request"]).date,
    )
    other = renderer(tmp_path, {"painted": PAINTED}, system_fonts=True)
    for letter in (both, dataclasses.replace(both, logo=None, attachment=None)):
        first = painting.render(letter, "print")
        assert first == painting.render(letter, "print") == other.render(letter, "print")
        assert first.pages == (4 if letter.attachment else 2)


def test_a_logo_has_the_colours_that_were_measured(letters: LetterRenderer) -> None:
    rendered = letters.render(letter_of(cases()["logo_normal"]["request"]), "print")
    with pikepdf.open(io.BytesIO(rendered.pdf)) as pdf:
        drawing: Any = pdf.pages[0].Resources.XObject.Logo
        colours = [
            [float(part) for part in each.operands]
            for each in pikepdf.parse_content_stream(drawing)
            if str(each.operator) in ("k", "scn", "g")
        ]
    assert colours[0] == pytest.approx([0.69, 0.357, 0, 0.663], abs=0.05)
    assert colours[1] in ([0, 0, 0, 0], [1])


def test_what_cannot_be_loaded_is_an_error(painting: LetterRenderer) -> None:
    for logo in ("missing", "broken", "../secret", "a/../../b", "a\0b", "x" * 300):
        with pytest.raises(LogoError):
            painting.render(dataclasses.replace(LETTER, logo=logo), "print")
    for content in (b"", b"no PDF", attachment()[:300]):
        with pytest.raises(AttachmentError):
            painting.render(dataclasses.replace(LETTER, attachment=content), "print")
    with pytest.raises(LetterRenderError):
        painting.render(dataclasses.replace(LETTER, content="qr: " + "x" * 5000), "print")


HOSTILE = [
    '#panic() $x$ *a* _b_ `c` <label> @ref // comment /* x */ \\u{41} "quote" = heading [b] #sys.inputs ~ -- ---',
    '#read("/etc/passwd")',
    "\x00\x01\x1b\x7f\x85 \ud800 \U0001f600 \u202e\u200b\ufeff a\u0301",
    "((a))((b??c))(( ))((",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_never_read_as_markup(letters: LetterRenderer, text: str) -> None:
    content = f"a\n\n{text}\n\n# {text}\n\n* {text}\n\n1. {text}\n\nhttps://{text}\n\nqr: {text}"
    letter = Letter(text, content, {**ADDRESS, "address_line_1": text, "a": text}, text)
    for purpose in ("print", "preview"):
        pages = measured(letters.render(letter, purpose).pdf)
        if text.startswith("#read"):
            assert any(line.text == "#READ(“/ETC/PASSWD”)" or line.text == text.upper() for line in pages[0].lines)


def test_an_empty_letter_is_a_page(letters: LetterRenderer) -> None:
    for content in ("", " \n\n ", "---", "\n---\n---\n"):
        assert letters.render(Letter("", content, {}), "print").pages == (2 if content.count("---") == 2 else 1)
