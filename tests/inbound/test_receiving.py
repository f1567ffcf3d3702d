"""Received texts, from the provider's request to the API and the callback."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from notify.app import create_app
from notify.content.sms_senders import resolve_sender
from notify.inbound.actions import TextReceiver, local_number
from notify.inbound.queries import page
from notify.infra.times import utc_now
from notify.providers.incoming import IncomingText
from notify.webhooks.actions import create_callback
from notify.webhooks.models import PAYLOAD
from notify.webhooks.outbox import Outbox
from tests.api import Api, queued, with_settings

NUMBER = "07700900789"


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


MMG_LOGIN, FIRETEXT_LOGIN = basic("user", "pass"), basic("notify", "fire")


@pytest.fixture(scope="module")
def app(api: Api) -> Iterator[Flask]:
    """An application that knows the providers' credentials; the demo service has a number."""
    parts = with_settings(
        api.parts,
        mmg_inbound_sms_username=["user"],
        mmg_inbound_sms_auth=["pass"],
        firetext_inbound_sms_auth=["fire"],
    )
    app = create_app(parts.settings)
    yield app
    app.extensions["notify"].close()


@pytest.fixture(autouse=True)
def empty(api: Api) -> None:
    for table in ("inbound_sms", "pending_callbacks", "service_callback_api"):
        api.execute(f"DELETE FROM {table}")  # noqa: S608


def from_mmg(app: Flask, headers: dict[str, str] | None = None, **changes: Any) -> TestResponse:
    body = {"MSISDN": "447900900123", "Number": "447700900789", "Message": "hello+there", "ID": "1234", **changes}
    sent = MMG_LOGIN if headers is None else headers
    return app.test_client().post("/notifications/sms/receive/mmg", json=body, headers=sent)


def from_firetext(app: Flask, headers: dict[str, str] | None = None, **changes: Any) -> TestResponse:
    form = {
        "source": "07900900123",
        "destination": NUMBER,
        "message": "hello",
        "time": "2017-01-01 16:00:00",
        **changes,
    }
    sent = FIRETEXT_LOGIN if headers is None else headers
    return app.test_client().post(
        "/notifications/sms/receive/firetext", data={key: value for key, value in form.items() if value}, headers=sent
    )


def received(api: Api) -> list[dict[str, Any]]:
    texts: list[dict[str, Any]] = api.call("GET", "/v2/received-text-messages").get_json()["received_text_messages"]
    return texts


def test_a_text_of_mmg_is_read_back(app: Flask, api: Api) -> None:
    answer = from_mmg(app, Message="caf%C3%A9%5Cn%5Cx79", DateRecieved="2017-01-02+03%3A04%3A05")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})
    (text,) = received(api)
    assert (text["notify_number"], text["user_number"]) == (NUMBER, "447900900123")
    assert text["content"] == "café\ny"
    ((content, date, reference, provider),) = api.execute(
        "SELECT content, provider_date, provider_reference, provider FROM inbound_sms"
    )
    assert "café".encode() not in content
    assert (date.isoformat(), reference, provider) == ("2017-01-02T03:04:05+00:00", "1234", "mmg")


def test_a_text_of_firetext_is_read_back(app: Flask, api: Api) -> None:
    answer = from_firetext(app)
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})
    (text,) = received(api)
    assert (text["content"], text["user_number"]) == ("hello", "447900900123")
    assert api.execute("SELECT provider_reference, provider FROM inbound_sms") == [(None, "firetext")]


@pytest.mark.parametrize("send", [from_mmg, from_firetext])
@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({}, 401, "Unauthorized: authentication token must be provided"),
        (basic("user", "wrong"), 403, "Forbidden: invalid authentication token provided"),
        (basic("", ""), 403, "Forbidden: invalid authentication token provided"),
        ({"Authorization": "Bearer pass"}, 403, "Forbidden: invalid authentication token provided"),
        ({"Authorization": "Basic %%%"}, 403, "Forbidden: invalid authentication token provided"),
    ],
)
def test_strangers_are_refused(
    app: Flask, api: Api, send: Any, headers: dict[str, str], status: int, message: str
) -> None:
    answer = send(app, headers)
    assert (answer.status_code, answer.get_json()) == (status, {"result": "error", "message": message})
    assert answer.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
    assert received(api) == []


def test_without_credentials_of_ours_everybody_is_a_stranger(api: Api) -> None:
    assert from_mmg(api.app, basic("", "")).status_code == 403
    assert from_firetext(api.app, basic("notify", "")).status_code == 403


@pytest.mark.parametrize("missing", ["source", "destination", "message", "time"])
def test_what_firetext_left_out(app: Flask, api: Api, missing: str) -> None:
    answer = from_firetext(app, **{missing: None})
    assert answer.status_code == 400
    assert answer.get_json()["message"].startswith("The browser (or proxy) sent a request")
    assert received(api) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"MSISDN": "447900900123"}', b'"\xff"'])
def test_what_mmg_would_not_send(app: Flask, api: Api, body: bytes) -> None:
    answer = app.test_client().post("/notifications/sms/receive/mmg", data=body, headers=MMG_LOGIN)
    assert answer.status_code == 400
    assert answer.get_json()["result"] == "error"
    assert received(api) == []


