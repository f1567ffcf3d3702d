"""Printable areas and the positions of elements on a page (contract: letters 4.1 to 4.5).

Millimetres from the top left corner of a page of 210 x 297; PDF itself counts points from the bottom left.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

POINT: Final = 25.4 / 72
"""Millimetres in a point."""
WIDTH: Final = 210.0
HEIGHT: Final = 297.0
SIZE_TOLERANCE: Final = 2.0
AREA_TOLERANCE: Final = 1.0


class Box(NamedTuple):
    """A rectangle. In millimetres `y` counts from the top, in points (`in_points`) from the bottom."""

    x: float
    y: float
    x2: float
    y2: float

    def grown(self, by: float) -> Box:
        """The box, larger on every side."""
        return Box(self.x - by, self.y - by, self.x2 + by, self.y2 + by)

    def meets(self, other: Box) -> bool:
        """Whether the two have an area in common."""
        return self.x < other.x2 and other.x < self.x2 and self.y < other.y2 and other.y < self.y2

    def holds(self, other: Box) -> bool:
        """Whether the other is completely inside."""
        return self.x <= other.x and self.y <= other.y and other.x2 <= self.x2 and other.y2 <= self.y2

    @property
    def in_points(self) -> Box:
        """The same box in the coordinates of a PDF whose origin is the bottom left corner of an A4 page."""
        return Box(self.x / POINT, (HEIGHT - self.y2) / POINT, self.x2 / POINT, (HEIGHT - self.y) / POINT)


WINDOW: Final = Box(24.6, 39.5, 120, 66.3)
"""The envelope's window, which shows the recipient's address."""
FIRST_PAGE: Final = (Box(15, 5, 125, 30), WINDOW, Box(125, 5, 195, 95), Box(15, 95, 195, 292))
OTHER_PAGE: Final = (Box(15, 5, 195, 292),)
SEARCHED: Final = WINDOW.grown(3)
"""Words that touch this box are the address, and are removed."""
TAG_BOX: Final = Box(0, 0, 15.191, 6.149)
TAG: Final = "NOTIFY"
TAG_X: Final = 1.8
TAG_SIZE: Final = 6.0
TAG_BASELINE: Final = 1.8 + TAG_SIZE * POINT
ADDRESS_SIZE: Final = 8.0
ADDRESS_PITCH: Final = 8.5
ADDRESS_BASELINE: Final = 66.3 - 2 * POINT
"""Baseline of the last line."""

OVERLAY_FIRST: Final = (
    Box(0, 0, 15, 297),
    Box(15, 0, 195, 5),
    Box(195, 0, 210, 297),
    Box(15, 292, 195, 297),
    Box(15, 30, 24.6, 95),
    Box(24.6, 30, 120, 39.5),
    Box(120, 30, 125, 95),
    Box(24.6, 66.3, 120, 95),
)
OVERLAY_OTHER: Final = OVERLAY_FIRST[:4]
"""The no-print zones as shown to people, without tolerance."""


def uncovered(page: tuple[int, int], areas: Iterable[tuple[int, int, int, int]]) -> Iterator[tuple[int, int, int, int]]:
    """The parts of a page (width, height) that no area covers, as rectangles; all in pixels."""
    width, height = page
    clipped = [(max(x, 0), max(y, 0), min(x2, width), min(y2, height)) for x, y, x2, y2 in areas]
    clipped = [area for area in clipped if area[0] < area[2] and area[1] < area[3]]
    edges = sorted({0, height, *(y for area in clipped for y in (area[1], area[3]))})
    for top, bottom in itertools.pairwise(edges):
        covered = sorted((x, x2) for x, y, x2, y2 in clipped if y <= top and bottom <= y2)
        yield from ((left, top, right, bottom) for left, right in _gaps(covered, width))


def _gaps(covered: Sequence[tuple[int, int]], width: int) -> Iterator[tuple[int, int]]:
    at = 0
    for start, end in covered:
        if start > at:
            yield at, start
        at = max(at, end)
    if at < width:
        yield at, width
