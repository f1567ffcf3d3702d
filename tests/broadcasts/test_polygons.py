"""Polygons are merged and simplified if there are too many."""

from __future__ import annotations

from itertools import pairwise
from math import cos, pi, sin
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from notify.broadcasts.polygons import MOST_POINTS, MOST_POLYGONS, simplify

PLACES = st.tuples(st.floats(49.9, 60.8), st.floats(-8.1, 1.7))


def star(place: tuple[float, float], radii: list[float]) -> list[list[float]]:
    """A polygon around a place, which never crosses itself."""
    latitude, longitude = place
    steps = [2 * pi * i / len(radii) for i in range(len(radii))]
    points = [[latitude + r * sin(a), longitude + r * cos(a)] for a, r in zip(steps, radii, strict=True)]
    return [*points, points[0]]


STARS = st.builds(star, PLACES, st.lists(st.floats(0.001, 0.2), min_size=3, max_size=60))


def covers(polygon: list[list[float]], point: list[float], slack: float) -> bool:
    """Whether a point is in a polygon, or nearer to it than `slack` degrees."""
    inside = False
    for (y1, x1), (y2, x2) in pairwise(polygon):
        if (y1 > point[0]) != (y2 > point[0]) and point[1] < (x2 - x1) * (point[0] - y1) / (y2 - y1) + x1:
            inside = not inside
        square = (x2 - x1) ** 2 + (y2 - y1) ** 2
        share = ((point[1] - x1) * (x2 - x1) + (point[0] - y1) * (y2 - y1)) / square if square else 0.0
        share = max(0.0, min(1.0, share))
        near = ((x1 + share * (x2 - x1) - point[1]) ** 2 + (y1 + share * (y2 - y1) - point[0]) ** 2) ** 0.5
        if near <= slack:
            return True
    return inside


@given(st.lists(STARS, min_size=1, max_size=40))
@settings(max_examples=60)
def test_networks_take_what_comes_out(polygons: list[Any]) -> None:
    simple = simplify(polygons)
    assert 1 <= len(simple) <= MOST_POLYGONS
    assert sum(map(len, simple)) <= MOST_POINTS or len(polygons) <= MOST_POLYGONS
    assert sum(map(len, simple)) <= MOST_POINTS
    for polygon in simple:
        assert polygon[0] == polygon[-1]
        assert len(polygon) >= 4
    assert simple == simplify(polygons)


@given(
    st.lists(st.builds(star, PLACES, st.lists(st.floats(0.001, 0.2), min_size=3, max_size=6)), min_size=13, max_size=30)
)
@settings(max_examples=60)
def test_joined_polygons_cover_every_point_of_theirs(polygons: list[Any]) -> None:
    # the hulls of so few points are not thinned
    simple = simplify(polygons)
    for polygon in polygons:
        for point in polygon:
            assert any(covers(each, point, 1e-5) for each in simple)


def test_few_polygons_stay_as_they_are_but_rounded() -> None:
    few: list[Any] = [[[51.12345678, -0.1], [51.2, 0.3000000004], [51, 0], [51.12345678, -0.1]]] * 12
    assert simplify(few) == [[[51.123457, -0.1], [51.2, 0.3], [51.0, 0.0], [51.123457, -0.1]]] * 12


def test_a_coast_keeps_its_shape() -> None:
    coast = star((52.0, -1.0), [0.1 + 0.0001 * (i % 2) for i in range(2000)])
    (simple,) = simplify([coast])
    assert len(simple) <= MOST_POINTS
    assert all(covers(simple, point, 0.001) for point in coast)
    assert not covers(simple, [52.12, -1.0], 0.001)


def square(south: float, west: float, size: float) -> list[list[float]]:
    north, east = south + size, west + size
    return [[south, west], [north, west], [north, east], [south, east], [south, west]]


def test_areas_that_touch_become_one_outline() -> None:
    wards = [square(52 + 0.01 * row, -1 + 0.01 * column, 0.01) for row in range(4) for column in range(4)]
    (simple,) = simplify(wards)
    assert len(simple) <= MOST_POINTS
    assert all(covers(simple, point, 0) for ward in wards for point in ward)
    for point in ([51.9998, -0.98], [52.0402, -0.98], [52.02, -1.0004], [52.02, -0.9596]):
        assert not covers(simple, point, 0), "an outline may grow by a few metres only"


def test_areas_of_another_direction_or_within_each_other_leave_no_hole() -> None:
    outer, inner = square(52.0, -1.0, 0.1), square(52.02, -0.98, 0.02)[::-1]
    apart = [square(53 + 0.1 * i, -1, 0.01) for i in range(11)]
    simple = simplify([outer, inner, *apart])
    assert len(simple) == 12
    assert any(covers(each, [52.03, -0.97], 0) for each in simple)


def test_narrow_notches_are_filled() -> None:
    teeth = [[52 + (0.0005 if i % 2 else 0.0), -1 + 0.0001 * i] for i in range(400)]
    comb = [*teeth, [51.9, -0.96], [51.9, -1.0], teeth[0]]
    (simple,) = simplify([comb])
    assert all(covers(simple, [52.0004, -1 + 0.0002 * i], 0) for i in range(1, 199)), "between the teeth"
    assert all(covers(simple, point, 1e-5) for point in comb)
    assert not covers(simple, [52.0007, -0.98], 0)


def test_the_worst_is_done_soon() -> None:
    spiral: Any = [[50 + i * 1e-5 * sin(i), i * 1e-5 * cos(i)] for i in range(20_000)]
    many: Any = [
        [[50 + i * 1e-4, 0], [50 + i * 1e-4, 1e-5], [50 + i * 1e-4, 2e-5], [50 + i * 1e-4, 0]] for i in range(5_000)
    ]
    crossing: Any = [[[50 + 0.1 * sin(i * 2.9), 0.1 * cos(i * 2.9)] for i in range(100)] for _ in range(200)]
    for polygons in ([spiral], many, crossing):
        simple = simplify(polygons)
        assert len(simple) <= MOST_POLYGONS
        assert sum(map(len, simple)) <= MOST_POINTS
