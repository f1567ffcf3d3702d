import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest

from notify.services.limits import counter_key
from tests.api import Api, errors

VALIDATION, BAD = "ValidationError", "BadRequestError"
SAFE_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store, no-cache, private, must-revalidate",
}


# -- who calls


@pytest.mark.parametrize(
    ("header", "status", "message"),
    [
        (None, 401, "Unauthorized: authentication token must be provided"),
        ("Basic abc", 401, "Unauthorized: authentication bearer scheme must be used"),
        ("Bearer", 401, "Unauthorized: authentication bearer scheme must be used"),
        ("Bearer ", 401, "Unauthorized: authentication bearer scheme must be used"),
        ("Bearer nonsense", 403, "Invalid token: make sure your API token matches the example at"),
        ("Bearer " + "a" * 20000 + ".b.c", 403, "Invalid token: make sure"),
        ("ApiKey-v1 nonsense", 403, "Invalid token: service id is not the right data type"),
    ],
)
def test_without_a_good_token_nothing_is_read(api: Api, header: str | None, status: int, message: str) -> None:
    answer = api.call("POST", "/v2/notifications/sms", headers={"Authorization": header} if header else {})
    assert answer.status_code == status
    ((kind, text),) = errors(answer)
    assert kind == "AuthError"
    assert text.startswith(message)
    assert "WWW-Authenticate" not in answer.headers


CLOCK = "Error: Your system clock must be accurate to within 30 seconds"
GENERAL = (
    "Invalid token: make sure your API token matches the example at "
    "https://docs.notifications.service.gov.uk/rest-api.html#authorisation-header"
)


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"iss": None}, "Invalid token: iss field not provided"),
        ({"iss": "x"}, "Invalid token: service id is not the right data type"),
        ({"iss": str(uuid4())}, "Invalid token: service not found"),
        ({"iat": timedelta(minutes=-5)}, CLOCK),
        ({"iat": timedelta(minutes=5)}, CLOCK),
        ({"iat": None}, "Invalid token: API key not found"),
        ({"nbf": timedelta(minutes=5)}, CLOCK),
        ({"exp": timedelta(minutes=-5)}, GENERAL),
        ({"aud": "somebody"}, GENERAL),
    ],
)
def test_claims_that_are_not_accepted(api: Api, claims: dict[str, Any], message: str) -> None:
    # as of now: parameters are as old as the whole run
    now = datetime.now(UTC)
    given: dict[str, Any] = {
        name: int((now + value).timestamp()) if isinstance(value, timedelta) else value
        for name, value in claims.items()
    }
    answer = api.call("GET", "/v2/templates", headers={"Authorization": f"Bearer {api.token(**given)}"})
    assert answer.status_code == 403
    assert errors(answer) == [("AuthError", message)]


@pytest.mark.parametrize("algorithm", ["none", "HS384"])
def test_only_one_algorithm_is_accepted(api: Api, algorithm: str) -> None:
    key = api.demo["api_keys"]["normal"]
    token = jwt.encode(
        {"iss": key[-73:-37], "iat": int(time.time())}, "" if algorithm == "none" else key[-36:], algorithm=algorithm
    )
    answer = api.call("GET", "/v2/templates", headers={"Authorization": f"Bearer {token}"})
    assert errors(answer) == [("AuthError", "Invalid token: algorithm used is not HS256")]


def test_a_forged_signature_is_not_accepted(api: Api) -> None:
    token = jwt.encode({"iss": api.service_id, "iat": int(time.time())}, str(uuid4()), algorithm="HS256")
    answer = api.call("GET", "/v2/templates", headers={"Authorization": f"Bearer {token}"})
    assert errors(answer) == [("AuthError", "Invalid token: API key not found")]


def test_the_key_itself_is_accepted_too(api: Api) -> None:
    headers = {"Authorization": f"ApiKey-v1 {api.demo['api_keys']['normal']}"}
    assert api.call("GET", "/v2/templates", headers=headers).status_code == 200


def test_a_revoked_key_is_refused_by_name(api: Api) -> None:
    api.execute("UPDATE api_keys SET expiry_date = now() WHERE key_type = 'team'")
    api.forget()
    answer = api.call("GET", "/v2/templates", key="team")
    api.execute("UPDATE api_keys SET expiry_date = NULL WHERE key_type = 'team'")
    api.forget()
    assert errors(answer) == [("AuthError", "Invalid token: API key revoked")]


