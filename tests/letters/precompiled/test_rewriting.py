"""Rewriting: the old address is removed, the rest is kept; colours are CMYK; fonts are embedded."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pikepdf
import pytest
import typst
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String
from PIL import Image, ImageChops, ImageStat
from reportlab.lib.units import mm
from reportlab.pdfgen import canvas

from notify.letters.pages import page_png
from notify.letters.precompiled.inks import grey_of, inks_of
from notify.letters.precompiled.sanitiser import PdfSanitiser
from tests.letters.precompiled import reading
from tests.letters.recorded import recorded_pdf

ADDRESS = ["A Person", "2 Low Road", "Anytown", "SW1A 1AA"]
BASE = "valid_one_page"


def _changed(change: Callable[[Pdf], None], name: str = BASE) -> bytes:
    pdf = pikepdf.open(io.BytesIO(recorded_pdf(name)))
    change(pdf)
    target = io.BytesIO()
    pdf.save(target)
    return target.getvalue()


def _passed(sanitiser: PdfSanitiser, pdf: bytes, **options: bool) -> bytes:
    found = sanitiser.sanitise(pdf, **options)
    assert found.message is None
    assert found.pdf is not None
    return found.pdf


def _texts(pdf: bytes, index: int = 0) -> list[str]:
    return [line.text for line in reading.lines(reading.letters(pdf, index))]


# -- the old address


def _typewriter(lines: list[str]) -> bytes:
    """Every line from the left margin to the right one as one string, as line printers do."""
    target = io.BytesIO()
    paper = canvas.Canvas(target, pagesize=(210 * mm, 297 * mm))
    paper.setFont("Courier", 8)
    for index, line in enumerate(lines):
        paper.drawString(26 * mm, (297 - 45 - 4 * index) * mm, line)
    paper.showPage()
    paper.save()
    return target.getvalue()


def test_of_a_string_that_leaves_the_window_the_rest_stays_where_it_was(sanitiser: PdfSanitiser) -> None:
    pdf = _typewriter([line.ljust(64) + "Office of gardens" for line in ADDRESS])
    before = [one for one in reading.letters(pdf) if one.x > 125 and one.text.strip()]
    found = sanitiser.sanitise(pdf)
    assert found.recipient_address == "\n".join(ADDRESS)
    assert found.pdf is not None
    after = [one for one in reading.letters(found.pdf) if one.x > 125 and one.text.strip()]
    assert [one.text for one in after] == [one.text for one in before]
    assert all(abs(a.x - b.x) < 0.2 and abs(a.baseline - b.baseline) < 0.1 for a, b in zip(after, before, strict=True))
    old = [
        one for one in reading.letters(found.pdf) if one.x < 123 and one.text.strip() and one.font != "LiberationSans"
    ]
    assert old == []


@pytest.mark.parametrize(
    "name", ["address_in_form", "address_rotated_text", "address_invisible", "address_word_by_word"]
)
def test_the_old_characters_are_removed_and_not_only_covered(sanitiser: PdfSanitiser, name: str) -> None:
    made = _passed(sanitiser, recorded_pdf(name))
    assert _texts(made) == [*(text for text in _texts(made) if text not in (*ADDRESS, "NOTIFY")), *ADDRESS, "NOTIFY"]


def test_a_form_that_other_pages_draw_keeps_its_text_there(sanitiser: PdfSanitiser) -> None:
    def change(pdf: Pdf) -> None:
        pdf.pages.append(pdf.pages[0])

    made = _passed(sanitiser, _changed(change, "address_in_form"))
    assert set(ADDRESS) <= set(_texts(made, 1))
    assert _texts(made, 0).count("2 Low Road") == 1


def test_what_readers_say_in_place_of_the_old_address_is_gone(sanitiser: PdfSanitiser) -> None:
    def change(pdf: Pdf) -> None:
        page = pdf.pages[0]
        page.contents_add(b"/Span << /ActualText (Secret Person) >> BDC EMC", prepend=False)
        pdf.Root.StructTreeRoot = Dictionary(Type=Name.StructTreeRoot, Alt="Secret Person")

    opened = reading.opened(_passed(sanitiser, _changed(change)))
    assert "/StructTreeRoot" not in opened.Root
    assert all(b"Secret Person" not in stream.read_bytes() for stream in opened.pages[0].Contents)


def test_drawings_and_pictures_in_the_window_are_gone(sanitiser: PdfSanitiser) -> None:
    def change(pdf: Pdf) -> None:
        picture = Stream(pdf, zlib.compress(bytes(64 * 64)))
        picture.Type, picture.Subtype, picture.ColorSpace = Name.XObject, Name.Image, Name.DeviceGray
        picture.Width = picture.Height = 64
        picture.BitsPerComponent, picture.Filter = 8, Name.FlateDecode
        pdf.pages[0].Resources["/XObject"] = Dictionary({"/Im": pdf.make_indirect(picture)})
        inside = b"q 30 0 0 20 200 700 cm /Im Do Q 0 g 250 700 30 10 re f "
        pdf.pages[0].contents_add(inside + b"300 300 20 20 re f", prepend=False)

    used = list(reading.operators(_passed(sanitiser, _changed(change))))
    assert "Do" not in [name for name, _ in used]
    boxes = [tuple(int(number) for number in given) for name, given in used if name == "re"]
    assert (300, 300, 20, 20) in boxes
    assert (250, 700, 30, 10) not in boxes


def test_pages_after_the_first_keep_an_address(sanitiser: PdfSanitiser) -> None:
    made = _passed(sanitiser, recorded_pdf("address_repeated_in_body"))
    assert _texts(made).count("2 Low Road") == 2


def test_the_recipients_accents_are_drawn_and_can_be_read(sanitiser: PdfSanitiser) -> None:
    made = _passed(sanitiser, recorded_pdf("address_accents"))
    assert "2 Cafe\u0301 Road" in _texts(made)
    glyphs = [len(bytes(given[0])) for name, given in reading.operators(made) if name == "Tj"]
    assert 2 * len("2 Caf\u00e9 Road") in glyphs  # one glyph a letter


def test_a_letter_made_by_another_program_passes(sanitiser: PdfSanitiser) -> None:
    source = b"""#set page(paper: "a4", margin: 0pt)
