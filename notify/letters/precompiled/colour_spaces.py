"""Colour spaces of PDF: which of them are RGB, and their colours as seen on a screen. Child processes only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import pikepdf
import pypdfium2.raw as pdfium
from pikepdf import Array, Dictionary, Name, Pdf
from pypdfium2 import PdfBitmap

from notify.letters.precompiled.inks import Inks, inks_of
from notify.letters.precompiled.reading import opened_by_pdfium, saved

Kind = Literal["grey", "rgb", "lab", "cmyk", "indexed", "tint", "pattern", "other"]
SAMPLES: Final = 64
_NAMES: Final[Mapping[str, Kind]] = {
    "/DeviceGray": "grey",
    "/G": "grey",
    "/CalGray": "grey",
    "/DeviceRGB": "rgb",
    "/RGB": "rgb",
    "/CalRGB": "rgb",
    "/DeviceCMYK": "cmyk",
    "/CMYK": "cmyk",
    "/Lab": "lab",
    "/Indexed": "indexed",
    "/I": "indexed",
    "/Separation": "tint",
    "/DeviceN": "tint",
    "/Pattern": "pattern",
}
_BY_COMPONENTS: Final[Mapping[int, Kind]] = {1: "grey", 3: "rgb", 4: "cmyk"}
DEVICE: Final[Mapping[Kind, Name]] = {
    "grey": Name.DeviceGray,
    "rgb": Name.DeviceCMYK,
    "lab": Name.DeviceCMYK,
    "cmyk": Name.DeviceCMYK,
}
"""The converted space for each space."""


def kind_of(space: Any) -> Kind:
    """The kind of colours of a space."""
    if isinstance(space, Name):
        return _NAMES.get(str(space), "other")
    if not isinstance(space, Array) or not len(space):
        return "other"
    if space[0] == Name.ICCBased and len(space) > 1:
        profile = space[1]
        return _BY_COMPONENTS.get(int(profile.get("/N", 0)), "other") if hasattr(profile, "get") else "other"
    return _NAMES.get(str(space[0]), "other")


def base_of(space: Any) -> Any:
    """The base space of an indexed, tint or pattern space; None for others."""
    if not isinstance(space, Array):
        return None
    at = {"indexed": 1, "tint": 2, "pattern": 1}.get(kind_of(space))
    return space[at] if at is not None and at < len(space) else None


def has_rgb(space: Any) -> bool:
    """Whether the colours of a space are ultimately RGB or Lab."""
    for _ in range(4):
        if kind_of(space) in ("rgb", "lab"):
            return True
        space = base_of(space)
    return False


def inks_in(kind: Kind, space: Any, values: Sequence[float]) -> Inks:
    """A colour of an RGB or Lab space. Raises `ValueError` if it has too few components."""
    first, second, third = values[:3]
    if kind == "lab":
        white = [float(number) for number in space[1].get("/WhitePoint", [0.9505, 1.0, 1.089])]
        return inks_of(*_screen_of_lab(first, second, third, white))
    return inks_of(first, second, third)


def _screen_of_lab(light: float, a: float, b: float, white: Sequence[float]) -> tuple[float, float, float]:
    def part(value: float) -> float:
        return value**3 if value >= 6 / 29 else (value - 4 / 29) * 108 / 841

    middle = (light + 16) / 116
    x, y, z = white[0] * part(middle + a / 500), white[1] * part(middle), white[2] * part(middle - b / 200)
    # scale to the white point of sRGB (D65)
    x, z = x / white[0] * 0.9505, z / white[2] * 1.089
    linear = (
        3.2406 * x - 1.5372 * y - 0.4986 * z,
        -0.9689 * x + 1.8758 * y + 0.0415 * z,
        0.0557 * x - 0.2040 * y + 1.0570 * z,
    )
    red, green, blue = (_companded(min(max(value, 0.0), 1.0)) for value in linear)
    return red, green, blue


def _companded(value: float) -> float:
    return float(12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055)


def converted_space(pdf: Pdf, space: Any) -> Any:
    """The CMYK replacement of a space whose colours are ultimately RGB, of the same kind."""
    kind = kind_of(space)
    if kind in DEVICE:
        return DEVICE[kind]
    base = base_of(space)
    if not has_rgb(base):
        return space
    if kind == "pattern":
        return Array([Name.Pattern, converted_space(pdf, base)])
    if kind == "indexed":
        return _indexed(space, base)
    if kind == "tint" and space[0] == Name.Separation:
        identity = Dictionary(
            {"/FunctionType": 2, "/Domain": Array([0, 1]), "/N": 1, "/C0": Array([0]), "/C1": Array([1])}
        )
        tints = sampled(pdf, space, identity, (0.0, 1.0))
        return Array([Name.Separation, space[1], Name.DeviceCMYK, tints])
    return space


def _indexed(space: Any, base: Any) -> Any:
    table = space[3]
    colours = table.read_bytes() if isinstance(table, pikepdf.Stream) else bytes(table)
    kind = kind_of(base)
    if kind not in ("rgb", "lab"):
        return space
    palette = bytearray()
    for at in range(0, len(colours) - len(colours) % 3, 3):
        values = [part / 255 for part in colours[at : at + 3]]
        if kind == "lab":
            values = [values[0] * 100, values[1] * 200 - 100, values[2] * 200 - 100]
        palette += bytes(round(ink * 255) for ink in inks_in(kind, base, values))
    return Array([Name.Indexed, Name.DeviceCMYK, int(space[2]), pikepdf.String(bytes(palette))])


def sampled(pdf: Pdf, space: Any, function: Any, domain: Iterable[float]) -> pikepdf.Object:
    """A function of one value with colours of `space`, converted to one with CMYK. It is sampled from a drawing by
    pdfium, so that every kind of function and space works.
    """
    low, high = domain
    sheet = pikepdf.new()
    sheet.add_blank_page(page_size=(SAMPLES, 3))
    source = {
        "/ShadingType": 2,
        "/ColorSpace": space,
        "/Function": function,
        "/Coords": Array([0.5, 0, SAMPLES - 0.5, 0]),
        "/Domain": Array([low, high]),
        "/Extend": Array([True, True]),
    }
    shading = sheet.copy_foreign(pdf.make_indirect(Dictionary(source)))
    page = sheet.pages[0].obj
    page[Name.Resources] = Dictionary({"/Shading": Dictionary({"/S": shading})})
    page[Name.Contents] = sheet.make_stream(b"/S sh")
    colours = [colour[0] for colour in drawn_pixels(sheet, SAMPLES, 3)]
    inks = b"".join(bytes(round(ink * 255) for ink in inks_of(*(part / 255 for part in colour))) for colour in colours)
    made = pdf.make_stream(inks)
    values = {
        "/FunctionType": 0,
        "/Domain": Array([low, high]),
        "/Range": Array([0, 1] * 4),
        "/Size": Array([SAMPLES]),
        "/BitsPerSample": 8,
    }
    for key, value in values.items():
        made[key] = value
    return made


def drawn_pixels(sheet: Pdf, width: int, height: int) -> list[list[tuple[int, int, int]]]:
    """The pixels of the first page of one of our PDFs as RGB, by column and then row."""
    document = opened_by_pdfium(saved(sheet, as_it_is=True))
    bitmap = PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGRx)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
    pdfium.FPDF_RenderPageBitmap(bitmap, document[0], 0, 0, width, height, 0, 0)
    picture = bitmap.to_pil().convert("RGB")
    document.close()
    return [[_triple(picture.getpixel((x, y))) for y in range(height)] for x in range(width)]


def _triple(pixel: Any) -> tuple[int, int, int]:
    red, green, blue = pixel
    return red, green, blue
