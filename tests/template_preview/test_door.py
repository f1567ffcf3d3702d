"""Authentication and errors of the template preview service."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from notify.app import EXTENSION, create_app
from notify.settings import load
from tests.production import PRODUCTION
from tests.template_preview.conftest import Preview

SANITISE = "/precompiled/sanitise"


def test_status_is_open(preview: Preview) -> None:
    answer = preview.call("GET", "/_status", authorization=None)
    assert answer.status_code == 200
    assert set(answer.json or {}) == {
        "status",
        "commit",
        "build_time",
        "ghostscript_version",
        "imagemagick_version",
    }
    simple = preview.call("GET", "/_status?simple=1", authorization=None)
    assert (simple.text, simple.content_type) == ("ok", "text/html; charset=utf-8")


@pytest.mark.parametrize("authorization", [None, "Token wrong", "Bearer my-secret-key", "my-secret-key", "Token "])
def test_a_caller_without_a_secret_is_refused(preview: Preview, authorization: str | None) -> None:
    answer = preview.post(SANITISE, authorization=authorization)
    assert (answer.status_code, answer.text) == (401, "Unauthorized Access")
    assert answer.content_type == "text/html; charset=utf-8"
    assert answer.headers["WWW-Authenticate"] == 'Token realm="Authentication Required"'


@pytest.mark.parametrize("authorization", ["token my-secret-key", "TOKEN my-secret-key2"])
def test_every_secret_is_accepted_in_any_case_of_the_scheme(preview: Preview, authorization: str) -> None:
    answer = preview.post(SANITISE, authorization=authorization)
    assert answer.json == {"result": "error", "message": "no-encoded-string"}


def test_an_unknown_address_is_a_404_with_a_text(preview: Preview) -> None:
    answer = preview.call("GET", "/nothing", authorization=None)
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["message"].startswith("The requested URL was not found")


def test_a_wrong_method_is_a_bare_405(preview: Preview) -> None:
    answer = preview.call("GET", SANITISE)
    assert (answer.status_code, answer.json) == (405, {"result": "error"})
    assert "POST" in answer.headers["Allow"]


def test_elsewhere_it_is_served_only_where_the_settings_say_so() -> None:
    def app_of(**changes: Any) -> Flask:
        return create_app(load(**PRODUCTION, **changes))

    closed = app_of()
    assert closed.test_client().get("/template-preview/_status").status_code == 404
    opened = app_of(apis="public,template_preview")
    client = opened.test_client()
    assert client.get("/template-preview/_status").status_code == 200
    refused = client.post(f"/template-preview{SANITISE}", headers={"Authorization": "Token my-secret-key"})
    assert refused.status_code == 401
    for app in (closed, opened):
        app.extensions[EXTENSION].close()