@pytest.mark.parametrize(("iat", "status"), [("{now}", 200), ("{old}", 403), ("{now}.5", 403), ("", 403), ("x", 403)])
def test_the_time_of_a_token_may_be_a_text_of_digits(api: Api, iat: str, status: int) -> None:
    now = int(time.time())
    token = api.token(iat=iat.format(now=now, old=now - 60))
    for _ in range(2):  # the second time the token is known
        answer = api.call("GET", "/v2/templates", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status
        assert status == 200 or errors(answer) == [("AuthError", CLOCK)]


def test_options_without_a_token_is_refused(api: Api) -> None:
    assert api.call("OPTIONS", "/v2/notifications/sms", headers={}).status_code == 401


# -- what is sent


def test_a_text_message_is_accepted(api: Api) -> None:
    answer = api.post("sms", reference="mine")
    body = answer.get_json()
    assert answer.status_code == 201
    assert body["content"] == {
        "from_number": "development",
        "body": "Hello Amala, see you on Monday. To change your appointment please call 01234 567890.",
    }
    assert body["reference"] == "mine"
    assert body["uri"] == f"http://localhost/v2/notifications/{body['id']}"
    assert body["template"] == {
        "id": api.template("sms"),
        "version": 1,
        "uri": f"http://localhost/services/{api.service_id}/templates/{api.template('sms')}",
    }
    assert body["scheduled_for"] is None
    assert SAFE_HEADERS.items() <= dict(answer.headers).items()
    shown = api.get(body["id"])
    assert (shown["status"], shown["phone_number"], shown["type"]) == ("created", "07900900123", "sms")
    assert (shown["cost_details"], shown["cost_in_pounds"], shown["is_cost_data_ready"]) == ({}, None, False)


def test_an_email_is_accepted(api: Api) -> None:
    url = "https://example.com/unsubscribe"
    body = api.post("email", one_click_unsubscribe_url=url).get_json()
    assert body["content"]["subject"] == "Your appointment on Monday"
    assert body["content"]["from_email"] == "demo.service@notify.tools"
    assert body["content"]["one_click_unsubscribe_url"] == url
    assert body["sanitised_content"] == {}
    shown = api.get(body["id"])
    assert (shown["email_address"], shown["one_click_unsubscribe_url"]) == ("amala@example.com", url)
    assert (shown["cost_in_pounds"], shown["is_cost_data_ready"]) == (0.0, True)


def test_a_letter_is_accepted_and_priced_when_it_has_pages(api: Api) -> None:
    answer = api.post("letter")
    body = answer.get_json()
    assert answer.status_code == 201, body
    assert set(body["content"]) == {"body", "subject"}
    shown = api.get(body["id"])
    assert (shown["status"], shown["line_1"], shown["postcode"]) == ("accepted", "A", "SW1A 1AA")
    assert shown["postage"] == "second"
    assert shown["estimated_delivery"].endswith(":00:00.000000Z")
    pdf = api.call("GET", f"/v2/notifications/{body['id']}/pdf")
    assert errors(pdf) == [("PDFNotReadyError", "PDF not available yet, try again later")]
    api.execute(
        "UPDATE notifications SET billable_units = 2, notification_status = 'sending' WHERE id = %s", body["id"]
    )
    shown = api.get(body["id"])
    assert shown["cost_details"] == {"billable_sheets_of_paper": 2, "postage": "second"}
    assert shown["cost_in_pounds"] == 0.77


def test_what_is_personal_is_not_readable_in_the_database(api: Api) -> None:
    id_ = api.sent("sms", personalisation={"name": "Secretname", "date": "d"})
    ((row,),) = api.execute("SELECT n::text FROM notifications n WHERE id = %s", id_)
    assert "Secretname" not in row
    assert b"Secretname".hex() not in row


def test_values_are_sanitised_where_asked_for(api: Api) -> None:
    values = {"name": "[click](https://evil.link)", "date": "d", "parking": "no"}
    body = api.post("email", personalisation=values, sanitise_content_for=["NAME"]).get_json()
    assert body["sanitised_content"] == {"name": {"unsanitised": values["name"], "sanitised": "\\[click\\]\\(\\)"}}
    assert body["content"]["body"].startswith("Hello \\[click\\]\\(\\),")


@pytest.mark.parametrize("number", ["+447700900000", "07700900111", "07700 900222"])
def test_simulated_numbers_are_answered_and_forgotten(api: Api, number: str) -> None:
    answer = api.post("sms", phone_number=number)
    assert answer.status_code == 201
    found = api.call("GET", f"/v2/notifications/{answer.get_json()['id']}")
    assert errors(found) == [("NoResultFound", "No result found")]


# -- what is refused

TOO_LONG = "x" * 1001


@pytest.mark.parametrize(
    ("kind", "changes", "messages"),
    [
        ("sms", {"reference": TOO_LONG}, [f"reference {TOO_LONG} is too long"]),
        ("sms", {"reference": None}, ["reference None is not of type string"]),
        ("sms", {"reference": 1.5}, ["reference 1.5 is not of type string"]),
        ("sms", {"phone_number": 7900900123}, ["phone_number 7900900123 is not of type string"]),
        ("sms", {"phone_number": "07900"}, ["phone_number Not enough digits"]),
        ("sms", {"phone_number": "0790090012x"}, ["phone_number Must not contain letters or symbols"]),
        ("sms", {"phone_number": "+24740123"}, ["phone_number Not a valid country prefix"]),
        ("sms", {"template_id": "x"}, ["template_id is not a valid UUID"]),
        ("sms", {"template_id": 1}, ["template_id is not a valid UUID"]),
        ("sms", {"personalisation": "it's"}, ['personalisation "its" is not of type object']),
        ("sms", {"personalisation": None}, ["personalisation None is not of type object"]),
        ("sms", {"scheduled_for": 1}, ["scheduled_for 1 is not of type string, null"]),
        (
            "sms",
            {"scheduled_for": "soon"},
            [
                "scheduled_for datetime format is invalid. It must be a valid ISO8601 date time format, "
                "https://en.wikipedia.org/wiki/ISO_8601"
            ],
        ),
        ("sms", {"scheduled_for": "2020-01-01T00:00"}, ["scheduled_for datetime can not be in the past"]),
        ("sms", {"scheduled_for": "2099-01-01"}, ["scheduled_for datetime can only be 24 hours in the future"]),
        ("sms", {"b": 1}, ["Additional properties are not allowed (b was unexpected)"]),
        ("sms", {"b": 1, "a": 2}, ["Additional properties are not allowed (a, b were unexpected)"]),
        (
            "sms",
            {"extra": 1, "phone_number": [], "reference": {}},
            [
                "reference {} is not of type string",
                "phone_number [] is not of type string",
                "Additional properties are not allowed (extra was unexpected)",
            ],
        ),
        ("email", {"email_address": "x"}, ["email_address Not a valid email address"]),
        ("email", {"email_address": None}, ["email_address None is not of type string"]),
        ("email", {"one_click_unsubscribe_url": "http://x.uk"}, ["one_click_unsubscribe_url is not a valid https url"]),
        ("email", {"one_click_unsubscribe_url": 3}, ["one_click_unsubscribe_url is not a valid https url"]),
        ("email", {"sanitise_content_for": "x"}, ["sanitise_content_for x is not of type array, null"]),
        ("letter", {"personalisation": []}, ["personalisation [] is not of type object"]),
    ],
)
def test_bodies_that_break_the_schema(api: Api, kind: str, changes: dict[str, Any], messages: list[str]) -> None:
    answer = api.post(kind, **changes)
    assert answer.status_code == 400
    assert errors(answer) == [(VALIDATION, message) for message in messages]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("sms", ["phone_number", "template_id"]),
        ("email", ["email_address", "template_id"]),
        ("letter", ["template_id", "personalisation"]),
    ],
)
def test_missing_fields_are_named_in_order(api: Api, kind: str, fields: list[str]) -> None:
    answer = api.call("POST", f"/v2/notifications/{kind}", {})
    assert errors(answer) == [(VALIDATION, f"{field} is a required property") for field in fields]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"a": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
        b"NaN",
    ],
)
def test_what_is_no_json_is_refused(api: Api, body: bytes) -> None:
    answer = api.app.test_client().post(
        "/v2/notifications/sms", data=body, headers={"Authorization": f"Bearer {api.token()}"}
    )
    assert answer.status_code == 400
    assert errors(answer) == [(BAD, "Invalid JSON supplied in POST data")]