def test_a_body_without_end(app: Flask) -> None:
    answer = app.test_client().post("/notifications/sms/receive/mmg", data=b" " * 300_000, headers=MMG_LOGIN)
    assert answer.status_code == 413


def test_a_number_of_nobody(app: Flask, api: Api) -> None:
    assert from_mmg(app, Number="447900900778").data == b"RECEIVED"
    assert from_firetext(app, destination="07900900778").get_json() == {"status": "ok"}
    assert received(api) == []


@pytest.mark.parametrize(
    ("spoil", "mend"),
    [
        (
            "UPDATE inbound_numbers SET active = false WHERE service_id = %s",
            "UPDATE inbound_numbers SET active = true WHERE service_id = %s",
        ),
        (
            "DELETE FROM service_permissions WHERE service_id = %s AND permission = 'inbound_sms'",
            "INSERT INTO service_permissions VALUES (%s, 'inbound_sms', now())",
        ),
    ],
)
def test_a_service_that_may_not(app: Flask, api: Api, spoil: str, mend: str) -> None:
    api.execute(spoil, api.service_id)
    assert from_mmg(app).data == b"RECEIVED"
    api.execute(mend, api.service_id)
    assert from_mmg(app).get_json() == {"status": "ok"}
    assert len(received(api)) == 1


def test_a_text_that_is_handed_in_again_is_stored_once(app: Flask, api: Api) -> None:
    threads = [threading.Thread(target=from_mmg, args=(app,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(received(api)) == 1
    # the same id does not make it the same text, and without an id nobody can tell
    from_mmg(app, Message="another")
    from_mmg(app, MSISDN="447900900124")
    for _ in range(2):
        from_firetext(app)
    assert len(received(api)) == 5


def test_a_damaged_text_does_not_stand_for_another(app: Flask, api: Api) -> None:
    from_mmg(app)
    api.execute("UPDATE inbound_sms SET content = 'x'")
    assert from_mmg(app).status_code == 200
    assert api.execute("SELECT count(*) FROM inbound_sms") == [(2,)]


def test_the_service_gets_a_callback(app: Flask, api: Api) -> None:
    with api.parts.database.transaction() as session:
        create_callback(
            session,
            api.parts.encryptor,
            service_id=UUID(api.service_id),
            callback_type="inbound_sms",
            url="https://example.com/",
            bearer_token="a token of some length",
            updated_by_id=UUID(api.demo["user"]["id"]),
            guarded=True,
        )
    container = app.extensions["notify"]
    container.get(Outbox).forget()
    from_firetext(app, message="\N{WINKING FACE}")
    (text,) = received(api)
    ((id_, payload, subject),) = api.execute("SELECT id, payload, subject_id FROM pending_callbacks")
    told = orjson.loads(api.parts.encryptor.decrypt(payload, PAYLOAD, id_))
    assert told == {
        "id": text["id"],
        "source_number": "447900900123",
        "destination_number": NUMBER,
        "message": "\N{WINKING FACE}",
        "date_received": "2017-01-01T16:00:00.000000Z",
    }
    assert str(subject) == text["id"]
    container.get(Outbox).close()
    assert ("send-inbound-sms", [None, api.service_id]) in queued(api.parts)
    api.execute("DELETE FROM pending_callbacks")
    assert container.get(TextReceiver).record_again(subject) == {UUID(api.service_id)}
    ((id_, again),) = api.execute("SELECT id, payload FROM pending_callbacks")
    assert orjson.loads(api.parts.encryptor.decrypt(again, PAYLOAD, id_)) == told


def test_a_text_without_a_date_is_dated_now(app: Flask, api: Api) -> None:
    from_mmg(app)
    assert api.execute("SELECT provider_date FROM inbound_sms") == [(None,)]
    (text,) = received(api)
    assert text["created_at"][:10] == utc_now().date().isoformat()


def test_strange_characters_are_stored(app: Flask, api: Api) -> None:
    text_receiver = app.extensions["notify"].get(TextReceiver)
    text_receiver.receive(IncomingText("mmg", NUMBER, "SHOP 7 é", "x" * 100_000, "ref", None))
    (text,) = received(api)
    assert (text["user_number"], len(text["content"])) == ("SHOP 7 é", 100_000)


def test_pages_show_each_text_once_although_many_came_at_once(app: Flask, api: Api) -> None:
    for number in range(5):
        from_mmg(app, Message=str(number), ID=str(number))
    api.execute("UPDATE inbound_sms SET created_at = '2026-01-01T00:00:00Z'")
    seen: list[UUID] = []
    cursor = None
    with api.parts.database.session() as session:
        while texts := page(session, UUID(api.service_id), cursor, 2):
            seen += [text.id for text in texts]
            cursor = texts[-1].id
    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    ("number", "local"), [("447700900789", NUMBER), ("+447700900789", NUMBER), (NUMBER, NUMBER), ("40604", "40604")]
)
def test_numbers_of_ours(number: str, local: str) -> None:
    assert local_number(number) == local


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        ("07900900123", "447900900123"),
        ("+1 202-555-0104", "12025550104"),
        ("Shop", "Shop"),
        ("", ""),
        ("60777", "60777"),
    ],
)
def test_numbers_of_senders(number: str, kept: str) -> None:
    assert resolve_sender(number) == kept