#set text(size: 10pt)
#place(dx: 26mm, dy: 43mm)[A Person \\ 2 Low Road \\ Anytown \\ SW1A 1AA]
#place(dx: 20mm, dy: 110mm, box(width: 150mm)[#text(fill: rgb("#123456"))[First office -- fi ligatures] #lorem(120)])
#pagebreak()
#place(dx: 20mm, dy: 20mm, box(width: 150mm)[#lorem(300)])
"""
    pdf = typst.compile(source)
    found = sanitiser.sanitise(pdf)
    assert (found.message, found.page_count) == (None, 2)
    assert found.recipient_address == "\n".join(ADDRESS)
    assert found.pdf is not None
    assert not [name for name, _ in reading.operators(found.pdf) if name in ("rg", "RG")]
    assert "Lorem ipsum" in "".join(one.text for one in reading.letters(found.pdf, 1))
    assert all(reading.fonts(found.pdf).values())


# -- colours


def _colourful(pdf: Pdf) -> None:
    """Pictures, patterns and colours of every kind."""
    ramp = Image.linear_gradient("L")
    rgb = Image.merge("RGB", (ramp, ramp.rotate(90), ramp.rotate(180)))
    plain, grey, photo = zlib.compress(rgb.tobytes()), zlib.compress(ramp.tobytes()), io.BytesIO()
    rgb.save(photo, "JPEG", quality=95)
    wide = zlib.compress(b"".join(bytes([value, 0]) for value in rgb.tobytes()))
    lab = Array([Name.Lab, Dictionary(WhitePoint=Array([0.9505, 1, 1.089]), Range=Array([-100, 100] * 2))])
    tint = Dictionary(FunctionType=2, Domain=Array([0, 1]), C0=Array([1, 1, 1]), C1=Array([0, 0.5, 0.2]), N=1)
    spot = Array([Name.Separation, Name("/Spot"), Name.DeviceRGB, tint])
    profile = Stream(pdf, b"no profile")
    profile.N = 3
    palette = Array([Name.Indexed, Name.DeviceRGB, 15, String(bytes(index * 16 % 256 for index in range(48)))])
    kinds: list[tuple[bytes, dict[str, Any]]] = [
        (photo.getvalue(), {"ColorSpace": Name.DeviceRGB, "Filter": Name.DCTDecode}),
        (plain, {"ColorSpace": Name.DeviceRGB, "Decode": Array([1, 0] * 3)}),
        (plain, {"ColorSpace": Name.DeviceRGB, "Mask": Array([0, 120, 0, 255, 0, 255])}),
        (wide, {"ColorSpace": Name.DeviceRGB, "BitsPerComponent": 16}),
        (plain, {"ColorSpace": lab}),
        (zlib.compress(bytes([1, 35, 69, 103] * 8192)), {"ColorSpace": palette, "BitsPerComponent": 4}),
        (grey, {"ColorSpace": spot}),
        (plain, {"ColorSpace": Array([Name.ICCBased, pdf.make_indirect(profile)])}),
    ]
    objects, content = Dictionary(), b""
    for index, (data, entries) in enumerate(kinds):
        stream = Stream(pdf, data)
        values = {"Type": Name.XObject, "Subtype": Name.Image, "Width": 256, "Height": 256, "BitsPerComponent": 8}
        for key, value in {**values, "Filter": Name.FlateDecode, **entries}.items():
            stream[f"/{key}"] = value
        objects[f"/Im{index}"] = pdf.make_indirect(stream)
        content += b"q 90 0 0 90 %d %d cm /Im%d Do Q " % (60 + index % 4 * 110, 200 + index // 4 * 110, index)
    tile = Stream(pdf, b"0 0 3 3 re f")
    tile.Type, tile.PatternType, tile.PaintType, tile.TilingType = Name.Pattern, 1, 2, 1
    tile.BBox, tile.XStep, tile.YStep, tile.Resources = Array([0, 0, 5, 5]), 5, 5, Dictionary()
    fade = Dictionary(FunctionType=2, Domain=Array([0, 1]), C0=Array([1, 0, 0]), C1=Array([0, 0, 1]), N=1)
    disc = Dictionary(
        ShadingType=3, ColorSpace=Name.DeviceRGB, Coords=Array([270, 110, 0, 270, 110, 30]), Function=fade
    )
    resources = pdf.pages[0].Resources
    resources["/XObject"] = objects
    resources["/ColorSpace"] = Dictionary(
        {"/Lab": lab, "/Spot": spot, "/Tiles": Array([Name.Pattern, Name.DeviceRGB]), "/Fades": Array([Name.Pattern])}
    )
    shaded = Dictionary(Type=Name.Pattern, PatternType=2, Shading=disc)
    resources["/Pattern"] = Dictionary({"/Tile": pdf.make_indirect(tile), "/Disc": pdf.make_indirect(shaded)})
    content += (
        b"/Lab cs 60 50 -40 scn 60 100 50 20 re f /Spot cs 0.7 scn 120 100 50 20 re f "
        b"/Tiles cs 1 0 0 /Tile scn 180 100 50 20 re f /Fades cs /Disc scn 240 100 60 20 re f "
        b"1 0 0 RG 5 w 320 100 m 380 120 l S /DeviceRGB CS 0 0 1 SC 400 100 m 450 120 l S"
    )
    pdf.pages[0].contents_add(b"q " + content + b" Q", prepend=False)
    pdf.pages[0].Group = Dictionary(Type=Name.Group, S=Name.Transparency, CS=Name.DeviceRGB)


def _spaces(value: Any, depth: int = 0) -> Iterator[str]:
    """The names of all colour spaces of an object."""
    if isinstance(value, pikepdf.Name):
        yield str(value)
    elif isinstance(value, pikepdf.Dictionary | pikepdf.Stream) and depth < 12:
        for key, inner in value.items():
            if key not in ("/Parent", "/Type", "/Subtype"):
                yield from _spaces(inner, depth + 1)
    elif isinstance(value, pikepdf.Array) and depth < 12:
        for inner in value:
            yield from _spaces(inner, depth + 1)


def test_no_kind_of_rgb_is_left(sanitiser: PdfSanitiser) -> None:
    made = _passed(sanitiser, _changed(_colourful))
    opened = reading.opened(made)
    found = set(_spaces(opened.pages[0].obj))
    assert not found & {"/DeviceRGB", "/CalRGB", "/Lab", "/ICCBased"}
    assert {"/DeviceCMYK", "/Separation", "/Indexed"} <= found
    assert not [name for name, _ in reading.operators(made) if name in ("rg", "RG")]


def test_a_converted_page_still_looks_as_it_did(sanitiser: PdfSanitiser) -> None:
    pdf = _changed(_colourful)
    before, after = (_seen(content) for content in (pdf, _passed(sanitiser, pdf)))
    body = (0, 700, 1240, 1754)
    difference = ImageStat.Stat(ImageChops.difference(before.crop(body), after.crop(body)))
    assert max(difference.mean) < 16  # inks are duller than a screen


def _seen(pdf: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(page_png(pdf, 1)))
    paper = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    paper.alpha_composite(picture)
    return paper.convert("RGB")


def test_a_photo_stays_small(sanitiser: PdfSanitiser) -> None:
    def change(pdf: Pdf) -> None:
        photo = io.BytesIO()
        Image.effect_mandelbrot((1200, 900), (-2, -1.5, 1, 1.5), 90).convert("RGB").save(photo, "JPEG", quality=80)
        stream = Stream(pdf, photo.getvalue())
        stream.Type, stream.Subtype, stream.ColorSpace = Name.XObject, Name.Image, Name.DeviceRGB
        stream.Width, stream.Height, stream.BitsPerComponent, stream.Filter = 1200, 900, 8, Name.DCTDecode
        pdf.pages[0].Resources["/XObject"] = Dictionary({"/Photo": pdf.make_indirect(stream)})
        pdf.pages[0].contents_add(b"q 300 0 0 200 100 300 cm /Photo Do Q", prepend=False)

    pdf = _changed(change)
    assert len(_passed(sanitiser, pdf)) < 2 * len(pdf)


@pytest.mark.parametrize(
    ("colour", "wanted"),
    [
        ((0, 0, 0), (0, 0, 0, 1)),
        ((1, 1, 1), (0, 0, 0, 0)),
        ((1, 0, 0), (0, 0.96, 0.92, 0)),
        ((0, 0, 1), (0.96, 0.92, 0, 0.01)),
        ((1, 1, 0), (0.03, 0, 0.96, 0)),
        ((0x12 / 255, 0x34 / 255, 0x56 / 255), (0.69, 0.357, 0, 0.663)),
        ((1, 0xDD / 255, 0), (0, 0.098, 0.973, 0)),
    ],
)
def test_inks_are_near_those_that_were_measured(colour: tuple[float, ...], wanted: tuple[float, ...]) -> None:
    assert inks_of(*colour) == pytest.approx(wanted, abs=0.05)


def test_a_neutral_colour_prints_with_black_alone() -> None:
    assert grey_of(128 / 255) == pytest.approx(0.37, abs=0.01)
    assert grey_of(0) == 0
    assert grey_of(1) == pytest.approx(1)


# -- fonts


@pytest.mark.parametrize(
    "name", ["font_times_roman", "font_symbol", "font_courier_bold", "font_unknown", "font_helvetica"]
)
def test_a_font_that_is_only_named_is_embedded_and_its_text_looks_the_same(sanitiser: PdfSanitiser, name: str) -> None:
    pdf = recorded_pdf(name)
    assert not all(reading.fonts(pdf).values())
    made = _passed(sanitiser, pdf)
    assert all(reading.fonts(made).values())
    body = (100, 600, 700, 700)
    difference = ImageStat.Stat(ImageChops.difference(_seen(pdf).crop(body), _seen(made).crop(body)).convert("L"))
    assert difference.mean[0] < 2
