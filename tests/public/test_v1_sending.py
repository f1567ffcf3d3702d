from __future__ import annotations

import time
from typing import Any
from uuid import UUID, uuid4

import pytest

from notify.app import EXTENSION, create_app
from notify.messages.publish import DELIVER_SMS
from notify.services.limits import counter_key
from tests.api import Api, queued

VALUES = {"name": "Amala", "date": "Monday", "parking": "no"}
NUMBER, ADDRESS = "07900900123", "amala@example.com"


def send(api: Api, kind: str = "sms", *, key: str = "normal", **body: Any) -> Any:
    """Send by version 1; what is not given is filled in with what works, `...` leaves out."""
    usual = {"to": NUMBER if kind == "sms" else ADDRESS, "template": api.template(kind), "personalisation": VALUES}
    full = {name: value for name, value in (usual | body).items() if value is not ...}
    return api.call("POST", f"/notifications/{kind}", full, key=key)


def refusal(answer: Any) -> tuple[int, Any]:
    body = answer.get_json()
    assert body["result"] == "error"
    assert set(body) == {"result", "message"}
    return answer.status_code, body["message"]


def row(api: Api, id_: str) -> dict[str, Any]:
    ((values,),) = api.execute("SELECT to_jsonb(n) FROM notifications n WHERE id = %s", UUID(id_))
    found: dict[str, Any] = values
    return found


@pytest.fixture(autouse=True)
def fresh(api: Api) -> None:
    """A live service that may send anything, whose limits are unused."""
    api.execute("UPDATE services SET restricted = false, rate_limit = 60000 WHERE id = %s", api.service_id)
    api.forget()


def _first_task(api: Api) -> str | None:
    """The task that is published soon after the commit."""
    patience = time.monotonic() + 10
    while time.monotonic() < patience:
        for task, _ in queued(api.parts):
            return str(task)
        time.sleep(0.02)
    return None


# -- what is accepted


def test_a_text_message_is_stored_and_queued(api: Api) -> None:
    queued(api.parts)
    answer = send(api)
    assert answer.status_code == 201
    data = answer.get_json()["data"]
    assert set(data) == {"notification", "body", "template_version"}
    assert list(data["notification"]) == ["id"]
    assert data["template_version"] == 1
    stored = row(api, data["notification"]["id"])
    assert stored["notification_status"] == "created"
    assert (stored["key_type"], stored["normalised_to"]) == ("normal", "447900900123")
    assert stored["client_reference"] is None
    assert _first_task(api) == DELIVER_SMS
    assert data["body"] == api.get(data["notification"]["id"])["body"]


def test_an_email_has_a_subject(api: Api) -> None:
    data = send(api, "email").get_json()["data"]
    assert set(data) == {"notification", "body", "template_version", "subject"}
    shown = api.get(data["notification"]["id"])
    assert (shown["body"], shown["subject"]) == (data["body"], data["subject"])
    assert shown["email_address"] == ADDRESS


def test_messages_count_towards_the_limits_of_version_2(api: Api) -> None:
    counter = counter_key(UUID(api.service_id), "normal", "sms")
    before = int(api.parts.cache.get(counter) or 0)
    assert send(api).status_code == 201
    assert int(api.parts.cache.get(counter) or 0) == before + 1
    assert send(api, key="test").status_code == 201
    assert int(api.parts.cache.get(counter) or 0) == before + 1


def test_a_recipient_is_kept_as_it_was_typed(api: Api) -> None:
    for kind, to in (("sms", "+44 (0)7900 900-123"), ("email", "Amala@EXAMPLE.com")):
        id_ = send(api, kind, to=to).get_json()["data"]["notification"]["id"]
        shown = api.call("GET", f"/notifications/{id_}").get_json()
        assert shown["data"]["notification"]["to"] == to


@pytest.mark.parametrize(
    ("kind", "to"), [("sms", "+447700900222"), ("email", "simulate-delivered@notifications.service.gov.uk")]
)
def test_simulated_recipients_are_not_stored(api: Api, kind: str, to: str) -> None:
    answer = send(api, kind, to=to)
    assert answer.status_code == 201
    id_ = answer.get_json()["data"]["notification"]["id"]
    assert refusal(api.call("GET", f"/notifications/{id_}")) == (404, "No result found")


def test_unknown_keys_are_ignored(api: Api) -> None:
    assert send(api, reference="mine", personalisation={**VALUES, "extra": 1}, sms_sender_id=7).status_code == 201


# -- what is not


def test_types_of_messages_come_before_the_body(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.token()}"}
    for kind, advice in (("letter", ", please use the latest version of the client"), ("pigeon", "")):
        answer = api.app.test_client().post(f"/notifications/{kind}", data="{", headers=headers)
        assert refusal(answer) == (400, f"{kind} notification type is not supported{advice}")


