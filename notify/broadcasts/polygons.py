"""Reduces polygons and their points to what networks accept (contract: broadcasts 8.4). Pure functions.

Outlines are smoothed first: they grow by `SMOOTHING` metres and shrink again by almost as many, so that notches and
holes fill, and polygons that touch or nearly do become one. Polygons that are still too many are joined with their
neighbours: the convex hull of two covers both. Neither leaves out anybody who was in an area. Points that are too many
then go by Visvalingam and Whyatt's rule, the least important first.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from math import cos, radians
from typing import Final

from notify.broadcasts.areas import Polygon

MOST_POLYGONS: Final = 12
MOST_POINTS: Final = 250
DECIMALS: Final = 6
"""Decimals of a coordinate: eleven centimetres."""

SMOOTHING: Final = 100.0
"""Metres: twice that is the widest gap that closes."""
UNITS: Final = 100
"""Whole numbers for a metre while outlines are smoothed."""
MARGIN: Final = 5.0
"""Metres that outlines stay larger, more than what is lost where arcs become corners, so that nobody is left out."""
MOST_SMOOTHED_RINGS: Final = 100
MOST_SMOOTHED_POINTS: Final = 1_000
"""Where lines cross each other again and again, smoothing takes the square of the time."""

METRES_PER_DEGREE: Final = 111_320.0

XY = tuple[float, float]
"""Metres east and north of the centre."""
Ring = list[XY]
"""A polygon's points; the first is not repeated at the end."""


def simplify(polygons: Sequence[Polygon]) -> list[list[list[float]]]:
    """The polygons, rounded to six decimals. More than 12 polygons, or more than 250 points, are reduced to at most
    that many. Points are `[latitude, longitude]`; a simplified polygon ends with its first point.
    """
    if len(polygons) <= MOST_POLYGONS and sum(map(len, polygons)) <= MOST_POINTS:
        return [[_rounded(latitude, longitude) for latitude, longitude in polygon] for polygon in polygons]
    plane = _Plane(polygons)
    rings = _join([plane.ring(polygon) for polygon in polygons], MOST_SMOOTHED_RINGS)
    rings = _join(_smooth(_thin(rings, MOST_SMOOTHED_POINTS)), MOST_POLYGONS)
    return [plane.polygon(ring) for ring in _thin(rings, MOST_POINTS)]


def _rounded(latitude: float, longitude: float) -> list[float]:
    return [round(float(latitude), DECIMALS), round(float(longitude), DECIMALS)]


class _Plane:
    """A flat projection around the centre of all points, accurate enough for one country."""

    def __init__(self, polygons: Sequence[Polygon]) -> None:
        latitudes = [latitude for polygon in polygons for latitude, _ in polygon]
        self._north = METRES_PER_DEGREE
        self._east = METRES_PER_DEGREE * max(cos(radians(sum(latitudes) / len(latitudes))), 0.01)

    def ring(self, polygon: Polygon) -> Ring:
        ring = [(longitude * self._east, latitude * self._north) for latitude, longitude in polygon]
        return ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring

    def polygon(self, ring: Ring) -> list[list[float]]:
        points = [_rounded(y / self._north, x / self._east) for x, y in ring]
        return [*points, points[0]]


# -- smooth outlines


def _smooth(rings: list[Ring]) -> list[Ring]:
    """Outlines without notches that are narrower than twice `SMOOTHING`, none of which overlaps another. Rings without
    any area go; if all are such, they stay as they are.
    """
    import pyclipper  # for the few alerts that need it

    paths = [[(round(x * UNITS), round(y * UNITS)) for x, y in ring] for ring in rings]
    outlines = pyclipper.SimplifyPolygons(
        [path if pyclipper.Orientation(path) else path[::-1] for path in paths], pyclipper.PFT_NONZERO
    )
    # outwards, corners stay corners; inwards, arcs take away no more than they must
    for metres, join in ((SMOOTHING, pyclipper.JT_MITER), (MARGIN - SMOOTHING, pyclipper.JT_ROUND)):
        offset = pyclipper.PyclipperOffset(miter_limit=2.0, arc_tolerance=MARGIN / 2 * UNITS)
        # what turns the other way round is a hole
        solid = [path for path in outlines if pyclipper.Orientation(path)]
        if not solid:
            return rings
        offset.AddPaths(solid, join, pyclipper.ET_CLOSEDPOLYGON)
        outlines = offset.Execute(metres * UNITS)
    return [[(x / UNITS, y / UNITS) for x, y in path] for path in outlines if pyclipper.Orientation(path)] or rings


# -- fewer polygons


