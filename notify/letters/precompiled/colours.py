"""Converts a PDF to CMYK (contract: letters 4.4): colours of text and shapes, pictures, shadings, patterns.

Nothing is changed in place, because pages whose content is not converted yet may share resources: everything is
copied, each object once. Child processes only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import pikepdf
from pikepdf import Array, ContentStreamInlineImage, ContentStreamInstruction, Dictionary, Name, Operator, Pdf

from notify.letters.precompiled.colour_spaces import (
    DEVICE,
    Kind,
    base_of,
    converted_space,
    has_rgb,
    inks_in,
    kind_of,
    sampled,
)
from notify.letters.precompiled.errors import UnreadablePdfError
from notify.letters.precompiled.inks import Inks, grey_of, inks_of
from notify.letters.precompiled.pictures import converted_picture, stream_of_pixels
from notify.letters.precompiled.redaction import Instruction

_DEEPEST: Final = 30
_SETS_SPACE: Final = {"g": ("fill", "grey"), "G": ("line", "grey"), "k": ("fill", "cmyk"), "K": ("line", "cmyk")}
_NO_COLOURS: Final = ("/DefaultRGB", "/DefaultGray", "/DefaultCMYK")


@dataclass(slots=True)
class _Space:
    kind: Kind
    space: Any = None


@dataclass(slots=True)
class _State:
    fill: _Space
    line: _Space


def picture_kinds(pdf: Pdf) -> set[Kind]:
    """The kinds of colours in the pictures of all pages, ignoring everything else (4.4)."""
    found: set[Kind] = set()
    seen: set[tuple[int, int]] = set()
    waiting: list[Any] = [page.obj.get(Name.Resources) or page.resources for page in pdf.pages]
    while waiting:
        resources = waiting.pop()
        objects = resources.get(Name.XObject) if isinstance(resources, Dictionary) else None
        for thing in objects.values() if isinstance(objects, Dictionary) else ():
            if not isinstance(thing, pikepdf.Stream) or thing.objgen in seen:
                continue
            seen.add(thing.objgen)
            if thing.get(Name.Subtype) == Name.Image:
                found.add(kind_of(thing.get("/ColorSpace")))
            waiting.append(thing.get(Name.Resources))
    return found


def needs_conversion(pdf: Pdf) -> bool:
    """Whether to convert colours: yes, unless the pictures are already in CMYK (4.4)."""
    kinds = picture_kinds(pdf)
    return "cmyk" not in kinds or "rgb" in kinds


class Conversion:
    """Converts the pages of one PDF."""

    def __init__(self, pdf: Pdf) -> None:
        self._pdf = pdf
        self._made: dict[tuple[int, int], Any] = {}

    def page(self, page: Dictionary, instructions: Iterable[Instruction]) -> None:
        """Convert a page, whose content is given as instructions. Replaces its resources."""
        resources: Any = page.get(Name.Resources, Dictionary())
        content, added = self._content(instructions, resources)
        page[Name.Contents] = self._pdf.make_stream(content)
        page[Name.Resources] = self._resources(resources, added, 0)
        self._convert_group(page)

    # -- resources

    def _resources(self, resources: Any, added: dict[str, Any], depth: int) -> Dictionary:
        if depth > _DEEPEST:
            raise UnreadablePdfError("it is nested too deeply")
        if not isinstance(resources, Dictionary):
            return Dictionary()
        made = Dictionary(dict(resources.items()))
        for key, convert in (
            ("/ColorSpace", self._space),
            ("/XObject", lambda thing: self._thing(thing, resources, depth)),
            ("/Pattern", lambda thing: self._pattern(thing, resources, depth)),
            ("/Shading", self._shading),
            ("/ExtGState", lambda thing: self._state_of(thing, resources, depth)),
            ("/Font", lambda thing: self._font(thing, resources, depth)),
        ):
            entries: Any = resources.get(key)
            if isinstance(entries, Dictionary):
                made[key] = Dictionary({name: self._once(entry, convert) for name, entry in entries.items()})
        if "/ColorSpace" in made:
            made["/ColorSpace"] = Dictionary({n: v for n, v in made["/ColorSpace"].items() if n not in _NO_COLOURS})
        if added:
            objects: Any = made.get("/XObject", Dictionary())
            made["/XObject"] = Dictionary({**dict(objects.items()), **added})
        return made

    def _once(self, thing: Any, convert: Any) -> Any:
        """Convert an object once. A reference from an object to itself stays unchanged."""
        key = thing.objgen if isinstance(thing, pikepdf.Object) else (0, 0)
        if key == (0, 0):
            return convert(thing)
        if key not in self._made:
            self._made[key] = thing
            self._made[key] = convert(thing)
        return self._made[key]

    def _space(self, space: Any) -> Any:
        return converted_space(self._pdf, space)

    def _thing(self, thing: Any, resources: Any, depth: int) -> Any:
        if not isinstance(thing, pikepdf.Stream):
            return thing
        if thing.get(Name.Subtype) == Name.Image:
            return converted_picture(self._pdf, thing)
        return self._stream(thing, resources, depth)

    def _stream(self, stream: pikepdf.Stream, outer: Any, depth: int) -> pikepdf.Object:
        """A form, a pattern or a glyph."""
        own: Any = stream.get(Name.Resources)
        resources = own if isinstance(own, Dictionary) else outer
        try:
            instructions = pikepdf.parse_content_stream(stream)
        except pikepdf.PdfError:
            raise UnreadablePdfError("a form is damaged") from None
        content, added = self._content(instructions, resources)
        made = self._pdf.make_stream(content)
        for key, value in stream.items():
            if key not in ("/Length", "/Filter", "/DecodeParms"):
                made[key] = value
        made[Name.Resources] = self._resources(resources, added, depth + 1)
        self._convert_group(made)
        return made

    def _pattern(self, pattern: Any, resources: Any, depth: int) -> Any:
        if isinstance(pattern, pikepdf.Stream):
            return self._stream(pattern, resources, depth)
        if isinstance(pattern, Dictionary) and "/Shading" in pattern:
            values = dict(pattern.items())
            return Dictionary({**values, "/Shading": self._once(pattern["/Shading"], self._shading)})
        return pattern

    def _shading(self, shading: Any) -> Any:
        space = shading.get("/ColorSpace") if hasattr(shading, "get") else None
        if not has_rgb(space) or "/Function" not in shading or int(shading.get("/ShadingType", 0)) == 1:
            return shading
        domain = [float(number) for number in shading.get("/Domain", [0, 1])][:2]
        values = dict(shading.items()) | {"/ColorSpace": Name.DeviceCMYK}
        values["/Function"] = sampled(self._pdf, space, shading["/Function"], domain)
        if "/Background" in values and kind_of(space) in ("rgb", "lab"):
            numbers = [float(number) for number in values["/Background"]]
            values["/Background"] = Array(list(_rounded(inks_in(kind_of(space), space, numbers))))
        if not isinstance(shading, pikepdf.Stream):
            return Dictionary(values)
        made = self._pdf.make_stream(shading.read_bytes())
        for key, value in values.items():
            if key not in ("/Length", "/Filter", "/DecodeParms"):
                made[key] = value
        return made

    def _state_of(self, state: Any, resources: Any, depth: int) -> Any:
        mask = state.get("/SMask") if isinstance(state, Dictionary) else None
        if not isinstance(mask, Dictionary) or not isinstance(mask.get("/G"), pikepdf.Stream):
            return state
        if mask.get("/S") == Name.Luminosity:
            # a luminosity mask: its colours are not colours of the page
            return state
        group = self._once(mask["/G"], lambda form: self._stream(form, resources, depth))
        return Dictionary({**dict(state.items()), "/SMask": Dictionary({**dict(mask.items()), "/G": group})})

    def _font(self, font: Any, resources: Any, depth: int) -> Any:
        if not isinstance(font, Dictionary) or font.get(Name.Subtype) != Name.Type3:
            return font
        own: Any = font.get(Name.Resources)
        inner = own if isinstance(own, Dictionary) else resources
        glyphs: Any = font.get("/CharProcs", Dictionary())
        made = {
            name: self._once(glyph, lambda stream: self._stream(stream, inner, depth))
            for name, glyph in glyphs.items()
            if isinstance(glyph, pikepdf.Stream)
        }
        values = {**dict(font.items()), "/CharProcs": Dictionary(made)}
        return Dictionary({**values, "/Resources": self._resources(inner, {}, depth + 1)})

    def _convert_group(self, thing: Any) -> None:
        group: Any = thing.get("/Group")
        if isinstance(group, Dictionary) and has_rgb(group.get("/CS")):
            thing["/Group"] = Dictionary({**dict(group.items()), "/CS": Name.DeviceCMYK})

    # -- content

    def _content(self, instructions: Iterable[Instruction], resources: Any) -> tuple[bytes, dict[str, Any]]:
        walk = _Walk(self._pdf, resources)
        return pikepdf.unparse_content_stream(list(walk.over(instructions))), walk.added


class _Walk:
    """Follows one content stream."""

    def __init__(self, pdf: Pdf, resources: Any) -> None:
        self._pdf = pdf
        spaces = resources.get("/ColorSpace") if isinstance(resources, Dictionary) else None
        self._spaces: Any = spaces if isinstance(spaces, Dictionary) else Dictionary()
        self._state = _State(_Space("grey"), _Space("grey"))
        self._stack: list[_State] = []
        self.added: dict[str, Any] = {}

    def over(self, instructions: Iterable[Instruction]) -> Iterator[Instruction]:
        """The instructions in CMYK."""
        for instruction in instructions:
            if isinstance(instruction, ContentStreamInlineImage):
                yield self._inline(instruction)
                continue
            operator = str(instruction.operator)
            if operator in _WATCHED:
                try:
                    yield self._step(operator, list(instruction.operands), instruction)
                except (ValueError, TypeError, IndexError, KeyError):  # invalid operands
                    continue
            else:
                yield instruction

    def _step(self, name: str, operands: list[Any], instruction: Instruction) -> Instruction:
        state = self._state
        if name == "q":
            self._stack.append(replace(state))
        elif name == "Q":
            self._state = self._stack.pop() if self._stack else state
        elif name in ("rg", "RG"):
            setattr(state, "fill" if name == "rg" else "line", _Space("cmyk"))
            return _device_colour(name, [float(number) for number in operands])
        elif name in _SETS_SPACE:
            which, kind = _SETS_SPACE[name]
            setattr(state, which, _Space(kind))  # type: ignore[arg-type]
        elif name in ("cs", "CS"):
            space = self._named(operands[0])
            setattr(state, "fill" if name == "cs" else "line", _Space(kind_of(space), space))
            if kind_of(space) in DEVICE:
                return _operation(name, DEVICE[kind_of(space)])
        elif name in ("sc", "scn", "SC", "SCN"):
            return self._colour(name, state.fill if name[0] == "s" else state.line, operands, instruction)
        return instruction

    def _colour(self, name: str, current: _Space, operands: list[Any], instruction: Instruction) -> Instruction:
        kind, space = current.kind, current.space
        pattern = operands[-1:] if kind == "pattern" else []
        if kind == "pattern":
            space = base_of(space)
            kind, operands = kind_of(space), operands[:-1]
        if kind not in ("rgb", "lab") or not operands:
            return instruction
        inks = _rounded(inks_in(kind, space, [float(number) for number in operands]))
        return _operation(name, *inks, *pattern)

    def _named(self, name: Any) -> Any:
        return self._spaces.get(str(name), name)

    def _inline(self, instruction: ContentStreamInlineImage) -> Instruction:
        picture = instruction.iimage
        space = picture.obj.get("/ColorSpace", picture.obj.get("/CS"))
        space = self._named(space) if isinstance(space, Name) else space
        if not has_rgb(space):
            return instruction
        try:
            pixels = picture.as_pil_image().convert("RGB")
        except Exception as error:  # the library raises many classes for unsupported data
            if isinstance(error, MemoryError):
                raise
            return instruction
        name = f"/NotifyPicture{len(self.added) + 1}"
        self.added[name] = stream_of_pixels(self._pdf, pixels)
        return _operation("Do", Name(name))


_WATCHED: Final = frozenset(("q", "Q", "rg", "RG", "cs", "CS", "sc", "scn", "SC", "SCN", *_SETS_SPACE))


def _device_colour(name: str, values: list[float]) -> ContentStreamInstruction:
    """`rg` and `RG` in grey or CMYK. Raises `ValueError`."""
    red, green, blue = values
    if red == green == blue:
        return _operation("g" if name == "rg" else "G", round(grey_of(min(max(red, 0.0), 1.0)), 4))
    return _operation("k" if name == "rg" else "K", *_rounded(inks_of(red, green, blue)))


def _rounded(inks: Inks) -> tuple[float, ...]:
    return tuple(round(ink, 4) for ink in inks)


def _operation(name: str, *operands: Any) -> ContentStreamInstruction:
    return ContentStreamInstruction(list(operands), Operator(name))
