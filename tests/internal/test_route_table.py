"""Every route of the contract's table (routes.md) is served with its method, or is on the list of those to come."""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask
from werkzeug.exceptions import HTTPException

HERE = Path(__file__).parent
ROW = re.compile(r"^\| `([^`]+)` \| (\w+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
CONVERTER = re.compile(r"<(?:string:)?(\w+)>")


def _table() -> set[str]:
    return {f"{method} {plain(path)}" for path, method, *_ in ROW.findall((HERE / "routes.md").read_text())}


def to_come() -> list[str]:
    return [line for line in (HERE / "routes_to_come.txt").read_text().splitlines() if line and line[0] != "#"]


def _served(app: Flask) -> set[str]:
    declared = {
        f"{method} {plain(rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    return declared | {route for route in _table() if _is_routed(app, *route.split())}


def _is_routed(app: Flask, method: str, path: str) -> bool:
    """Whether a path without parts leads to a view: one rule serves the receipts of every provider."""
    if "<" in path:
        return False
    try:
        app.url_map.bind("localhost").match(path, method)
    except HTTPException:
        return False
    return True


def plain(path: str) -> str:
    """`<string:x>` is `<x>`; the names of parts do not count, their kinds do."""
    return re.sub(r"<(\w+:)?\w+>", lambda found: f"<{found[1] or ''}>", CONVERTER.sub(r"<\1>", path))


def test_every_route_is_served_or_to_come(internal_app: Flask) -> None:
    served = _served(internal_app)
    expected = {plain(route) for route in to_come()}
    missing = sorted(_table() - served - expected)
    assert not missing, f"neither served nor to come: {missing}"
    done = sorted(expected & served)
    assert not done, f"served, so to be taken off routes_to_come.txt: {done}"
    unknown = sorted(expected - _table())
    assert not unknown, f"not in the table: {unknown}"


def test_the_list_of_those_to_come_is_sorted() -> None:
    assert to_come() == sorted(set(to_come()), key=lambda route: route.split()[::-1])