MISSING, NULL = ["Missing data for required field."], ["Field may not be null."]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"to": ..., "template": ...}, {"to": MISSING, "template": MISSING}),
        ({"to": 1, "template": 2}, {"to": ["Not a valid string."], "template": ["Not a valid string."]}),
        ({"to": None, "template": None}, {"to": NULL, "template": NULL}),
        ({"to": [], "template": ...}, {"to": ["Not a valid string."], "template": MISSING}),
        ({"personalisation": "Ann"}, {"personalisation": ["Not a valid mapping type."]}),
        ({"personalisation": []}, {"personalisation": ["Not a valid mapping type."]}),
        ({"personalisation": None}, {"personalisation": NULL}),
        (
            {"to": "abc", "template": ...},
            {"to": ["Invalid phone number: Must not contain letters or symbols"], "template": MISSING},
        ),
        ({"to": "0790090012"}, {"to": ["Invalid phone number: Not enough digits"]}),
        ({"to": "079009001234"}, {"to": ["Invalid phone number: Too many digits"]}),
        ({"to": "02079460000"}, {"to": ["Invalid phone number: Not a UK mobile number"]}),
        ({"to": "2101234567"}, {"to": ["Invalid phone number: Not a valid country prefix"]}),
        ({"to": ""}, {"to": ["Invalid phone number: Not enough digits"]}),
    ],
)
def test_bodies_of_text_messages(api: Api, body: dict[str, Any], fields: dict[str, Any]) -> None:
    assert refusal(send(api, **body)) == (400, fields)


@pytest.mark.parametrize(
    "to", ["", "amala", "amala@example", "amala at example.com", NUMBER, "a" * 400 + "@example.com"]
)
def test_bad_addresses(api: Api, to: str) -> None:
    assert refusal(send(api, "email", to=to)) == (400, {"to": ["Not a valid email address"]})


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("{", "The browser (or proxy) sent a request that this server could not understand."),
        ("", "The browser (or proxy) sent a request that this server could not understand."),
        ("[]", {"_schema": ["Invalid input type."]}),
        ("null", {"_schema": ["Invalid input type."]}),
        ('"x"', {"_schema": ["Invalid input type."]}),
    ],
)
def test_bodies_that_are_no_object(api: Api, raw: str, message: Any) -> None:
    headers = {"Authorization": f"Bearer {api.token()}"}
    assert refusal(api.app.test_client().post("/notifications/sms", data=raw, headers=headers)) == (400, message)


def test_templates_that_do_not_serve(api: Api) -> None:
    assert refusal(send(api, template=str(uuid4()))) == (400, "Template not found")
    assert refusal(send(api, template="abc")) == (404, "No result found")
    assert refusal(send(api, template="\0")) == (404, "No result found")
    wrong = send(api, template=api.template("email"))
    assert refusal(wrong) == (400, "email template is not suitable for sms notification")
    assert refusal(send(api, "email", template=api.template("sms"))) == (
        400,
        "sms template is not suitable for email notification",
    )
    status, message = refusal(send(api, personalisation={}))
    assert (status, message.startswith("Missing personalisation: ")) == (400, True)
    status, message = refusal(send(api, personalisation=...))
    assert (status, message.startswith("Missing personalisation: ")) == (400, True)
    status, message = refusal(send(api, personalisation={**VALUES, "name": "a" * 1000}))
    assert (status, message.startswith("Your message is too long. Text messages cannot be longer than 918")) == (
        400,
        True,
    )


def test_values_that_would_make_a_message_enormous(api: Api) -> None:
    status, message = refusal(send(api, "email", personalisation={**VALUES, "name": "a" * 3_000_000}))
    assert (status, message.startswith("Your message is too long. Emails cannot be longer than")) == (400, True)


@pytest.mark.parametrize(
    ("key", "restricted", "text"),
    [
        ("team", False, "Can’t send to this recipient using a team-only API key"),
        (
            "normal",
            True,
            "Can’t send to this recipient when service is in trial mode – see "
            "https://www.notifications.service.gov.uk/trial-mode",
        ),
    ],
)
def test_recipients_outside_the_team(api: Api, key: str, restricted: bool, text: str) -> None:
    api.execute("UPDATE services SET restricted = %s WHERE id = %s", restricted, api.service_id)
    api.forget()
    for kind in ("sms", "email"):
        assert refusal(send(api, kind, key=key)) == (400, {"to": [text]})
        assert send(api, kind, key="test").status_code == 201
    assert send(api, "email", key=key, to=api.demo["user"]["email_address"]).status_code == 201


