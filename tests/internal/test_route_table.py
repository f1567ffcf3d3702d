"""Every route of the contract's table (routes.md) is served with its method."""

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


def test_every_route_is_served(internal_app: Flask) -> None:
    assert sorted(_table() - _served(internal_app)) == []
