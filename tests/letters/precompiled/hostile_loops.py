"""More PDFs that are made to hurt their reader: things that are in themselves, and small things many times."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

from tests.letters.precompiled.hostile import GIGABYTE, _changed, _deflated, _flate


def _named(pdf: Pdf, kind: str, thing: object, use: bytes) -> None:
    """Give the first page a resource `/X` of a kind, and content that uses it."""
    resources = pdf.pages[0].Resources
    if kind not in resources:
        resources[kind] = Dictionary()
    resources[kind]["/X"] = thing
    pdf.pages[0].contents_add(b"q " + use + b" Q", prepend=False)


def _form(pdf: Pdf, content: bytes, **entries: object) -> Stream:
    stream = Stream(pdf, content)
    for name, value in {"BBox": Array([0, 0, 600, 850]), **entries}.items():
        stream[f"/{name}"] = value
    return pdf.make_indirect(stream)


def deflated_four_times() -> bytes:
    """A gigabyte of content behind four filters."""

    def change(pdf: Pdf) -> None:
        stream = Stream(pdf, zlib.compress(zlib.compress(_deflated(GIGABYTE), 9), 9))
        stream.Filter = Array([Name.FlateDecode] * 4)
        pdf.pages[0].Contents = pdf.make_indirect(stream)

    return _changed(change)


def content_over_and_over() -> bytes:
    """Content of 70,000 bytes, twenty thousand times."""

    def change(pdf: Pdf) -> None:
        pdf.pages[0].Contents = Array([pdf.make_indirect(_flate(pdf, b"0 0 m 1 1 l S " * 5000))] * 20_000)

    return _changed(change)


def letter_of_a_font_that_is_in_itself() -> bytes:
    """A font whose letter is drawn with ten of itself."""

    def change(pdf: Pdf) -> None:
        font = pdf.make_indirect(
            Dictionary(
                Type=Name.Font,
                Subtype=Name.Type3,
                FontBBox=Array([0, 0, 1000, 1000]),
                FontMatrix=Array([0.001, 0, 0, 0.001, 0, 0]),
                FirstChar=97,
                LastChar=97,
                Widths=Array([1000]),
                Encoding=Dictionary(Type=Name.Encoding, Differences=Array([97, Name.a])),
                CharProcs=Dictionary(a=_form(pdf, b"1000 0 d0 BT /X 1 Tf (aaaaaaaaaa) Tj ET")),
            )
        )
        font.Resources = Dictionary(Font=Dictionary(X=font))
        _named(pdf, "/Font", font, b"BT /X 12 Tf 100 400 Td (" + b"a" * 1000 + b") Tj ET")

    return _changed(change)


def mask_that_is_behind_itself() -> bytes:
    """A soft mask that is drawn with itself."""

    def change(pdf: Pdf) -> None:
        state = pdf.make_indirect(Dictionary(Type=Name.ExtGState))
        group = Dictionary(S=Name.Transparency, CS=Name.DeviceGray)
        form = _form(pdf, b"/X gs 0 0 99 99 re f", Type=Name.XObject, Subtype=Name.Form, Group=group)
        form.Resources = Dictionary(ExtGState=Dictionary(X=state))
        state.SMask = Dictionary(S=Name.Luminosity, G=form)
        _named(pdf, "/ExtGState", state, b"/X gs 100 300 50 50 re f")

    return _changed(change)


def pattern_of_itself() -> bytes:
    """A tile that is filled with itself."""

    def change(pdf: Pdf) -> None:
        tile = _form(
            pdf,
            b"/Pattern cs /X scn 0 0 10 10 re f",
            Type=Name.Pattern,
            PatternType=1,
            PaintType=1,
            TilingType=1,
            BBox=Array([0, 0, 10, 10]),
            XStep=10,
            YStep=10,
        )
        tile.Resources = Dictionary(Pattern=Dictionary(X=tile))
        _named(pdf, "/Pattern", tile, b"/Pattern cs /X scn 60 300 400 200 re f")

    return _changed(change)


def colour_space_of_itself() -> bytes:
    """A palette of colours of the palette."""

    def change(pdf: Pdf) -> None:
        space = pdf.make_indirect(Array([Name.Indexed]))
        for part in (space, 255, String(b"x" * 768)):
            space.append(part)
        _named(pdf, "/ColorSpace", space, b"/X cs 1 sc 100 300 10 10 re f")

    return _changed(change)


def fields_and_bookmarks_in_circles() -> bytes:
    """A field, a bookmark and a tree of names that are their own children."""

    def change(pdf: Pdf) -> None:
        rectangle = Array([100, 100, 110, 110])
        field = pdf.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, Rect=rectangle))
        field.Kids, field.Parent = Array([field]), field
        pdf.pages[0].obj.Annots = Array([field] * 1000)
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]))
        bookmark = pdf.make_indirect(Dictionary(Title="x"))
        bookmark.Next = bookmark.First = bookmark.Parent = bookmark
        pdf.Root.Outlines = Dictionary(First=bookmark, Last=bookmark, Count=1)
        names = pdf.make_indirect(Dictionary())
        names.Kids = Array([names])
        pdf.Root.Names = Dictionary(EmbeddedFiles=names, JavaScript=names)

    return _changed(change)


def many_annotations() -> bytes:
    """A hundred thousand links without a border."""

    def change(pdf: Pdf) -> None:
        def link() -> Dictionary:
            return Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([9, 9, 11, 11]), Border=Array([0, 0, 0]))

        pdf.pages[0].obj.Annots = Array([pdf.make_indirect(link()) for _ in range(100_000)])

    return _changed(change)


def states_within_states() -> bytes:
    """A hundred thousand graphics states, and as many clips."""
    content = b"q " * 100_000 + b"60 300 10 10 re W n " * 100_000 + b"Q " * 100_000
    return _changed(lambda pdf: pdf.pages[0].contents_add(content, prepend=False))


BOMBS: dict[str, Callable[[], bytes]] = {made.__name__: made for made in (deflated_four_times, content_over_and_over)}
"""What must be refused."""
ODDITIES: dict[str, Callable[[], bytes]] = {
    made.__name__: made
    for made in (
        letter_of_a_font_that_is_in_itself,
        mask_that_is_behind_itself,
        pattern_of_itself,
        colour_space_of_itself,
        fields_and_bookmarks_in_circles,
        many_annotations,
        states_within_states,
    )
}
"""What may be refused or repaired, and must not hurt."""
