"""Malicious PDFs. Each is small, but expensive to read."""

from __future__ import annotations

import io
import random
import zlib
from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream

from tests.letters.recorded import recorded_pdf

GIGABYTE = 1024**3


def _saved(pdf: Pdf, **options: object) -> bytes:
    target = io.BytesIO()
    pdf.save(target, **options)  # type: ignore[arg-type]
    return target.getvalue()


def _changed(change: Callable[[Pdf], None]) -> bytes:
    pdf = pikepdf.open(io.BytesIO(recorded_pdf("valid_one_page")))
    change(pdf)
    return _saved(pdf, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)


def _deflated(size: int, byte: bytes = b" ") -> bytes:
    """So many equal bytes, deflated twice."""
    packer = zlib.compressobj(9)
    once = b"".join(packer.compress(byte * (1024 * 1024)) for _ in range(size // (1024 * 1024))) + packer.flush()
    return zlib.compress(once, 9)


def content_bomb() -> bytes:
    """A gigabyte of blanks as the content of a page."""

    def change(pdf: Pdf) -> None:
        stream = Stream(pdf, _deflated(GIGABYTE))
        stream.Filter = Array([Name.FlateDecode, Name.FlateDecode])
        pdf.pages[0].Contents = pdf.make_indirect(stream)

    return _changed(change)


def picture_bomb() -> bytes:
    """A picture of 60,000 x 60,000 pixels in RGB."""

    def change(pdf: Pdf) -> None:
        stream = Stream(pdf, _deflated(GIGABYTE, b"\x7f"))
        stream.Filter = Array([Name.FlateDecode, Name.FlateDecode])
        stream.Type, stream.Subtype, stream.ColorSpace = Name.XObject, Name.Image, Name.DeviceRGB
        stream.Width, stream.Height, stream.BitsPerComponent = 60_000, 60_000, 8
        pdf.pages[0].Resources["/XObject"] = Dictionary({"/Bomb": pdf.make_indirect(stream)})
        pdf.pages[0].contents_add(b"q 100 0 0 100 100 300 cm /Bomb Do Q", prepend=False)

    return _changed(change)


def nested_forms(depth: int = 12) -> bytes:
    """A form that draws another ten times, which draws another ten times, and so on."""

    def change(pdf: Pdf) -> None:
        inner = Stream(pdf, b"0 g 200 300 m 300 400 l S")
        for _ in range(depth):
            inner.Type, inner.Subtype, inner.BBox = Name.XObject, Name.Form, Array([0, 0, 600, 850])
            outer = Stream(pdf, b"/F Do\n" * 10)
            outer.Resources = Dictionary({"/XObject": Dictionary({"/F": pdf.make_indirect(inner)})})
            inner = outer
        inner.Type, inner.Subtype, inner.BBox = Name.XObject, Name.Form, Array([0, 0, 600, 850])
        pdf.pages[0].Resources["/XObject"] = Dictionary({"/F": pdf.make_indirect(inner)})
        pdf.pages[0].contents_add(b"q /F Do Q", prepend=False)

    return _changed(change)


def form_that_draws_itself() -> bytes:
    """A form whose resources name it."""

    def change(pdf: Pdf) -> None:
        form = Stream(pdf, b"/Self Do")
        form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, Array([0, 0, 600, 850])
        form = pdf.make_indirect(form)
        form.Resources = Dictionary({"/XObject": Dictionary({"/Self": form})})
        pdf.pages[0].Resources["/XObject"] = Dictionary({"/Self": form})
        pdf.pages[0].contents_add(b"q /Self Do Q", prepend=False)

    return _changed(change)


def many_operators() -> bytes:
    """Fifteen million operators in 200 kilobytes."""

    def change(pdf: Pdf) -> None:
        pdf.pages[0].Contents = Array(
            [pdf.pages[0].Contents, pdf.make_indirect(_flate(pdf, b"0 0 m 1 1 l S " * 5_000_000))]
        )

    return _changed(change)


def _flate(pdf: Pdf, content: bytes) -> Stream:
    stream = Stream(pdf, zlib.compress(content, 9))
    stream.Filter = Name.FlateDecode
    return stream


def page_tree_loop() -> bytes:
    """A page tree whose node is its own child."""
    return _file(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    )


def parent_loop() -> bytes:
    """A page without a media box whose parent is itself."""
    return _file(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 /Parent 3 0 R >>",
        b"<< /Type /Page /Parent 2 0 R >>",
    )


def deep_arrays() -> bytes:
    """Arrays within arrays, 200,000 deep."""
    deep = b"[" * 200_000 + b"]" * 200_000
    return _file(
        b"<< /Type /Catalog /Pages 2 0 R /X " + deep + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Y " + deep + b" >>",
    )


def deep_content() -> bytes:
    """Content with arrays 200,000 deep, and as many `q`."""

    def change(pdf: Pdf) -> None:
        deep = b"q " * 200_000 + b"[" * 200_000 + b"]" * 200_000 + b" TJ"
        pdf.pages[0].Contents = Array([pdf.pages[0].Contents, pdf.make_indirect(Stream(pdf, deep))])

    return _changed(change)


def endless_function() -> bytes:
    """A shading whose function computes for ever on each point."""

    def change(pdf: Pdf) -> None:
        program = b"{ " + b"dup mul " * 200_000 + b" 3 copy pop pop pop dup dup }"
        function = Stream(pdf, program)
        function.FunctionType, function.Domain, function.Range = 4, Array([0, 1]), Array([0, 1] * 3)
        shading = Dictionary(
            ShadingType=2,
            ColorSpace=Name.DeviceRGB,
            Coords=Array([0, 300, 600, 300]),
            Function=pdf.make_indirect(function),
            Extend=Array([True, True]),
        )
        pdf.pages[0].Resources["/Shading"] = Dictionary({"/S": pdf.make_indirect(shading)})
        pdf.pages[0].contents_add(b"q 100 300 100 100 re W n /S sh Q", prepend=False)

    return _changed(change)


def tiny_tiles() -> bytes:
    """A pattern of tiles of a hundredth of a point over the whole page."""

    def change(pdf: Pdf) -> None:
        tile = Stream(pdf, b"1 1 1 rg 0 0 1 1 re f")
        tile.Type, tile.PatternType, tile.PaintType, tile.TilingType = Name.Pattern, 1, 1, 1
        tile.BBox, tile.XStep, tile.YStep = Array([0, 0, 1, 1]), 0.001, 0.001
        tile.Resources = Dictionary()
        pdf.pages[0].Resources["/Pattern"] = Dictionary({"/P": pdf.make_indirect(tile)})
        pdf.pages[0].contents_add(b"q /Pattern cs /P scn 0 0 600 850 re f Q", prepend=False)

    return _changed(change)


def huge_page() -> bytes:
    """A page of a million by a million points."""
    return _file(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 999999 999999] >>",
    )


def pages(count: int) -> bytes:
    """So many empty pages."""
    kids = b" ".join(b"%d 0 R" % number for number in range(3, count + 3))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"
    tree = b"<< /Type /Pages /Kids [" + kids + b"] /Count %d >>" % count
    return _file(b"<< /Type /Catalog /Pages 2 0 R >>", tree, *[page] * count)


def object_stream_loop() -> bytes:
    """An object stream that says to be in itself."""
    body = recorded_pdf("object_streams")
    return body.replace(b"/Type /ObjStm", b"/Extends 1 0 R /Type /ObjStm")


def mutations(count: int, seed: int = 7) -> list[bytes]:
    """Good files with some bytes changed, the same ones each time."""
    random_ = random.Random(seed)
    names = (
        "valid_one_page",
        "picture_rgb",
        "font_helvetica",
        "object_streams",
        "shading",
        "form_field",
        "address_in_form",
    )
    found = []
    for index in range(count):
        content = bytearray(recorded_pdf(names[index % len(names)]))
        for _ in range(random_.randint(1, 40)):
            content[random_.randrange(len(content))] = random_.randrange(256)
        found.append(bytes(content))
    return found


def _file(*objects: bytes) -> bytes:
    """A PDF of objects as they are written here."""
    body, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    body += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(body)


BOMBS: dict[str, Callable[[], bytes]] = {
    made.__name__: made
    for made in (
        content_bomb,
        picture_bomb,
        nested_forms,
        many_operators,
        page_tree_loop,
        parent_loop,
        huge_page,
    )
}
"""What must be refused."""
ODDITIES: dict[str, Callable[[], bytes]] = {
    made.__name__: made
    for made in (form_that_draws_itself, deep_arrays, deep_content, endless_function, tiny_tiles, object_stream_loop)
}
"""What may be refused or repaired, and must not hurt."""
