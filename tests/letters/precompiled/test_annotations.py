"""A page fails if an annotation is visible on it (letters 4, step 4)."""

from __future__ import annotations

import io
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, Stream

from notify.letters.precompiled.sanitiser import PdfSanitiser
from tests.letters.recorded import recorded_pdf

# fields without a form, on purpose
pytestmark = pytest.mark.filterwarnings("ignore::pikepdf.PageCopyWarning")
PLACE = [100, 500, 200, 520]
WHITE, BLACK = b"1 g 0 0 20 20 re f", b"0 g 0 0 20 20 re f"


def _annotated(entries: dict[str, Any], look: bytes | None = None) -> bytes:
    pdf = pikepdf.open(io.BytesIO(recorded_pdf("valid_one_page")))
    values = {"Type": Name.Annot, "Rect": Array(entries.pop("Rect", PLACE)), **entries}
    if look is not None:
        values["AP"] = Dictionary(N=_form(pdf, look))
    pdf.pages[0].Annots = Array([pdf.make_indirect(Dictionary({f"/{key}": value for key, value in values.items()}))])
    target = io.BytesIO()
    pdf.save(target)
    return target.getvalue()


def _form(pdf: Pdf, content: bytes) -> pikepdf.Object:
    form = Stream(pdf, content)
    form.Type, form.Subtype, form.BBox, form.Resources = Name.XObject, Name.Form, Array([0, 0, 20, 20]), Dictionary()
    return pdf.make_indirect(form)


@pytest.mark.parametrize(
    ("entries", "look"),
    [
        ({"Subtype": Name.Link}, None),
        ({"Subtype": Name.Link, "BS": Dictionary(W=0)}, None),
        ({"Subtype": Name.Popup}, None),
        ({"Subtype": Name.Text, "F": 2}, None),
        ({"Subtype": Name.Stamp, "F": 32}, BLACK),
        ({"Subtype": Name.Widget, "FT": Name.Sig, "Rect": [0, 0, 0, 0]}, None),
        ({"Subtype": Name.Widget, "FT": Name.Tx}, None),
        ({"Subtype": Name.Stamp}, WHITE),
    ],
)
def test_what_shows_nothing_passes(sanitiser: PdfSanitiser, entries: dict[str, Any], look: bytes | None) -> None:
    assert sanitiser.sanitise(_annotated(dict(entries), look)).message is None


@pytest.mark.parametrize(
    ("entries", "look"),
    [
        ({"Subtype": Name.Link, "BS": Dictionary()}, None),
        ({"Subtype": Name.Link, "Border": Array([0, 0, 1])}, None),
        ({"Subtype": Name.Highlight}, None),
        ({"Subtype": Name.FreeText}, None),
        ({"Subtype": Name.Widget, "FT": Name.Tx, "V": "typed"}, None),
        ({"Subtype": Name.Widget, "FT": Name.Tx, "MK": Dictionary(BG=Array([1, 0, 0]))}, None),
        ({"Subtype": Name.Widget, "FT": Name.Tx}, BLACK),
        ({"Subtype": Name.Stamp, "F": 4}, BLACK),
    ],
)
@pytest.mark.parametrize("attachment", [False, True])
def test_what_shows_something_fails(
    sanitiser: PdfSanitiser, entries: dict[str, Any], look: bytes | None, attachment: bool
) -> None:
    found = sanitiser.sanitise(_annotated(dict(entries), look), attachment=attachment)
    assert (found.message, found.invalid_pages) == ("content-outside-printable-area", (1,))
