from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import pytest

from notify.app import EXTENSION, create_app
from notify.infra.parts import Parts
from notify.services.models import Service
from tests.api import with_settings
from tests.internal.admin import AdminClient, Factory

GENERAL = (
    "Invalid token: make sure your API token matches the example at "
    "https://docs.notifications.service.gov.uk/rest-api.html#authorisation-header"
)
CLOCK = "Error: Your system clock must be accurate to within 30 seconds"
MISSING = "Unauthorized: authentication token must be provided"
SCHEME = "Unauthorized: authentication bearer scheme must be used"
OTHERS = "Unauthorized: not allowed to perform this action"
UNKNOWN = "Invalid token: API key not found"
ALGORITHM = "Invalid token: algorithm used is not HS256"
PATH = f"/service/{uuid4()}/data-retention"


def refused(client: AdminClient, header: str | None, *, method: str = "GET", **more: Any) -> tuple[int, str]:
    headers = {} if header is None else {"Authorization": header}
    answer = client.call(method, PATH, headers=headers, **more)
    assert "WWW-Authenticate" not in answer.headers
    body = answer.get_json()
    assert body["result"] == "error"
    (text,) = body["message"]["token"]
    return answer.status_code, text


@pytest.mark.parametrize(
    ("header", "status", "text"),
    [
        (None, 401, MISSING),
        ("", 401, MISSING),
        ("Basic bm90aWZ5", 401, SCHEME),
        ("notify-admin", 401, SCHEME),
        ("Bearer", 401, SCHEME),
        ("Bearer nonsense", 403, GENERAL),
        ("Bearer a.b.c", 403, GENERAL),
        ("ApiKey-v1 x", 401, SCHEME),
    ],
)
def test_headers_that_prove_nothing(admin: AdminClient, header: str | None, status: int, text: str) -> None:
    assert refused(admin, header) == (status, text)


@pytest.mark.parametrize(
    ("claims", "status", "text"),
    [
        ({"iat": int(time.time()) - 3600}, 403, CLOCK),
        ({"iat": int(time.time()) + 3600}, 403, CLOCK),
        ({"iat": None}, 403, UNKNOWN),
        ({"iss": None}, 403, "Invalid token: iss field not provided"),
        ({"iss": "somebody"}, 401, OTHERS),
        ({"iss": str(uuid4())}, 401, OTHERS),
        ({"secret": "not the secret of the admin app at all"}, 403, UNKNOWN),
        ({"algorithm": "HS512"}, 403, ALGORITHM),
        ({"exp": 1}, 403, GENERAL),
        ({"nbf": int(time.time()) + 3600}, 403, CLOCK),
        ({"aud": "you"}, 403, GENERAL),
    ],
)
def test_tokens_that_are_refused(admin: AdminClient, claims: dict[str, Any], status: int, text: str) -> None:
    assert refused(admin, f"Bearer {admin.token(**claims)}") == (status, text)


@pytest.mark.parametrize(("age", "claims"), [(0, {}), (20, {}), (-20, {}), (0, {"name": "x", "exp": 4_000_000_000})])
def test_tokens_that_are_accepted(admin: AdminClient, age: int, claims: dict[str, Any]) -> None:
    claims = {**claims, "iat": int(time.time()) - age}
    answer = admin.call("GET", PATH, headers={"Authorization": f"bearer {admin.token(**claims)}"})
    assert answer.status_code == 200


def test_a_key_of_a_service_opens_nothing(admin: AdminClient, factory: Factory, service: Service) -> None:
    full = factory.api_key(service)
    assert refused(admin, f"ApiKey-v1 {full}") == (401, SCHEME)
    token = admin.token(iss=full[-73:-37], secret=full[-36:])
    assert refused(admin, f"Bearer {token}") == (401, OTHERS)


def test_the_token_is_looked_at_before_the_body(admin: AdminClient) -> None:
    assert refused(admin, None, method="POST", raw="no JSON") == (401, MISSING)
    assert refused(admin, None, method="OPTIONS") == (401, MISSING)


def test_an_unknown_address_or_method_needs_no_token(admin: AdminClient) -> None:
    assert admin.call("GET", "/service/x/data-retention", headers={}).status_code == 404
    answer = admin.call("DELETE", PATH, headers={})
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert answer.get_json() == {"result": "error", "message": "The method is not allowed for the requested URL."}


def test_secrets_can_be_rotated_and_the_client_renamed(internal_parts: Parts) -> None:
    secrets = {"the-admin": ["old secret of the admin app", "new secret of the admin app"]}
    parts = with_settings(internal_parts, admin_client_id="the-admin", internal_client_api_keys=secrets)
    app = create_app(parts.settings)
    client = AdminClient(app, internal_parts)
    for secret in secrets["the-admin"]:
        token = client.token(iss="the-admin", secret=secret)
        assert client.call("GET", PATH, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert refused(client, f"Bearer {client.token()}") == (401, OTHERS)
    app.extensions[EXTENSION].close()


def test_a_client_without_secrets_is_refused(internal_parts: Parts) -> None:
    parts = with_settings(internal_parts, internal_client_api_keys={"another": ["x"]})
    app = create_app(parts.settings)
    client = AdminClient(app, internal_parts)
    assert client.get(PATH, status=500) == {"result": "error", "message": "Internal server error"}
    app.extensions[EXTENSION].close()


@pytest.mark.parametrize(
    ("changes", "apis", "public", "internal"),
    [
        ({}, None, 401, 401),
        ({"apis": ["internal"]}, None, 404, 401),
        ({"apis": ["public"]}, None, 401, 404),
        ({"internal_port": 6099}, None, 401, 404),
        ({"internal_port": 6099}, ["internal"], 404, 401),
    ],
)
def test_which_apis_are_served(
    internal_parts: Parts, changes: dict[str, Any], apis: list[str] | None, public: int, internal: int
) -> None:
    app = create_app(with_settings(internal_parts, **changes).settings, apis=apis)
    client = AdminClient(app, internal_parts)
    assert client.call("GET", "/v2/notifications", headers={}).status_code == public
    assert client.call("GET", PATH, headers={}).status_code == internal
    for path in ("/", "/_status?simple=1", "/_status/ready", "/metrics"):
        assert client.call("GET", path, headers={}).status_code == 200
    app.extensions[EXTENSION].close()
