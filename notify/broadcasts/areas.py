"""The two forms of a message's areas (contract: broadcasts 2, 8.1).

The admin app of 2020 sends a list of ids and, separately, polygons: they are stored as `{"areas", "simple_polygons"}`.
Later ones send one object with `ids`, `names`, `aggregate_names` and `simple_polygons`, which is stored unchanged. The
form decides which version's rules apply when a message is changed, approved and shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

Point = Sequence[float]
"""Latitude, longitude."""
Polygon = Sequence[Point]

LIST: Final = "areas"


def list_form(areas: Sequence[str], simple_polygons: Sequence[Any]) -> dict[str, Any]:
    """The form of 2020."""
    return {LIST: list(areas), "simple_polygons": list(simple_polygons)}


def is_list_form(areas: Mapping[str, Any]) -> bool:
    """Whether areas have the form of 2020."""
    return LIST in areas


def polygons_of(areas: Mapping[str, Any]) -> list[list[list[float]]]:
    """The polygons in either form, without malformed ones: those of the admin app are not checked on arrival."""
    polygons = areas.get("simple_polygons")
    return [polygon for polygon in polygons if _is_polygon(polygon)] if isinstance(polygons, list) else []


def _is_polygon(value: object) -> bool:
    return isinstance(value, list) and len(value) >= 3 and all(_is_point(point) for point in value)


def _is_point(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_is_number(number) for number in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def names_of(areas: Mapping[str, Any]) -> list[str]:
    """Names of the areas to show to people: `names` if there are any, else ids."""
    for key in ("aggregate_names", "names", "ids", LIST):
        names = areas.get(key)
        if isinstance(names, list) and names:
            return [str(name) for name in names]
    return []