def test_any_content_type_will_do_and_a_list_is_no_object(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.token()}", "Content-Type": "text/plain"}
    client = api.app.test_client()
    answer = client.post("/v2/notifications/sms", data=json.dumps([1, "a"]), headers=headers)
    assert errors(answer) == [(VALIDATION, "[1, a] is not of type object")]
    assert len(errors(client.post("/v2/notifications/sms", data="null", headers=headers))) == 2


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("sms", {"template_id": str(uuid4())}, "Template not found"),
        ("sms", {"personalisation": {"Name": "x"}}, "Missing personalisation: date"),
        ("sms", {"personalisation": {}}, "Missing personalisation: name, date"),
        (
            "sms",
            {"personalisation": {"name": "x" * 900, "date": "y"}},
            "Your message is too long. Text messages cannot be longer than 918 characters. "
            "Your message is 974 characters long.",
        ),
        ("sms", {"personalisation": {"name": {"file": "x"}, "date": "y"}}, "Can only send a file by email"),
        (
            "email",
            {"personalisation": {"name": "x" * 2_000_000, "date": "y", "parking": "no"}},
            "Your message is too long. Emails cannot be longer than 2000000 bytes.",
        ),
    ],
)
def test_messages_that_cannot_be_sent(api: Api, kind: str, changes: dict[str, Any], message: str) -> None:
    answer = api.post(kind, **changes)
    assert answer.status_code == 400
    ((error, text),) = errors(answer)
    assert error == BAD
    assert text.startswith(message)


