"""Sending to many recipients by one request: checks, jobs, progress, keys of each type."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from werkzeug.test import TestResponse

from notify.infra.container import Container
from notify.jobs import bulk
from notify.jobs.tasks import process_job, run_scheduled_jobs_between
from notify.messages.idempotency import IdempotencyKeys, KeyedRequest
from notify.services.limits import counter_key
from tests.api import Api, errors, queued

PATH = "/v2/notifications/bulk"
HEADERS = ["phone number", "name", "date"]
PEOPLE = [["07900900123", "Amala", "Monday"], ["07900900124", "Bo", "Tuesday"]]
ADDRESS_HEADERS = ["address line 1", "address line 2", "postcode", "name", "date"]


@pytest.fixture(autouse=True)
def fresh(api: Api) -> None:
    """A live service whose limits are unused."""
    api.execute("UPDATE services SET restricted = false, rate_limit = 60000, sms_message_limit = 250000")
    api.parts.cache.delete(counter_key(UUID(api.service_id), "normal", "sms"))
    api.forget()
    queued(api.parts)


def post(api: Api, *, key: str = "normal", idempotency_key: str | None = None, **changes: Any) -> TestResponse:
    """Ask for messages to many; what is not given is filled in with what works, `...` leaves out."""
    usual = {"name": "Reminders", "template_id": api.template("sms"), "rows": [HEADERS, *PEOPLE]}
    body = {name: value for name, value in (usual | changes).items() if value is not ...}
    headers = {"Authorization": f"Bearer {api.token(key)}"}
    if idempotency_key is not None:
        headers["Idempotency-Key"] = idempotency_key
    return api.call("POST", PATH, body, headers=headers)


def accepted(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.get_json()["data"]
    return data


def progress(api: Api, id_: str) -> dict[str, Any]:
    answer = api.call("GET", f"{PATH}/{id_}")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.get_json()["data"]
    return data


def work(api: Api, id_: str) -> None:
    container = Container(api.parts)
    process_job(container, id_)
    container.close()


def messages(api: Api, id_: str, key: str = "normal") -> list[dict[str, Any]]:
    listed = api.call("GET", "/v2/notifications?include_jobs=true", key=key).get_json()["notifications"]
    ids = {str(row[0]) for row in api.execute("SELECT id FROM notifications WHERE job_id = %s", UUID(id_))}
    return [one for one in reversed(listed) if one["id"] in ids]


def number_of_jobs(api: Api) -> int:
    return int(api.execute("SELECT count(*) FROM jobs")[0][0])


# -- accepted


def test_rows_become_messages_and_the_progress_is_shown(api: Api) -> None:
    data = accepted(post(api, rows=[[*HEADERS, "reference"], [*PEOPLE[0], "r-1"], [*PEOPLE[1], None]]))
    assert data["uri"].endswith(f"/v2/notifications/bulk/{data['id']}")
    assert (data["job_status"], data["notification_count"], data["statistics"]) == ("pending", 2, [])
    assert (data["original_file_name"], data["template"]) == ("Reminders", api.template("sms"))
    assert (data["service"], data["template_type"], data["scheduled_for"]) == (api.service_id, "sms", None)
    assert progress(api, data["id"]) == data
    assert [(task, arguments) for task, arguments in queued(api.parts) if task == "process-job"] == [
        ("process-job", [data["id"]])
    ]
    work(api, data["id"])
    after = progress(api, data["id"])
    assert (after["job_status"], after["statistics"]) == ("finished", [{"status": "created", "count": 2}])
    assert after["processing_finished"] is not None
    first, second = sorted(messages(api, data["id"]), key=lambda one: str(one["phone_number"]))
    assert (first["phone_number"], first["reference"], second["reference"]) == ("07900900123", "r-1", None)
    assert "Amala" in first["body"]


def test_csv_is_the_same(api: Api) -> None:
    text = 'Phone_Number,NAME,date\r\n07900900123,"Amala\nB, C",Monday\r\n\r\n'
    data = accepted(post(api, rows=..., csv=text))
    assert data["notification_count"] == 1
    work(api, data["id"])
    assert "Amala" in messages(api, data["id"])[0]["body"]


def test_numbers_and_letters_of_any_language_are_texts(api: Api) -> None:
    data = accepted(post(api, name="Überweisung 🎈", rows=[HEADERS, [447900900123, 1.5, "Łódź\u2028"]]))
    assert data["original_file_name"] == "Überweisung 🎈"
    work(api, data["id"])
    (message,) = messages(api, data["id"])
    assert "1.5" in message["body"]


@pytest.mark.parametrize("kind", ["email", "letter"])
def test_every_type(api: Api, kind: str) -> None:
    headers = {"email": ["email address", "name", "date", "parking"], "letter": ADDRESS_HEADERS}[kind]
    row = {"email": ["a@example.com", "A", "B", "no"], "letter": ["A", "B", "SW1A 1AA", "C", "D"]}[kind]
    data = accepted(post(api, template_id=api.template(kind), rows=[headers, row]))
    work(api, data["id"])
    assert [one["type"] for one in messages(api, data["id"])] == [kind]


def test_the_sender_is_the_one_that_was_chosen(api: Api) -> None:
    sender_id = uuid4()
    api.execute(
        "INSERT INTO service_sms_senders (id, service_id, sms_sender, is_default, archived, created_at)"
        " VALUES (%s, %s, 'CHOSEN', false, false, now())",
        sender_id,
        UUID(api.service_id),
    )
    api.forget()
    data = accepted(post(api, reply_to_id=str(sender_id)))
    work(api, data["id"])
    query = "SELECT DISTINCT reply_to_text FROM notifications WHERE job_id = %s"
    assert api.execute(query, UUID(data["id"])) == [("CHOSEN",)]
    unknown = uuid4()
    assert errors(post(api, reply_to_id=str(unknown))) == [
        (
            "BadRequestError",
            f"reply_to_id {unknown} does not exist in database for service id {api.service_id}",
        )
    ]


# -- types of keys


def test_messages_of_a_test_key_are_tests(api: Api) -> None:
    data = accepted(post(api, key="test"))
    work(api, data["id"])
    rows = api.execute("SELECT DISTINCT key_type, api_key_id FROM notifications WHERE job_id = %s", UUID(data["id"]))
    ((key_type, api_key_id),) = rows
    assert (key_type, api_key_id is None) == ("test", False)
    assert api.parts.cache.get(counter_key(UUID(api.service_id), "normal", "sms")) in (None, b"0")
    assert len(messages(api, data["id"], key="test")) == 2
    letter = accepted(
        post(
            api,
            key="test",
            template_id=api.template("letter"),
            rows=[ADDRESS_HEADERS, ["A", "B", "SW1A 1AA", "C", "D"]],
        )
    )
    work(api, letter["id"])
    assert progress(api, letter["id"])["statistics"] == [{"status": "delivered", "count": 1}]


def test_a_team_key_sends_to_the_team(api: Api) -> None:
    answer = post(api, key="team")
    assert answer.status_code == 400
    first, *others = errors(answer)
    assert first == ("ValidationError", "2 of 2 rows have errors")
    assert others[0] == ("ValidationError", "Row 1: Can’t send to this recipient using a team-only API key")
    api.execute(
        "INSERT INTO service_whitelist (id, service_id, recipient_type, recipient, created_at)"
        " VALUES (%s, %s, 'mobile', '07900 900 123', now())",
        uuid4(),
        UUID(api.service_id),
    )
    data = accepted(post(api, key="team", rows=[HEADERS, PEOPLE[0]]))
    assert errors(post(api, key="team"))[0] == ("ValidationError", "1 of 2 rows has errors")
    work(api, data["id"])
    assert [one["phone_number"] for one in messages(api, data["id"], key="team")] == ["07900900123"]
    api.execute("DELETE FROM service_whitelist")


def test_a_service_in_trial_mode_sends_to_its_team(api: Api) -> None:
    api.execute("UPDATE services SET restricted = true WHERE id = %s", api.service_id)
    api.forget()
    (_, (_, text), *_) = errors(post(api))
    assert text.startswith("Row 1: Can’t send to this recipient when service is in trial mode")
    answer = post(api, template_id=api.template("letter"), rows=[ADDRESS_HEADERS, ["A", "B", "SW1A 1AA", "C", "D"]])
    assert answer.status_code == 403


# -- refused


def test_each_row_with_errors_is_named(api: Api) -> None:
    before = number_of_jobs(api)
    answer = post(api, rows=[HEADERS, PEOPLE[0], ["1", "Bo", ""], ["07900900124", None, "x"], ["+1", "a", "b"]])
    assert answer.status_code == 400
    found = errors(answer)
    assert found[0] == ("ValidationError", "3 of 4 rows have errors")
    assert [text.partition(":")[0] for _, text in found[1:]] == ["Row 2", "Row 3", "Row 4"]
    assert "phone number: " in found[1][1]
    assert "date: Missing" in found[1][1]
    assert found[2][1] == "Row 3: name: Missing"
    assert [entry.get("row") for entry in answer.get_json()["errors"]] == [None, 2, 3, 4]
    assert number_of_jobs(api) == before
    assert "process-job" not in [task for task, _ in queued(api.parts)]


def test_only_the_first_rows_are_named(api: Api) -> None:
    answer = post(api, rows=[HEADERS, *([["x", "a", "b"]] * 150)])
    found = errors(answer)
    assert found[0] == ("ValidationError", "150 of 150 rows have errors - the first 100 are listed")
    assert len(found) == 101


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"rows": [["phone number"], ["07900900123"]]}, "Missing columns: name, date"),
        ({"rows": [HEADERS]}, "There are no rows. The first row has the headers, each other one a recipient"),
        ({"rows": []}, "There are no rows. The first row has the headers, each other one a recipient"),
        ({"rows": ..., "csv": ""}, "There are no rows. The first row has the headers, each other one a recipient"),
        (
            {"rows": [["phone number", "Phone_Number", "name", "date"], ["07900900123", "07900900124", "a", "b"]]},
            "There is more than one column with recipients: phone number, Phone_Number",
        ),
        ({"rows": ...}, "Give either rows or csv"),
        ({"csv": "phone number\n1"}, "Give either rows or csv"),
        ({"rows": {}}, "rows is not of type array"),
        ({"rows": [HEADERS, 7]}, "rows must be lists: row 1 is not"),
        ({"rows": [HEADERS, [{}]]}, "rows must have texts and numbers: row 1 has something else"),
        ({"rows": [HEADERS, [True]]}, "rows must have texts and numbers: row 1 has something else"),
        ({"rows": [HEADERS, [10**40]]}, "rows must have texts and numbers: row 1 has something else"),
        (
            {"rows": [HEADERS] + [[]] * 50_001},
            "rows has too many rows: there must not be more than 50000, and the headers",
        ),
        (
            {"rows": ..., "csv": "phone number,name,date\n" + "1,2,3\n" * 50_001},
            "There are too many rows: 50001. There must not be more than 50000",
        ),
        ({"rows": ..., "csv": "x" * (10 * 2**20 + 1)}, "The file must be smaller than 10MB"),
        ({"rows": [["x"] * 1001, []]}, "The file must not have more than 1,000 columns"),
        ({"name": ""}, "name  should be non-empty"),
        ({"name": ...}, "name is a required property"),
        ({"template_id": "x"}, "template_id is not a valid UUID"),
        ({"extra": 1}, "Additional properties are not allowed (extra was unexpected)"),
        ({"scheduled_for": "2020-01-01T00:00"}, "scheduled_for datetime can not be in the past"),
        ({"scheduled_for": "2099-01-01"}, "scheduled_for datetime can only be 4 days in the future"),
    ],
)
def test_what_is_refused(api: Api, changes: dict[str, Any], text: str) -> None:
    before = number_of_jobs(api)
    answer = post(api, **changes)
    assert answer.status_code == 400
    assert errors(answer) == [("ValidationError", text)]
    assert number_of_jobs(api) == before


def test_other_refusals(api: Api) -> None:
    assert errors(post(api, template_id=str(uuid4()))) == [("BadRequestError", "Template not found")]
    assert api.call("POST", PATH, {}, headers={}).status_code == 401
    api.execute("UPDATE templates SET archived = true WHERE id = %s", api.template("sms"))
    api.forget()
    assert errors(post(api)) == [("BadRequestError", "Template has been deleted")]
    api.execute("UPDATE templates SET archived = false WHERE id = %s", api.template("sms"))
    api.execute("DELETE FROM service_permissions WHERE permission = 'sms'")
    api.forget()
    assert errors(post(api)) == [("BadRequestError", "Service is not allowed to send text messages")]
    api.execute("INSERT INTO service_permissions VALUES (%s, 'sms', now())", UUID(api.service_id))
    api.forget()


def test_a_body_that_is_too_large_is_refused(api: Api) -> None:
    assert post(api, rows=..., csv="x" * (21 * 2**20)).status_code == 413


def test_more_than_the_day_allows_is_refused_at_once(api: Api) -> None:
    api.execute("UPDATE services SET sms_message_limit = 1 WHERE id = %s", api.service_id)
    api.forget()
    answer = post(api)
    assert answer.status_code == 429
    assert errors(answer) == [
        (
            "TooManyRequestsError",
            "Exceeded send limits (sms: 1) for today - 2 messages are too many, 1 are left",
        )
    ]
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    assert post(api, scheduled_for=tomorrow).status_code == 201
    api.sent()
    assert errors(post(api)) == [("TooManyRequestsError", "Exceeded send limits (sms: 1) for today")]
    assert post(api, scheduled_for=tomorrow).status_code == 201
    assert post(api, key="test").status_code == 201


def test_others_wait_for_their_turn(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "WAIT_SECONDS", 0.01)
    acceptor = api.container.get(bulk.BulkAcceptor)
    with acceptor._turn(), acceptor._turn():
        assert post(api).status_code == 503
    assert post(api).status_code == 201


# -- later, and again


def test_later(api: Api) -> None:
    when = datetime.now(UTC) + timedelta(hours=90)
    data = accepted(post(api, scheduled_for=when.isoformat()))
    assert (data["job_status"], data["scheduled_for"]) == ("scheduled", when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    container = Container(api.parts)
    run_scheduled_jobs_between(container)
    assert "process-job" not in [task for task, _ in queued(api.parts)]
    api.execute("UPDATE jobs SET scheduled_for = now() - interval '1 s' WHERE id = %s", UUID(data["id"]))
    run_scheduled_jobs_between(container)
    container.close()
    assert ("process-job", [data["id"]]) in queued(api.parts)


def test_cancelling(api: Api) -> None:
    data = accepted(post(api, scheduled_for=(datetime.now(UTC) + timedelta(hours=1)).isoformat()))
    answer = api.call("POST", f"{PATH}/{data['id']}/cancel")
    assert (answer.status_code, answer.get_json()["data"]["job_status"]) == (200, "cancelled")
    assert api.call("POST", f"{PATH}/{data['id']}/cancel").status_code == 404
    assert api.call("POST", f"{PATH}/{accepted(post(api))['id']}/cancel").status_code == 404


def test_what_is_not_there_and_what_is_another_services(api: Api) -> None:
    assert api.call("GET", f"{PATH}/{uuid4()}").status_code == 404
    assert errors(api.call("GET", f"{PATH}/x")) == [("ValidationError", "bulk_id is not a valid UUID")]
    data = accepted(post(api))
    other = "SELECT id FROM services WHERE id <> %s LIMIT 1"
    ((service_id,),) = api.execute(other, UUID(api.service_id))
    api.execute("UPDATE jobs SET service_id = %s WHERE id = %s", service_id, UUID(data["id"]))
    assert api.call("GET", f"{PATH}/{data['id']}").status_code == 404


def test_repeated_it_is_one_job(api: Api) -> None:
    before, key = number_of_jobs(api), str(uuid4())
    first, again = (post(api, idempotency_key=key) for _ in range(2))
    assert first.data == again.data
    assert again.headers["Idempotent-Replayed"] == "true"
    assert number_of_jobs(api) == before + 1
    assert post(api, idempotency_key=key, name="Another").status_code == 409


def test_what_another_process_is_at_is_refused_before_its_rows_are_read(api: Api) -> None:
    key, before = str(uuid4()), number_of_jobs(api)
    request = KeyedRequest.of(key, service_id=UUID(api.service_id), key_type="normal", address=PATH, body=None)
    with api.container.get(IdempotencyKeys).hold(request):
        answer = post(api, idempotency_key=key, rows=[HEADERS, ["no number", "Amala", "Monday"]])
        assert (answer.status_code, errors(answer)[0][0]) == (409, "IdempotentRequestUnderWayError")
        accepted(post(api, idempotency_key=str(uuid4())))
    accepted(post(api, idempotency_key=key))
    assert number_of_jobs(api) == before + 2


def test_many_at_once_with_one_key_are_one_job(api: Api) -> None:
    before, key = number_of_jobs(api), str(uuid4())
    answers: list[TestResponse] = []
    threads = [threading.Thread(target=lambda: answers.append(post(api, idempotency_key=key))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.data for answer in answers if answer.status_code == 201}) == 1
    assert number_of_jobs(api) == before + 1
