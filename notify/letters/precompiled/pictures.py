"""Converts pictures of a PDF to CMYK (contract: letters 4.4). Child processes only."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import pikepdf
import pypdfium2.raw as pdfium
from pikepdf import Array, Name, Pdf, PdfImage
from pypdfium2 import PdfBitmap

from notify.letters.precompiled.colour_spaces import converted_space, has_rgb, kind_of
from notify.letters.precompiled.errors import UnreadablePdfError
from notify.letters.precompiled.inks import converted
from notify.letters.precompiled.reading import opened_by_pdfium, saved

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS: Final = 24_000_000
"""Most bytes of a picture: a page in colour at 600 dots per inch."""
_JPEG_QUALITY: Final = 75
_LOSSY: Final = (Name.DCTDecode, Name.JPXDecode)
_KEPT: Final = ("/Type", "/Subtype", "/Width", "/Height", "/SMask", "/Mask", "/Interpolate", "/OC", "/Intent")


def converted_picture(pdf: Pdf, picture: pikepdf.Stream) -> pikepdf.Object:
    """A picture in CMYK, or in grey if all its colours are; the same one if none of it is RGB.

    Raises `UnreadablePdfError` for one that is too large.
    """
    space = picture.get("/ColorSpace")
    is_jpx = _last_filter(picture) == Name.JPXDecode
    if picture.get("/ImageMask", False) or not (has_rgb(space) or (space is None and is_jpx)):
        return picture
    if "/Width" not in picture or "/Height" not in picture:  # cannot be drawn
        return picture
    if int(picture.Width) * int(picture.Height) > MOST_PIXELS:
        raise UnreadablePdfError("a picture has too many pixels")
    if kind_of(space) == "indexed":
        return _changed(pdf, picture, picture.read_raw_bytes(), converted_space(pdf, space), keeps_pixels=True)
    pixels = converted(_decoded(pdf, picture))
    made = _encoded(pdf, picture, pixels)
    if isinstance(picture.get("/Mask"), Array):  # colours that are not drawn
        made["/SMask"] = _mask_of_colours(pdf, picture)
    return made


def stream_of_pixels(pdf: Pdf, pixels: Image) -> pikepdf.Stream:
    """A picture in RGB as a new picture of the PDF, in CMYK or grey."""
    stream = _pixel_stream(pdf, converted(pixels))
    stream["/Type"], stream["/Subtype"] = Name.XObject, Name.Image
    stream["/Width"], stream["/Height"] = pixels.width, pixels.height
    return stream


def _encoded(pdf: Pdf, picture: pikepdf.Stream, pixels: Image) -> pikepdf.Stream:
    if _last_filter(picture) not in _LOSSY:
        return _with_entries(_pixel_stream(pdf, pixels), picture)
    target = io.BytesIO()
    pixels.save(target, "JPEG", quality=_JPEG_QUALITY)
    made = pdf.make_stream(target.getvalue())
    made["/Filter"] = Name.DCTDecode
    made["/BitsPerComponent"] = 8
    if pixels.mode == "CMYK":
        made["/ColorSpace"] = Name.DeviceCMYK
        made["/Decode"] = Array([1, 0] * 4)  # the library writes inverted values, as Adobe's programs do
    else:
        made["/ColorSpace"] = Name.DeviceGray
    return _with_entries(made, picture)


def _pixel_stream(pdf: Pdf, pixels: Image) -> pikepdf.Stream:
    stream = pdf.make_stream(pixels.tobytes())
    stream["/ColorSpace"] = Name.DeviceCMYK if pixels.mode == "CMYK" else Name.DeviceGray
    stream["/BitsPerComponent"] = 8
    return stream


def _with_entries(made: pikepdf.Stream, picture: pikepdf.Stream) -> pikepdf.Stream:
    for key in _KEPT:
        if key in picture and not (key == "/Mask" and isinstance(picture[key], Array)):
            made[key] = picture[key]
    return made


def _changed(pdf: Pdf, picture: pikepdf.Stream, raw: bytes, space: Any, *, keeps_pixels: bool) -> pikepdf.Stream:
    made = pdf.make_stream(raw)
    for key, value in picture.items():
        if key != "/Length" and (keeps_pixels or key not in ("/Filter", "/DecodeParms")):
            made[key] = value
    made["/ColorSpace"] = space
    return made


def _decoded(pdf: Pdf, picture: pikepdf.Stream) -> Image:
    """The pixels in RGB: decoded directly if that is exact, else as pdfium draws the picture."""
    is_plain = kind_of(picture.get("/ColorSpace")) == "rgb" and "/Decode" not in picture
    if is_plain and picture.get("/BitsPerComponent") == 8 and _last_filter(picture) != Name.JPXDecode:
        try:
            return PdfImage(picture).as_pil_image().convert("RGB")
        except Exception as error:  # the library raises many classes for unsupported data
            if isinstance(error, MemoryError):
                raise
    return _drawn(pdf, picture)


def _drawn(pdf: Pdf, picture: pikepdf.Stream) -> Image:
    width, height = int(picture.Width), int(picture.Height)
    sheet = pikepdf.new()
    sheet.add_blank_page(page_size=(max(width, 3), max(height, 3)))
    page = sheet.pages[0].obj
    page[Name.MediaBox] = Array([0, 0, width, height])
    plain = _changed(
        pdf, picture, picture.read_raw_bytes(), picture.get("/ColorSpace", Name.DeviceRGB), keeps_pixels=True
    )
    for key in ("/SMask", "/Mask", "/OC"):
        if key in plain:
            del plain[key]
    copy = sheet.copy_foreign(pdf.make_indirect(plain))
    page[Name.Resources] = pikepdf.Dictionary({"/XObject": pikepdf.Dictionary({"/I": copy})})
    page[Name.Contents] = sheet.make_stream(b"%d 0 0 %d 0 0 cm /I Do" % (width, height))
    document = opened_by_pdfium(saved(sheet, as_it_is=True))
    bitmap = PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGRx)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
    flags = pdfium.FPDF_RENDER_NO_SMOOTHIMAGE
    pdfium.FPDF_RenderPageBitmap(bitmap, document[0], 0, 0, width, height, 0, flags)
    pixels: Image = bitmap.to_pil().convert("RGB")
    document.close()
    return pixels


def _mask_of_colours(pdf: Pdf, picture: pikepdf.Stream) -> pikepdf.Stream:
    """A colour key mask converted to an explicit mask."""
    from PIL import ImageChops

    limits = [int(number) for number in picture["/Mask"]]
    masks = []
    for band, low, high in zip(_decoded(pdf, picture).split(), limits[::2], limits[1::2], strict=False):
        masks.append(band.point([255 if low <= value <= high else 0 for value in range(256)]))
    left_out = masks[0]
    for mask in masks[1:]:
        left_out = ImageChops.multiply(left_out, mask)
    stream = _pixel_stream(pdf, ImageChops.invert(left_out))
    stream["/Type"], stream["/Subtype"] = Name.XObject, Name.Image
    stream["/Width"], stream["/Height"] = picture.Width, picture.Height
    return stream


def _last_filter(picture: pikepdf.Stream) -> Any:
    filters: Any = picture.get("/Filter")
    if isinstance(filters, Array):
        return filters[-1] if len(filters) else None
    return filters