def test_a_template_of_another_type_is_refused(api: Api) -> None:
    answer = api.post("sms", template_id=api.template("email"))
    assert errors(answer) == [(BAD, "email template is not suitable for sms notification")]


@pytest.mark.parametrize(("kind", "field"), [("sms", "sms_sender_id"), ("email", "email_reply_to_id")])
def test_senders_must_be_the_service_s_own(api: Api, kind: str, field: str) -> None:
    id_ = uuid4()
    answer = api.post(kind, **{field: str(id_)})
    assert errors(answer) == [(BAD, f"{field} {id_} does not exist in database for service id {api.service_id}")]
    own = api.demo["sms_sender_id"] if kind == "sms" else api.demo["email_reply_to_id"]
    assert api.post(kind, **{field: own}).status_code == 201


def test_a_team_key_sends_to_the_team_and_its_guests_only(api: Api) -> None:
    refused = errors(api.post("sms", key="team"))
    assert refused == [(BAD, "Can’t send to this recipient using a team-only API key")]
    assert api.post("sms", key="team", phone_number="07700900456").status_code == 201
    assert api.post("email", key="team", email_address="GUEST@example.com").status_code == 201
    letter = api.post("letter", key="team")
    assert letter.status_code == 403
    assert errors(letter) == [(BAD, "Cannot send letters with a team api key")]


def test_a_service_in_trial_mode_sends_to_its_team_only(api: Api) -> None:
    api.execute("UPDATE services SET restricted = true WHERE id = %s", api.service_id)
    api.forget()
    refused, letter, test = api.post("sms"), api.post("letter"), api.post("sms", key="test")
    api.execute("UPDATE services SET restricted = false WHERE id = %s", api.service_id)
    api.forget()
    assert errors(refused) == [
        (
            BAD,
            "Can’t send to this recipient when service is in trial mode – see "
            "https://www.notifications.service.gov.uk/trial-mode",
        )
    ]
    assert errors(letter) == [(BAD, "Cannot send letters when service is in trial mode")]
    assert test.status_code == 201


