"""Colours of drawings for the printer: CMYK in place of RGB, in the whole of a PDF.

For PDFs of our own renderer, which use few kinds of colour. Without a profile of the printer's, the conversion is a
formula that comes close to what was measured (contract: letters 3.4; conformance, within 0.05).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Operator, Pdf, Stream

from notify.letters.render.errors import LogoError

Numbers = tuple[float, ...]

_STRENGTH: Final = 0.95
_CURVE: Final = 1.1
_NEUTRAL: Final = 0.002
"""Colours whose parts differ by less are greys."""


def cmyk(red: float, green: float, blue: float) -> Numbers:
    """Cyan, magenta, yellow and black, all from 0 to 1, of an RGB colour. Greys are black ink alone."""
    brightest = max(red, green, blue)
    if brightest - min(red, green, blue) < _NEUTRAL:
        return 0.0, 0.0, 0.0, _rounded(1 - brightest)
    inks = ((brightest - part) / brightest for part in (red, green, blue))
    return (*(_rounded(_STRENGTH * ink**_CURVE) for ink in inks), _rounded(1 - brightest))


def _rounded(value: float) -> float:
    return round(min(max(value, 0.0), 1.0), 4)


def to_cmyk(pdf: Pdf) -> None:
    """Change the colours of a PDF in place. Raises `LogoError` for kinds of colour that a drawing has not."""
    for found in list(pdf.objects):
        if isinstance(found, Stream):
            if found.get(Name.Subtype) == Name.Image:
                raise LogoError("The logo has a picture in it")
            if found.get(Name.Subtype) == Name.Form or Name.PatternType in found:
                found.write(_converted(found, found.get(Name.Resources, Dictionary())))
        if isinstance(found, (Dictionary, Stream)):
            _convert_dictionary(found)
    for page in pdf.pages:
        page.Contents = pdf.make_stream(_converted(page.obj, page.obj.get(Name.Resources, Dictionary())))
        _convert_group(page.obj)


def _convert_dictionary(found: Any) -> None:
    if Name.ShadingType in found:
        _convert_shading(found)
    if found.get(Name.PatternType) == 2 and not found.Shading.is_indirect:
        _convert_shading(found.Shading)
    _convert_group(found)


def _convert_group(found: Any) -> None:
    group = found.get(Name.Group)
    if group is not None and Name.CS in group and _parts(group.CS) == 3:
        group.CS = Name.DeviceCMYK


def _parts(space: Object) -> int:
    """How many numbers a colour of this space has; 0: a pattern."""
    if isinstance(space, Array):
        if space[0] == Name.ICCBased:
            return int(space[1].N)
        return 3 if space[0] in (Name.CalRGB, Name.Lab) else 1 if space[0] == Name.CalGray else 0
    return {"/DeviceRGB": 3, "/DeviceGray": 1, "/DeviceCMYK": 4}.get(str(space), 0)


def _convert_shading(shading: Any) -> None:
    parts = _parts(shading.ColorSpace)
    if parts != 3:
        return
    if int(shading.ShadingType) not in (2, 3):
        raise LogoError("The logo has a gradient that cannot be printed")
    shading.ColorSpace = Name.DeviceCMYK
    shading.Function = _convert_function(shading.Function)
    if Name.Background in shading:
        shading.Background = Array(_exact(cmyk(*map(float, shading.Background))))


def _convert_function(function: Any) -> Dictionary:
    """The same function with CMYK as its result."""
    kind = int(function.FunctionType)
    same = {
        name: function[name] for name in ("/FunctionType", "/Domain", "/N", "/Bounds", "/Encode") if name in function
    }
    if kind == 2:
        start, end = function.get(Name.C0), function.get(Name.C1)
        same["/C0"] = Array(_exact(cmyk(*map(float, start))))
        same["/C1"] = Array(_exact(cmyk(*map(float, end))))
    elif kind == 3:
        same["/Functions"] = Array([_convert_function(part) for part in function.Functions])
    else:
        raise LogoError("The logo has a gradient that cannot be printed")
    same["/Range"] = Array([0, 1] * 4)
    return Dictionary(same)


def _exact(numbers: Sequence[float]) -> list[Decimal]:
    return [Decimal(str(number)) for number in numbers]


_SIMPLE: Final = {"rg": "fill", "RG": "stroke"}
_SPACES: Final = {"cs": "fill", "CS": "stroke"}
_COLOURS: Final = {"sc": "fill", "scn": "fill", "SC": "stroke", "SCN": "stroke"}
_GREY: Final = {"fill": Operator("g"), "stroke": Operator("G")}
_CMYK: Final = {"fill": Operator("k"), "stroke": Operator("K")}


def _converted(stream: Any, resources: Any) -> bytes:
    """The content of a page or form with its colours converted."""
    return pikepdf.unparse_content_stream(list(_instructions(stream, resources)))


def _instructions(stream: Any, resources: Any) -> Iterator[tuple[Any, Operator]]:
    spaces = resources.get(Name.ColorSpace, Dictionary())
    state = {"fill": 1, "stroke": 1}
    saved = []
    for instruction in pikepdf.parse_content_stream(stream):
        if isinstance(instruction, pikepdf.ContentStreamInlineImage):
            raise LogoError("The logo has a picture in it")
        operands, operator = instruction.operands, instruction.operator
        name = str(operator)
        if name == "q":
            saved.append(dict(state))
        elif name == "Q" and saved:
            state = saved.pop()
        if name in _SPACES:
            parts = _parts(spaces.get(str(operands[0]), operands[0]))
            state[_SPACES[name]] = parts
            if parts in (1, 3):  # the colour follows; until it does, it is black
                yield [Decimal(0)], _GREY[_SPACES[name]]
                continue
        elif name in _COLOURS and state[_COLOURS[name]] in (1, 3):
            yield _colour(list(map(float, operands)), _COLOURS[name])
            continue
        elif name in _SIMPLE:
            yield _colour(list(map(float, operands)), _SIMPLE[name])
            continue
        yield operands, operator


def _colour(parts: list[float], what: str) -> tuple[list[Decimal], Operator]:
    if len(parts) == 3:
        inks = cmyk(*parts)
        if any(inks[:3]):
            return _exact(inks), _CMYK[what]
        parts = [_rounded(1 - inks[3])]
    return _exact(parts), _GREY[what]
