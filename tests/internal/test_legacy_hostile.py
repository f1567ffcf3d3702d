"""Odd requests to every route of 2020: none ends in a 5xx, and none shows or changes another service's data."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from notify.infra.parts import Parts
from notify.services.models import Service
from tests.api import Api
from tests.internal.admin import AdminClient, Factory

NIL, LONG, INJECTED = "00000000-0000-0000-0000-000000000000", "2" * 300, "' OR 1=1 --"
GOOD_TOKENS = (NIL, LONG, INJECTED)
ODD: list[Any] = [
    None, True, 0, -1, 10**30, 1e308, "", " ", "\0", "a\0b", "\ud800", "é" * 5000, "%00", "../..", INJECTED, [], [[]],
    {}, {"a": {}}, ["\0"], {"\0": "\0"}, NIL, LONG,
]  # fmt: skip
TEXTS = [value for value in ODD if isinstance(value, str) and value != "\ud800"] + [
    "1" * 19,
    "-" + "9" * 18,
    "9" * 18,
    "NaN",
    "1e5",
    "٣",
    "+1",
]
BODIES = [b"", b"{", b"[]", b"null", b"0", b'"x"', b"\xff\xfe", b"{}" * 9, b"[" * 20000, b'{"a":' * 5000, b"\0"]
FIELDS = {
    "/notifications/sms": ("to", "template", "personalisation"),
    "/notifications/email": ("to", "template", "personalisation"),
}
INTERNAL = ("delivery-receipt-api", "inbound-api")


class Stranger:
    """Sends anything, and expects an answer that is no 5xx."""

    def __init__(
        self,
        app: Flask,
        token: str,
    ) -> None:
        self._client = app.test_client()
        self._headers = {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, **request: Any) -> Any:
        answer = self._client.open(path, method=method, headers=self._headers, **request)
        assert answer.status_code < 500, (method, path, request, answer.text)
        if answer.status_code >= 400:
            assert set(answer.get_json()) in ({"result", "message"}, {"status_code", "errors"}), answer.text
        return answer

    def send(self, path: str, body: Any) -> Any:
        return self.ask("POST", path, data=json.dumps(body), content_type="application/json")


@pytest.fixture(scope="module")
def victim(internal_parts: Parts) -> Service:
    """Another service, with callbacks and a message."""
    return Factory(internal_parts).service()


@pytest.fixture(scope="module")
def office(internal_parts: Parts) -> Service:
    """A service that may send to everybody, as fast as it likes."""
    service = Factory(internal_parts).service(restricted=False)
    with internal_parts.database.transaction() as session:
        session.merge(service).rate_limit = 60_000
    return service


@pytest.fixture(scope="module")
def program(internal_app: Flask, internal_parts: Parts, office: Service) -> Stranger:
    """Its program."""
    key = Factory(internal_parts).api_key(office)
    demo = {"service_id": str(office.id), "api_keys": {"normal": key}, "templates": {}}
    return Stranger(internal_app, Api(internal_app, internal_parts, None, demo).token())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def app_of_people(admin: AdminClient) -> Stranger:
    """The admin app."""
    return Stranger(admin.app, admin.token())


@pytest.mark.parametrize("path", list(FIELDS))
def test_bodies_of_messages(program: Stranger, path: str) -> None:
    usual = {"to": "07900900123" if path.endswith("sms") else "a@example.com", "template": str(uuid4())}
    for raw in BODIES:
        assert program.ask("POST", path, data=raw).status_code == 400
    for field in FIELDS[path]:
        for value in ODD:
            assert program.send(path, usual | {field: value}).status_code in (400, 404)


@pytest.mark.parametrize("kind", ["sms", "email"])
def test_values_of_messages(program: Stranger, office: Service, factory: Factory, kind: str) -> None:
    template = factory.template(office, kind, content="Hello ((name)) ((more??yes))")
    body = {"to": "07900900123" if kind == "sms" else "a@example.com", "template": str(template.id)}
    accepted = 0
    for value in ODD:
        for values in (
            {"name": value, "more": "x"},
            {"name": "x", "more": value},
            {"NA-me": "x", "more": "x", "y": value},
        ):
            answer = program.send(f"/notifications/{kind}", body | {"personalisation": values})
            if answer.status_code == 201:
                accepted += 1
                shown = program.ask("GET", f"/notifications/{answer.get_json()['data']['notification']['id']}")
                assert shown.get_json()["data"]["notification"]["body"] == answer.get_json()["data"]["body"]
    listed = program.ask("GET", "/notifications", query_string={"template_type": kind, "page_size": "1000"})
    assert listed.get_json()["total"] == accepted > len(ODD)


def test_queries_of_lists(program: Stranger) -> None:
    for name in ("page", "page_size", "limit_days", "include_jobs", "status", "template_type", "older_than", "\0"):
        for value in TEXTS:
            program.ask("GET", "/notifications", query_string=[(name, value), (name, "x")])
    program.ask("GET", "/notifications", query_string=[("status", str(number)) for number in range(5000)])
    program.ask("GET", "/notifications", query_string=[("template_type", "sms")] * 5000)
    program.ask("GET", "/notifications", query_string={"page": "999999999", "page_size": "1000000"})


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    "last",
    ["", "/sms", "/email", "/letter", "/%00", "/" + "a" * 3000, "/0a7cf7a4-3a36-4d37-9c3a-6a3d1f2c5e11", "/é", "/sms/"],
)
def test_methods_and_paths(internal_app: Flask, program: Stranger, method: str, last: str) -> None:
    answer = internal_app.test_client().open(
        f"/notifications{last}", method=method, headers={"Authorization": f"Bearer {_token(program)}"}
    )
    assert answer.status_code < 500


def _token(program: Stranger) -> str:
    return program._headers["Authorization"].removeprefix("Bearer ")


def test_keys_of_services_open_no_route_of_people(program: Stranger, victim: Service) -> None:
    for path in ("suspend", "resume", *INTERNAL):
        assert program.send(f"/service/{victim.id}/{path}", {}).status_code == 401
    for path in ("/user", "/user/email?email=a@b.c", "/service/unique", "/organisations/unique"):
        assert program.ask("GET", path).status_code == 401


def test_the_admin_app_opens_no_route_of_services(app_of_people: Stranger) -> None:
    for method, path in (
        ("GET", "/notifications"),
        ("POST", "/notifications/sms"),
        ("GET", f"/notifications/{uuid4()}"),
    ):
        assert app_of_people.ask(method, path).status_code == 403


@pytest.mark.parametrize("path", INTERNAL)
def test_bodies_of_callbacks(app_of_people: Stranger, admin: AdminClient, victim: Service, path: str) -> None:
    whole = f"/service/{victim.id}/{path}"
    usual = {"url": "https://a.example", "bearer_token": "0123456789", "updated_by_id": str(victim.created_by_id)}
    made = admin.post(whole, usual, status=201)["data"]
    for target in (whole, f"{whole}/{made['id']}"):
        for raw in BODIES:
            assert app_of_people.ask("POST", target, data=raw).status_code == 400
        for field in usual:
            for value in ODD:
                if field == "bearer_token" and value in GOOD_TOKENS:
                    continue
                answer = app_of_people.send(target, usual | {field: value})
                assert answer.status_code in (400, 404), (field, value)
    assert admin.get(f"{whole}/{made['id']}")["data"] == made
    assert admin.delete(f"{whole}/{made['id']}", status=204) is None


def test_queries_of_names_and_addresses(app_of_people: Stranger) -> None:
    questions = {
        "/service/unique": ("service_id", "name", "email_from"),
        "/organisations/unique": ("org_id", "name"),
        "/user/email": ("email",),
    }
    for path, names in questions.items():
        usual = {name: str(uuid4()) for name in names}
        for name in names:
            for value in TEXTS:
                app_of_people.ask("GET", path, query_string=usual | {name: value})


def test_tokens_of_invitations(app_of_people: Stranger) -> None:
    for kind in ("service", "organisation", "other", "%00", "é"):
        for token in ("x", "%00", "a" * 5000, "é", "..%2f..", "gAAAAAB"):
            assert app_of_people.ask("GET", f"/invite/{kind}/{token}").status_code in (400, 404)


def test_services_that_are_none(app_of_people: Stranger) -> None:
    for id_ in ("%00", "x", "0" * 32, str(uuid4()).upper(), "00000000-0000-0000-0000-000000000000"):
        for action in ("suspend", "resume"):
            for raw in BODIES:
                assert app_of_people.ask("POST", f"/service/{id_}/{action}", data=raw).status_code == 404


def test_senders_with_numbers_that_are_none(app_of_people: Stranger, admin: AdminClient, victim: Service) -> None:
    before = admin.get(f"/service/{victim.id}/sms-sender")
    for value in ODD:
        if value is None:  # nothing is asked for
            continue
        body = {"sms_sender": "x", "is_default": True, "inbound_number_id": value}
        assert app_of_people.send(f"/service/{victim.id}/sms-sender", body).status_code in (400, 404)
    assert admin.get(f"/service/{victim.id}/sms-sender") == before


def test_one_limit_of_any_kind(app_of_people: Stranger, factory: Factory) -> None:
    user_id = str(factory.user().id)
    for value in ODD:
        body = {"name": f"Odd {uuid4()}", "user_id": user_id, "created_by": user_id, "restricted": True}
        app_of_people.send("/service", body | {"message_limit": value})