@pytest.mark.parametrize(
    ("permission", "kind", "changes", "expected"),
    [
        ("sms", "sms", {}, (BAD, "Service is not allowed to send text messages")),
        ("email", "email", {}, (BAD, "Service is not allowed to send emails")),
        ("letter", "letter", {}, (BAD, "Service is not allowed to send letters")),
        (
            "international_sms",
            "sms",
            {"phone_number": "+201212341234"},
            (BAD, "Cannot send to international mobile numbers"),
        ),
        (
            "sms_to_uk_landlines",
            "sms",
            {"phone_number": "01174960860"},
            ("InvalidPhoneError", "Not a UK mobile number"),
        ),
    ],
)
def test_permissions_decide(
    api: Api, permission: str, kind: str, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert api.post(kind, **changes).status_code == 201
    api.execute("DELETE FROM service_permissions WHERE service_id = %s AND permission = %s", api.service_id, permission)
    api.forget()
    answer = api.post(kind, **changes)
    api.execute(
        "INSERT INTO service_permissions (service_id, permission, created_at) VALUES (%s, %s, now())",
        api.service_id,
        permission,
    )
    api.forget()
    assert errors(answer) == [expected]


def test_an_address_that_cannot_be_printed(api: Api) -> None:
    values = {"name": "x", "date": "y", "address_line_1": "A", "address_line_2": "B", "postcode": "nowhere"}
    answer = api.post("letter", personalisation=values)
    assert errors(answer) == [(VALIDATION, "Last line of address must be a real UK postcode or another country")]


def test_other_types_are_not_found(api: Api) -> None:
    answer = api.call("POST", "/v2/notifications/fax", {})
    assert answer.status_code == 404
    assert answer.get_json()["result"] == "error"


def test_the_limit_of_a_day(api: Api) -> None:
    api.execute("UPDATE services SET letter_message_limit = 0 WHERE id = %s", api.service_id)
    api.forget()
    answer = api.post("letter")
    api.execute("UPDATE services SET letter_message_limit = 1000 WHERE id = %s", api.service_id)
    api.forget()
    assert answer.status_code == 429
    assert errors(answer) == [("TooManyRequestsError", "Exceeded send limits (letter: 0) for today")]


@pytest.mark.parametrize("limit", [2, 3])
def test_the_limit_of_a_day_is_exact(api: Api, limit: int) -> None:
    api.execute("UPDATE services SET sms_message_limit = %s WHERE id = %s", limit, api.service_id)
    api.parts.cache.delete(counter_key(UUID(api.service_id), "normal", "sms"))
    api.forget()
    refused = api.post("sms", template_id=str(uuid4()))
    simulated = api.post("sms", phone_number="07700900111")
    statuses = [api.post("sms").status_code for _ in range(limit + 3)]
    api.execute("UPDATE services SET sms_message_limit = 250000 WHERE id = %s", api.service_id)
    api.forget()
    # what is not stored does not count
    assert (refused.status_code, simulated.status_code) == (400, 201)
    assert statuses == [201] * limit + [429] * 3


def test_the_limit_of_international_texts_is_exact(api: Api) -> None:
    api.execute("UPDATE services SET international_sms_message_limit = 1 WHERE id = %s", api.service_id)
    api.parts.cache.delete(counter_key(UUID(api.service_id), "normal", "international_sms"))
    api.forget()
    abroad = [api.post("sms", phone_number="+201212341234") for _ in range(3)]
    long = api.post("sms", phone_number="+201212341234", personalisation={"name": "x" * 1000, "date": "d"})
    home = api.post("sms")
    api.execute("UPDATE services SET international_sms_message_limit = 100 WHERE id = %s", api.service_id)
    api.forget()
    assert [answer.status_code for answer in (*abroad, long, home)] == [201, 429, 429, 429, 201]
    assert errors(long) == [("TooManyRequestsError", "Exceeded send limits (international_sms: 1) for today")]


def test_the_limit_of_a_minute(api: Api) -> None:
    api.execute("UPDATE services SET rate_limit = 1 WHERE id = %s", api.service_id)
    api.forget()
    api.post("sms", key="test")
    answers = [api.post("sms", key="test") for _ in range(3)]
    api.execute("UPDATE services SET rate_limit = 3000 WHERE id = %s", api.service_id)
    api.forget()
    assert answers[-1].status_code == 429
    assert errors(answers[-1]) == [
        ("RateLimitError", "Exceeded rate limit for key type TEST of 1 requests per 60 seconds")
    ]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("sms", "Your message is too long. Text messages cannot be longer than 918 characters."),
        ("email", "Your message is too long. Emails cannot be longer than 2000000 bytes."),
        ("letter", "Your message is too long."),
    ],
)
def test_a_large_value_that_is_named_a_thousand_times_is_refused_before_it_is_made(
    api: Api, kind: str, message: str
) -> None:
    content = "((name)) ((date)) " + "((name))" * 1000
    api.execute("UPDATE templates SET content = %s WHERE id = %s", content, api.template(kind))
    api.execute("UPDATE templates_history SET content = %s WHERE id = %s", content, api.template(kind))
    api.forget()
    values = {"name": "x" * 700_000, "date": "Monday", "address_line_1": "A", "address_line_2": "B"}
    values["postcode"] = "SW1A 1AA"
    answer = api.post(kind, personalisation=values)
    assert answer.status_code == 400
    ((error, text),) = errors(answer)
    assert (error, text[: len(message)]) == (BAD, message)
    preview = api.call("POST", f"/v2/template/{api.template(kind)}/preview", {"personalisation": values})
    assert preview.status_code == 400