def _without(api: Api, permission: str) -> None:
    api.execute("DELETE FROM service_permissions WHERE service_id = %s AND permission = %s", api.service_id, permission)
    api.forget()


def _with(api: Api, permission: str) -> None:
    api.execute(
        "INSERT INTO service_permissions (service_id, permission, created_at) VALUES (%s, %s, now())",
        api.service_id,
        permission,
    )
    api.forget()


@pytest.mark.parametrize(("kind", "text"), [("sms", "Cannot send text messages"), ("email", "Cannot send emails")])
def test_the_permission_comes_after_the_template_and_the_recipient(api: Api, kind: str, text: str) -> None:
    _without(api, kind)
    try:
        assert refusal(send(api, kind)) == (400, {"service": [text]})
        assert refusal(send(api, kind, template=str(uuid4()))) == (400, "Template not found")
        status, message = refusal(send(api, kind, key="team"))
        assert (status, list(message)) == (400, ["to"])
        assert refusal(send(api, kind, key="test")) == (400, {"service": [text]})
    finally:
        _with(api, kind)
    assert send(api, kind).status_code == 201


def test_numbers_abroad(api: Api) -> None:
    assert send(api, to="+33612345678").status_code == 201
    _without(api, "international_sms")
    try:
        assert refusal(send(api, to="+33612345678")) == (400, "Cannot send to international mobile numbers")
    finally:
        _with(api, "international_sms")


def test_the_limit_of_a_minute(api: Api) -> None:
    api.execute("UPDATE services SET rate_limit = 3 WHERE id = %s", api.service_id)
    api.forget()
    api.parts.cache.delete(f"{api.service_id}-tokens-normal")
    answers = [send(api) for _ in range(5)]
    assert answers[0].status_code == 201
    used_up = (429, "Exceeded rate limit for key type LIVE of 3 requests per 60 seconds")
    assert refusal(answers[-1]) == used_up
    assert refusal(send(api, template=...)) == (400, {"template": MISSING})
    assert refusal(send(api, template=str(uuid4()))) == used_up
    assert refusal(send(api, template="abc")) == used_up
    assert send(api, key="test").status_code == 201


def test_faults_of_the_body_do_not_count_towards_the_limit(api: Api) -> None:
    api.execute("UPDATE services SET rate_limit = 3 WHERE id = %s", api.service_id)
    api.forget()
    api.parts.cache.delete(f"{api.service_id}-tokens-normal")
    for _ in range(5):
        assert send(api, to="abc").status_code == 400
    assert send(api).status_code == 201


def test_the_limit_of_a_day(api: Api) -> None:
    api.execute("UPDATE services SET sms_message_limit = 0 WHERE id = %s", api.service_id)
    api.forget()
    try:
        assert refusal(send(api)) == (429, "Exceeded send limits (sms: 0) for today")
    finally:
        api.execute("UPDATE services SET sms_message_limit = 250000 WHERE id = %s", api.service_id)
        api.forget()


# -- who may


def test_faults_of_the_token_are_in_the_envelope_of_version_1(api: Api) -> None:
    for method, path in (("POST", "/notifications/sms"), ("POST", "/notifications/pigeon"), ("GET", "/notifications")):
        answer = api.call(method, path, headers={})
        assert refusal(answer) == (401, {"token": ["Unauthorized: authentication token must be provided"]})
    assert api.call("OPTIONS", "/notifications/sms", headers={}).status_code == 401
    unknown = {"Authorization": f"Bearer {api.token(iss=str(uuid4()))}"}
    assert refusal(api.call("GET", "/notifications", headers=unknown)) == (
        403,
        {"token": ["Invalid token: service not found"]},
    )


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_methods_that_no_route_has(api: Api, method: str) -> None:
    assert api.call(method, "/notifications/sms").status_code == 405
    assert api.call(method, f"/notifications/{uuid4()}").status_code == (404 if method == "GET" else 405)


def test_where_the_setting_is_off_there_is_no_version_1(api: Api) -> None:
    app = create_app(api.parts.settings.changed(legacy_2020=False))
    headers = {"Authorization": f"Bearer {api.token()}"}
    try:
        client = app.test_client()
        assert client.get("/notifications", headers=headers).status_code == 404
        assert client.post("/notifications/sms", json={}, headers=headers).status_code == 404
        assert client.get(f"/notifications/{uuid4()}", headers=headers).status_code == 404
        assert client.post("/v2/notifications/sms", json={}, headers=headers).status_code == 400
        described = client.get("/openapi.json").get_json()
        assert all(path.startswith("/v2/") for path in described["paths"])
        assert not [name for name in described["components"]["schemas"] if name.startswith("Legacy")]
    finally:
        app.extensions[EXTENSION].close()