def _join(rings: list[Ring], most: int) -> list[Ring]:
    """Join neighbours until at most `most` rings are left, first those whose hull adds the least area. Neighbours are
    found along a space-filling curve (Morton order), so that there are few pairs to compare.
    """
    if len(rings) <= most:
        return rings
    ordered = [rings[index] for index in _along_curve(rings)]
    kept: list[Ring | None] = list(ordered)
    after = list(range(1, len(ordered) + 1))
    before = list(range(-1, len(ordered) - 1))
    ages = [0] * len(ordered)
    heap: list[tuple[float, int, int, int, int]] = []

    def offer(left: int, right: int) -> None:
        if left >= 0 and right < len(kept):
            one, other = kept[left] or [], kept[right] or []
            added = _area(_hull(one + other)) - _area(one) - _area(other)
            heapq.heappush(heap, (added, left, right, ages[left], ages[right]))

    for index in range(len(ordered) - 1):
        offer(index, index + 1)
    count = len(ordered)
    while count > most:
        _, left, right, left_age, right_age = heapq.heappop(heap)
        if kept[left] is None or kept[right] is None or (ages[left], ages[right]) != (left_age, right_age):
            continue  # one of them has been joined since
        kept[left] = _hull((kept[left] or []) + (kept[right] or []))
        kept[right] = None
        ages[left] += 1
        after[left] = after[right]
        if after[left] < len(kept):
            before[after[left]] = left
        offer(before[left], left)
        offer(left, after[left])
        count -= 1
    return [ring for ring in kept if ring is not None]


def _along_curve(rings: Sequence[Ring]) -> list[int]:
    middles = [(sum(x for x, _ in ring) / len(ring), sum(y for _, y in ring) / len(ring)) for ring in rings]
    west, south = min(x for x, _ in middles), min(y for _, y in middles)
    width = max(max(x for x, _ in middles) - west, max(y for _, y in middles) - south, 1.0)
    codes = [_interleaved(int((x - west) / width * 65_535), int((y - south) / width * 65_535)) for x, y in middles]
    return sorted(range(len(rings)), key=codes.__getitem__)


def _interleaved(x: int, y: int) -> int:
    return sum(((x >> bit & 1) << 2 * bit) | ((y >> bit & 1) << 2 * bit + 1) for bit in range(16))


def _cross(a: XY, b: XY, c: XY) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _hull(points: Ring) -> Ring:
    """The convex hull (Andrew's monotone chain), counter-clockwise."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered

    def chain(around: Sequence[XY]) -> Ring:
        side: Ring = []
        for point in around:
            while len(side) > 1 and _cross(side[-2], side[-1], point) <= 0:
                side.pop()
            side.append(point)
        return side[:-1]

    return chain(ordered) + chain(ordered[::-1])


def _area(ring: Ring) -> float:
    return abs(sum(x * ring[i - 1][1] - ring[i - 1][0] * y for i, (x, y) in enumerate(ring))) / 2


# -- fewer points


def _thin(rings: list[Ring], most: int) -> list[Ring]:
    """Remove points until at most `most` are left, counting those that close the rings."""
    wanted = _quotas(rings, most - len(rings))
    thinned = []
    for ring, number in zip(rings, wanted, strict=True):
        reduced = _reduced(ring, number)
        thinned.append(_reduced(_hull(ring), number) if _crosses_itself(reduced) else reduced)
    return thinned


def _quotas(rings: list[Ring], most: int) -> list[int]:
    """How many points each ring may keep: three, and a share of the rest in proportion to its points."""
    spare = [max(len(ring) - 3, 0) for ring in rings]
    free = max(most - 3 * len(rings), 0)
    share = min(1.0, free / sum(spare)) if sum(spare) else 0.0
    return [3 + int(points * share) for points in spare]


def _reduced(ring: Ring, most: int) -> Ring:
    """Visvalingam-Whyatt: remove the point whose triangle with its neighbours is smallest, until at most `most` points
    are left.
    """
    count = len(ring)
    after = [*range(1, count), 0]
    before = [count - 1, *range(count - 1)]
    is_left = [True] * count
    sizes = [abs(_cross(ring[before[i]], ring[i], ring[after[i]])) for i in range(count)]
    heap = [(size, index) for index, size in enumerate(sizes)]
    heapq.heapify(heap)
    while count > most:
        size, index = heapq.heappop(heap)
        if not is_left[index] or size != sizes[index]:
            continue  # it was removed, or its neighbours changed
        is_left[index] = False
        count -= 1
        one, other = before[index], after[index]
        after[one], before[other] = other, one
        for near in (one, other):
            triangle = abs(_cross(ring[before[near]], ring[near], ring[after[near]]))
            sizes[near] = max(triangle, size)  # so that points are removed in order of importance
            heapq.heappush(heap, (sizes[near], near))
    return [point for point, stays in zip(ring, is_left, strict=True) if stays]


def _crosses_itself(ring: Ring) -> bool:
    sides = list(zip(ring, ring[1:] + ring[:1], strict=True))
    for index, (a, b) in enumerate(sides):
        for c, d in sides[index + 2 :]:
            if d != a and _cross(a, b, c) * _cross(a, b, d) < 0 and _cross(c, d, a) * _cross(c, d, b) < 0:
                return True
    return False
