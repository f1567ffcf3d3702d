"""`LEGACY_2020`: routes that only the original of 2020 had are served only if it is on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from notify.app import EXTENSION, create_app
from notify.infra.parts import Parts
from tests.internal.admin import AdminClient
from tests.internal.test_route_table import HERE, ROW, plain

TABLE = {
    f"{method} {plain(path)}": version == "2020 only"
    for path, method, _auth, version in ROW.findall((HERE / "routes.md").read_text())
}
LEGACY = sorted(route for route, is_legacy in TABLE.items() if is_legacy)


@pytest.fixture(scope="module")
def without_legacy(internal_parts: Parts) -> Iterator[Flask]:
    """The application with the setting off."""
    app = create_app(internal_parts.settings.changed(legacy_2020=False))
    yield app
    app.extensions[EXTENSION].close()


def _rules(app: Flask) -> set[str]:
    return {f"{method} {plain(rule.rule)}" for rule in app.url_map.iter_rules() for method in rule.methods or ()}


@pytest.mark.parametrize("route", LEGACY)
def test_a_route_of_2020_depends_on_the_setting(route: str, internal_app: Flask, without_legacy: Flask) -> None:
    assert route in _rules(internal_app)
    assert route not in _rules(without_legacy)


def test_every_other_route_stays(internal_app: Flask, without_legacy: Flask) -> None:
    gone = _rules(internal_app) - _rules(without_legacy)
    assert not [route for route in gone if route in TABLE and not TABLE[route]]
    assert not _rules(without_legacy) - _rules(internal_app)


def test_the_description_says_which_are_legacy(
    admin: AdminClient, without_legacy: Flask, internal_parts: Parts
) -> None:
    described = admin.get("/openapi-internal.json")["paths"]
    assert described["/organisations/unique"]["get"]["deprecated"] is True
    assert "deprecated" not in described["/organisations/search"]["get"]
    others = AdminClient(without_legacy, internal_parts).get("/openapi-internal.json")["paths"]
    assert "/organisations/unique" not in others
    assert "/organisations/search" in others
    assert list(others["/user/email"]) == ["post"]


def test_a_route_of_2020_that_is_off_is_unknown(without_legacy: Flask, internal_parts: Parts) -> None:
    answer = AdminClient(without_legacy, internal_parts).call("GET", "/organisations/unique")
    assert answer.status_code in (404, 405)
