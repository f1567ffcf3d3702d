"""Removes the content of a box of a page: text glyph by glyph, and drawings and pictures that are completely inside
(contract: letters 4.3). Content that only overlaps the box is covered with white afterwards. Child processes only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import pikepdf
from pikepdf import ContentStreamInlineImage, ContentStreamInstruction, Name, Operator, Pdf

from notify.letters.precompiled.areas import Box
from notify.letters.precompiled.errors import UnreadablePdfError
from notify.letters.precompiled.glyphs import Font
from notify.letters.precompiled.matrices import IDENTITY, Matrix, around, matrix_of

Instruction = ContentStreamInstruction | ContentStreamInlineImage

_ASCENT: Final = 0.75
_DESCENT: Final = -0.2
"""Height of a letter above and below its baseline, in multiples of the font size."""
_DEEPEST_FORM: Final = 20
_PAINTS: Final = frozenset(("f", "F", "f*", "S", "s", "B", "B*", "b", "b*", "n"))
_UNIT: Final = Box(0, 0, 1, 1)


@dataclass(slots=True)
class _State:
    """The part of the graphics state that affects the position of text."""

    ctm: Matrix
    font: Font | None = None
    size: float = 0.0
    letter_gap: float = 0.0
    word_gap: float = 0.0
    stretch: float = 1.0
    leading: float = 0.0
    rise: float = 0.0


class Redaction:
    """Removes the content of one box (points, from the bottom left) of one page."""

    def __init__(self, pdf: Pdf, box: Box) -> None:
        self._pdf = pdf
        self._box = box
        self._fonts: dict[tuple[int, int], Font] = {}
        self._forms = 0

    def apply(self, instructions: Iterable[Instruction], resources: pikepdf.Dictionary) -> list[Instruction]:
        """The content of the page without that of the box. Forms drawn into the box are replaced by copies, which are
        added to `resources`.
        """
        return _Walk(self, resources, IDENTITY, 0).over(instructions)

    def font(self, font: Any) -> Font | None:
        """A font of the resources; None if it is not a font."""
        if not isinstance(font, pikepdf.Dictionary):
            return None
        key = font.objgen
        if key == (0, 0) or key not in self._fonts:
            try:
                self._fonts[key] = Font(font)
            except (ValueError, TypeError, KeyError, IndexError, AttributeError, pikepdf.PdfError):
                # viewers use another font, too
                self._fonts[key] = Font(pikepdf.Dictionary())
        return self._fonts[key]

    def is_met_by(self, box: Box) -> bool:
        """Whether a box overlaps the box to redact."""
        return self._box.meets(box)

    def holds(self, box: Box) -> bool:
        """Whether a box is completely inside the box to redact."""
        return self._box.holds(box)

    def copy_of_form(self, form: pikepdf.Stream, resources: pikepdf.Dictionary, ctm: Matrix, depth: int) -> Any:
        """A copy of a form without the content of the box."""
        if depth >= _DEEPEST_FORM:
            raise UnreadablePdfError("forms are nested too deeply")
        own: Any = form.get(Name.Resources)
        inner = shallow_copy(own if isinstance(own, pikepdf.Dictionary) else resources)
        content = _Walk(self, inner, ctm, depth + 1).over(pikepdf.parse_content_stream(form))
        copy = pikepdf.Stream(self._pdf, pikepdf.unparse_content_stream(content))
        for key, value in form.items():
            if key not in ("/Length", "/Filter", "/DecodeParms", "/Resources"):
                copy[key] = value
        copy[Name.Resources] = inner
        return self._pdf.make_indirect(copy)

    def next_name(self) -> str:
        """An unused name for a form."""
        self._forms += 1
        return f"/NotifyForm{self._forms}"


def shallow_copy(resources: pikepdf.Dictionary) -> pikepdf.Dictionary:
    """A copy of resources whose forms can be replaced without affecting other pages."""
    copy = pikepdf.Dictionary(dict(resources.items()))
    objects: Any = resources.get(Name.XObject)
    if isinstance(objects, pikepdf.Dictionary):
        copy[Name.XObject] = pikepdf.Dictionary(dict(objects.items()))
    return copy


class _Walk:
    """Follows one content stream."""

    def __init__(self, redaction: Redaction, resources: pikepdf.Dictionary, ctm: Matrix, depth: int) -> None:
        self._redaction = redaction
        self._resources = resources
        self._depth = depth
        self._state = _State(ctm)
        self._stack: list[_State] = []
        self._line = self._text = IDENTITY
        self._path: list[Instruction] = []
        self._points: list[tuple[float, float]] = []
        self._clips = False

    def over(self, instructions: Iterable[Instruction]) -> list[Instruction]:
        """The instructions that stay."""
        kept: list[Instruction] = []
        for instruction in instructions:
            if isinstance(instruction, ContentStreamInlineImage):
                if not self._redaction.holds(self._state.ctm.box(_UNIT)):
                    kept.append(instruction)
                continue
            name = str(instruction.operator)
            try:
                kept += self._step(name, list(instruction.operands), instruction)
            except (ValueError, TypeError, IndexError):  # invalid operands: viewers skip the operator
                continue
        return kept + self._path

    def _step(self, name: str, operands: list[Any], instruction: Instruction) -> Iterable[Instruction]:
        if name in ("Tj", "TJ", "'", '"'):
            return self._show(name, operands, instruction)
        if name in ("m", "l", "c", "v", "y", "h", "re", "W", "W*") or name in _PAINTS:
            return self._draw(name, operands, instruction)
        if name == "Do":
            return self._place(operands, instruction)
        if name in ("BDC", "DP"):
            return [_without_text(name, operands, instruction)]
        if name.startswith("T") or name in ("BT", "ET"):
            self._text_state(name, operands)
        else:
            self._graphics_state(name, operands)
        return [instruction]

    def _graphics_state(self, name: str, operands: list[Any]) -> None:
        if name == "q":
            self._stack.append(replace(self._state))
        elif name == "Q" and self._stack:
            self._state = self._stack.pop()
        elif name == "cm":
            self._state.ctm = matrix_of(operands).then(self._state.ctm)
        elif name == "gs":
            states = self._resources.get("/ExtGState")
            state = states.get(str(operands[0])) if isinstance(states, pikepdf.Dictionary) else None
            font = state.get("/Font") if isinstance(state, pikepdf.Dictionary) else None
            if isinstance(font, pikepdf.Array):
                self._state.font, self._state.size = self._redaction.font(font[0]), float(font[1])

    def _text_state(self, name: str, operands: list[Any]) -> None:
        state = self._state
        if name == "Tf":
            fonts: Any = self._resources.get(Name.Font, {})
            state.font, state.size = self._redaction.font(fonts.get(str(operands[0]))), float(operands[1])
        elif name == "Tm":
            self._line = self._text = matrix_of(operands)
        elif name in ("Td", "TD"):
            x, y = float(operands[0]), float(operands[1])
            if name == "TD":
                state.leading = -y
            self._next_line(x, y)
        elif name == "T*":
            self._next_line(0, -state.leading)
        elif name == "BT":
            self._line = self._text = IDENTITY
        elif name in ("Tc", "Tw", "Tz", "TL", "Ts"):
            value = float(operands[0])
            attribute = {"Tc": "letter_gap", "Tw": "word_gap", "Tz": "stretch", "TL": "leading", "Ts": "rise"}[name]
            setattr(state, attribute, value / 100 if name == "Tz" else value)

    def _next_line(self, x: float, y: float) -> None:
        self._line = self._text = Matrix(e=x, f=y).then(self._line)

    # -- text

    def _show(self, name: str, operands: list[Any], instruction: Instruction) -> Iterable[Instruction]:
        before: list[Instruction] = []
        if name in ("'", '"'):
            if name == '"':
                self._state.word_gap, self._state.letter_gap = float(operands[0]), float(operands[1])
                before += [_operation("Tw", operands[0]), _operation("Tc", operands[1])]
            self._next_line(0, -self._state.leading)
            before.append(_operation("T*"))
        items = list(operands[0]) if name == "TJ" else [operands[-1]]
        left, is_changed = self._shown(items)
        if not is_changed:
            return [instruction]
        return [*before, _operation("TJ", pikepdf.Array(left))]

    def _shown(self, items: list[Any]) -> tuple[list[Any], bool]:
        """The items of a `TJ` without the glyphs in the box, and whether there were any. Advances the position."""
        state, left, is_changed = self._state, [], False
        for item in items:
            if not isinstance(item, pikepdf.String | str | bytes):
                self._move(-float(item) / 1000 * state.size)
                left.append(item)
                continue
            text = bytearray()
            raw = item.encode("latin-1") if isinstance(item, str) else bytes(item)
            for glyph in state.font.glyphs(raw) if state.font else ():
                is_met = self._redaction.is_met_by(self._extent(glyph.width))
                step = glyph.width * state.size
                if state.font and state.font.is_vertical:
                    step = -state.size
                step += state.letter_gap + (state.word_gap if glyph.is_space else 0)
                self._move(step)
                if not is_met:
                    text += glyph.code
                    continue
                is_changed = True
                left += [pikepdf.String(bytes(text))] if text else []
                left += [round(-step * 1000 / state.size, 3)] if state.size else []
                text.clear()
            left += [pikepdf.String(bytes(text))] if text else []
        return left, is_changed

    def _move(self, step: float) -> None:
        is_vertical = self._state.font is not None and self._state.font.is_vertical
        shift = Matrix(f=step) if is_vertical else Matrix(e=step * self._state.stretch)
        self._text = shift.then(self._text)

    def _extent(self, width: float) -> Box:
        """The box of a glyph at the current position."""
        state = self._state
        letters = Matrix(state.size * state.stretch, 0, 0, state.size, 0, state.rise)
        if state.font is not None and state.font.is_vertical:
            box = Box(-0.5, -1, 0.5, 0)
        else:
            box = Box(0, _DESCENT, max(width, 0.05), _ASCENT)
        return letters.then(self._text).then(state.ctm).box(box)

    # -- drawings, forms, pictures

    def _draw(self, name: str, operands: list[Any], instruction: Instruction) -> Iterable[Instruction]:
        self._path.append(instruction)
        if name not in _PAINTS:
            numbers = [float(number) for number in operands]
            if name == "re":
                x, y, width, height = numbers
                numbers = [x, y, x + width, y, x, y + height, x + width, y + height]
            self._clips = self._clips or name in ("W", "W*")
            pairs = zip(numbers[::2], numbers[1::2], strict=False)
            self._points += [self._state.ctm.point(x, y) for x, y in pairs]
            return ()
        path, points, clips = self._path, self._points, self._clips
        self._path, self._points, self._clips = [], [], False
        is_inside = bool(points) and not clips and self._redaction.holds(around(points))
        return () if is_inside else path

    def _place(self, operands: list[Any], instruction: Instruction) -> Iterable[Instruction]:
        objects: Any = self._resources.get(Name.XObject, {})
        placed: Any = objects.get(str(operands[0]))
        if not isinstance(placed, pikepdf.Stream):
            return [instruction]
        if placed.get(Name.Subtype) == Name.Image:
            return () if self._redaction.holds(self._state.ctm.box(_UNIT)) else [instruction]
        if placed.get(Name.Subtype) != Name.Form:
            return [instruction]
        ctm = self._state.ctm
        with suppress(ValueError, TypeError):
            ctm = matrix_of(placed.get(Name.Matrix, list(IDENTITY))).then(ctm)
        if not self._redaction.is_met_by(ctm.box(_bounds(placed))):
            return [instruction]
        name = self._redaction.next_name()
        objects[name] = self._redaction.copy_of_form(placed, self._resources, ctm, self._depth)
        return [_operation("Do", Name(name))]


def _bounds(form: pikepdf.Stream) -> Box:
    try:
        x, y, x2, y2 = (float(number) for number in form[Name.BBox])
    except (KeyError, TypeError, ValueError):
        return Box(-1e6, -1e6, 1e6, 1e6)
    return Box(min(x, x2), min(y, y2), max(x, x2), max(y, y2))


def _operation(name: str, *operands: Any) -> ContentStreamInstruction:
    return ContentStreamInstruction(list(operands), Operator(name))


def _without_text(name: str, operands: list[Any], instruction: Instruction) -> Instruction:
    """Marked content without its replacement text for screen readers, which may be the address."""
    marks = operands[-1]
    if not isinstance(marks, pikepdf.Dictionary):
        return instruction
    kept = {key: value for key, value in marks.items() if key not in ("/ActualText", "/Alt", "/E")}
    return _operation(name, operands[0], pikepdf.Dictionary(kept))


def balanced(instructions: Iterable[Instruction]) -> Iterator[Instruction]:
    """The instructions between `q` and `Q`, with missing `Q`s added."""
    depth = 1
    yield _operation("q")
    for instruction in instructions:
        operator = str(instruction.operator)
        depth += (operator == "q") - (operator == "Q")
        yield instruction
    yield from (_operation("Q") for _ in range(depth))
