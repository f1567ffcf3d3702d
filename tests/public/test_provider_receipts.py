"""`POST /notifications/<type>/<provider>`: authentication and parsing of receipts."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient

from notify.infra.container import Container
from notify.public import provider_receipts, received_texts
from tests.api import Api

MMG = ("mmg user", "pässword")


Clients = Callable[..., FlaskClient]


@pytest.fixture
def clients(api: Api) -> Clients:
    """Makes clients of the endpoints of providers, under other settings."""

    def make(**changes: Any) -> FlaskClient:
        parts = api.parts
        settings = parts.settings.model_copy(update={"sandbox_url": "", **changes})
        container = Container(type(parts)(**{**vars(parts), "settings": settings}))
        app = Flask("receipts")
        app.register_blueprint(provider_receipts.blueprint(container))
        app.register_blueprint(received_texts.blueprint(container))
        return app.test_client()

    return make


PRODUCTION: dict[str, Any] = {"notify_environment": "production", "mmg_api_key": "key"}
CREDENTIALS: dict[str, Any] = {"mmg_delivery_status_callback_basic_auth_credentials": MMG}


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def sending(api: Api) -> UUID:
    """A text that MMG has."""
    id_ = api.sent("sms")
    api.execute(
        "UPDATE notifications SET notification_status = 'sending', sent_by = 'mmg', sent_at = now() WHERE id = %s", id_
    )
    return id_


def receipt(id_: UUID | None = None) -> dict[str, str]:
    return {"CID": str(id_ or uuid4()), "status": "3"}


def test_receipts_need_the_credentials_of_the_provider(api: Api, clients: Clients) -> None:
    client, id_ = clients(**PRODUCTION, **CREDENTIALS), sending(api)
    answer = client.post("/notifications/sms/mmg", json=receipt(id_))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert answer.get_json() == {
        "result": "error",
        "message": "Unauthorized: authentication token must be provided",
    }
    wrong = [(MMG[0], "password"), ("", MMG[1]), ("", ""), ("other", MMG[1]), (MMG[0], MMG[1] + "x")]
    headers = [*(basic(*pair) for pair in wrong), {"Authorization": "Bearer x"}, {"Authorization": "Basic ###"}]
    for given in headers:
        answer = client.post("/notifications/sms/mmg", json=receipt(id_), headers=given)
        assert answer.status_code == 403
        assert answer.get_json()["message"] == "Forbidden: invalid authentication token provided"
    assert api.get(str(id_))["status"] == "sending"
    answer = client.post("/notifications/sms/mmg", json=receipt(id_), headers=basic(*MMG))
    assert (answer.status_code, answer.get_json()) == (200, {"result": "success"})
    assert api.get(str(id_))["status"] == "delivered"


def test_without_credentials_nothing_is_taken_outside_development(clients: Clients) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = clients(**PRODUCTION).post("/notifications/sms/mmg", json=receipt())
    assert answer.status_code == 403
    [entry] = [entry for entry in logs if entry["log_level"] == "error"]
    assert "RECEIPTS_CHECKED_IN_FRONT" in entry["event"]


def test_a_layer_in_front_may_check_them(clients: Clients) -> None:
    for credentials in ({}, CREDENTIALS):
        client = clients(**PRODUCTION, **credentials, receipts_checked_in_front=True)
        assert client.post("/notifications/sms/mmg", json=receipt()).status_code == 200
        assert client.post("/notifications/sms/firetext", data={}).status_code == 404


def test_a_provider_that_is_not_used_sends_no_receipts(clients: Clients) -> None:
    client = clients(**PRODUCTION, receipts_checked_in_front=True)
    form = {"status": "0", "reference": str(uuid4())}
    assert client.post("/notifications/sms/firetext", data=form).status_code == 404
    for path in ("sms/sandbox", "email/sandbox", "sms/unheard-of", "email/mmg", "email/smtp", "email/ses", "letter/x"):
        assert client.post(f"/notifications/{path}", json={}).status_code == 404
    # one that is switched off hands in its last ones
    off = clients(notify_environment="production", mmg_api_key="", **CREDENTIALS)
    assert off.post("/notifications/sms/mmg", json=receipt(), headers=basic(*MMG)).status_code == 200


def test_in_development_receipts_are_taken_without_credentials_unless_there_are_some(clients: Clients) -> None:
    assert clients().post("/notifications/sms/mmg", json=receipt()).status_code == 200
    assert clients().post("/notifications/sms/firetext", data={"status": "0", "reference": "x"}).status_code == 200
    assert clients(**CREDENTIALS).post("/notifications/sms/mmg", json=receipt()).status_code == 401


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_receipts_may_be_in_any_encoding_of_json(api: Api, clients: Clients, encoding: str) -> None:
    id_ = sending(api)
    body = json.dumps(receipt(id_)).encode(encoding)
    assert clients().post("/notifications/sms/mmg", data=body).status_code == 200
    assert api.get(str(id_))["status"] == "delivered"


def test_long_bodies_are_not_read(clients: Clients) -> None:
    assert clients().post("/notifications/sms/mmg", data=b" " * 70_000).status_code == 413


def test_only_some_providers_hand_in_texts(clients: Clients) -> None:
    client = clients()
    for name in ("mmg", "firetext"):
        assert client.post(f"/notifications/sms/receive/{name}").status_code == 401
        assert client.post(f"/notifications/sms/receive/{name}", headers={"Authorization": ""}).status_code == 401
    for name in ("sandbox", "ses", "smtp", "unheard-of"):
        assert client.post(f"/notifications/sms/receive/{name}").status_code == 404
