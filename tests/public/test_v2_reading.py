from typing import Any
from uuid import uuid4

import pytest

from notify.inbound.models import CONTENT
from notify.infra.ids import new_id
from tests.api import Api, errors

VALIDATION = "ValidationError"
STATUSES = (
    "cancelled, created, sending, sent, delivered, pending, failed, technical-failure, temporary-failure, "
    "permanent-failure, pending-virus-check, validation-failed, virus-scan-failed, returned-letter, accepted, received"
)


@pytest.mark.parametrize("path", ["/v2/notifications/x", "/v2/notifications/x/pdf"])
def test_an_id_must_be_a_uuid(api: Api, path: str) -> None:
    assert errors(api.call("GET", path)) == [(VALIDATION, "notification_id is not a valid UUID")]


def test_messages_of_others_are_not_found(api: Api) -> None:
    id_ = api.sent()
    api.execute("UPDATE notifications SET service_id = %s WHERE id = %s", uuid4(), id_)
    answer = api.call("GET", f"/v2/notifications/{id_}")
    assert (answer.status_code, errors(answer)) == (404, [("NoResultFound", "No result found")])


def test_only_letters_have_a_pdf(api: Api) -> None:
    answer = api.call("GET", f"/v2/notifications/{api.sent()}/pdf")
    assert errors(answer) == [("BadRequestError", "Notification is not a letter")]


def test_a_reference_that_no_message_can_have(api: Api) -> None:
    answer = api.call("GET", "/v2/notifications?reference=%00")
    assert (answer.status_code, errors(answer)) == (404, [("DataError", "No result found")])


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("status=elephant", f"status elephant is not one of [{STATUSES}]"),
        ("template_type=fax", "template_type fax is not one of [sms, email, letter]"),
        ("include_jobs=yes", "include_jobs yes is not one of [true, True]"),
        ("older_than=x", "older_than is not a valid UUID"),
        ("page=1", "Additional properties are not allowed (page was unexpected)"),
    ],
)
def test_queries_that_are_not_understood(api: Api, query: str, message: str) -> None:
    assert errors(api.call("GET", f"/v2/notifications?{query}")) == [(VALIDATION, message)]


def ids(answer: dict[str, Any]) -> list[str]:
    return [entry["id"] for entry in answer["notifications"]]


def test_pages_go_from_the_newest_to_the_oldest(api: Api) -> None:
    sent = [str(api.sent(reference="paged")) for _ in range(3)]
    api.sent(key="test", reference="paged")
    page = api.call("GET", "/v2/notifications?reference=paged").get_json()
    assert ids(page) == sent[::-1]
    assert page["links"] == {
        "current": "http://localhost/v2/notifications?reference=paged",
        "next": f"http://localhost/v2/notifications?reference=paged&older_than={sent[0]}",
    }
    older = api.call("GET", f"/v2/notifications?reference=paged&older_than={sent[1]}").get_json()
    assert ids(older) == [sent[0]]
    end = api.call("GET", f"/v2/notifications?older_than={uuid4()}").get_json()
    assert end["notifications"] == []
    assert "next" not in end["links"]


def test_messages_of_the_same_moment_do_not_fall_between_pages(api: Api) -> None:
    sent = {str(api.sent(reference="tie")) for _ in range(3)}
    api.execute("UPDATE notifications SET created_at = '2026-01-01' WHERE client_reference = 'tie'")
    seen = []
    page = api.call("GET", "/v2/notifications?reference=tie").get_json()
    while page["notifications"]:
        newest = ids(page)[0]
        seen.append(newest)
        page = api.call("GET", f"/v2/notifications?reference=tie&older_than={newest}").get_json()
    assert len(seen) == 3
    assert set(seen) == sent


def test_filters_by_status_and_type(api: Api) -> None:
    delivered, failed, email = api.sent(reference="f"), api.sent(reference="f"), api.sent("email", reference="f")
    api.execute("UPDATE notifications SET notification_status = 'delivered' WHERE id = %s", delivered)
    api.execute("UPDATE notifications SET notification_status = 'temporary-failure' WHERE id = %s", failed)

    def found(query: str) -> set[str]:
        return set(ids(api.call("GET", f"/v2/notifications?reference=f&{query}").get_json()))

    assert found("status=delivered") == {str(delivered)}
    assert found("status=failed") == {str(failed)}
    assert found("status=failed&status=created") == {str(failed), str(email)}
    assert found("template_type=email") == {str(email)}
    assert found("template_type=letter") == set()


def test_messages_of_spreadsheets_are_left_out_unless_asked_for(api: Api) -> None:
    id_ = api.sent(reference="job")
    api.execute("UPDATE notifications SET job_id = %s, job_row_number = 0 WHERE id = %s", new_id(), id_)
    assert ids(api.call("GET", "/v2/notifications?reference=job").get_json()) == []
    assert ids(api.call("GET", "/v2/notifications?reference=job&include_jobs=true").get_json()) == [str(id_)]


def test_a_delivered_text_shows_what_it_cost(api: Api) -> None:
    id_ = api.sent(phone_number="+201212341234")
    api.execute(
        "UPDATE notifications SET notification_status = 'delivered', billable_units = 2, sent_at = created_at,"
        " updated_at = created_at WHERE id = %s",
        id_,
    )
    shown = api.get(str(id_))
    assert shown["cost_details"] == {
        "billable_sms_fragments": 2,
        "international_rate_multiplier": 7.0,
        "sms_rate": 0.024,
    }
    assert shown["cost_in_pounds"] == pytest.approx(0.336)
    assert shown["completed_at"] == shown["sent_at"] == shown["created_at"]


def test_templates(api: Api) -> None:
    listed = api.call("GET", "/v2/templates").get_json()["templates"]
    assert [entry["type"] for entry in listed] == ["email", "letter", "sms"]
    only = api.call("GET", "/v2/templates?type=sms").get_json()["templates"]
    one = api.call("GET", f"/v2/template/{api.template('sms')}").get_json()
    assert only == [one]
    assert one["personalisation"] == {"name": {"required": True}, "date": {"required": True}}
    assert one["subject"] is None
    assert one["created_by"] == "demo@example.com"
    assert api.call("GET", f"/v2/template/{api.template('sms')}/version/1").get_json() == one
    assert api.call("GET", f"/v2/template/{api.template('sms')}/version/0").get_json() == one


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("/v2/template/x", 400, [(VALIDATION, "id is not a valid UUID")]),
        ("/v2/template/5b4e8a0f-6f0e-4a1c-9c7a-0d9f6a1c2b3d", 404, [("NoResultFound", "No result found")]),
        ("/v2/templates?type=fax", 400, [(VALIDATION, "type fax is not one of [sms, email, letter]")]),
        (
            "/v2/templates?a=1",
            400,
            [(VALIDATION, "Additional properties are not allowed (a was unexpected)")],
        ),
    ],
)
def test_templates_that_are_not_there(api: Api, path: str, status: int, expected: list[tuple[str, str]]) -> None:
    answer = api.call("GET", path)
    assert (answer.status_code, errors(answer)) == (status, expected)


def test_versions(api: Api) -> None:
    base = f"/v2/template/{api.template('sms')}/version"
    assert errors(api.call("GET", f"{base}/99")) == [("NoResultFound", "No result found")]
    assert errors(api.call("GET", f"{base}/{10**30}")) == [("DataError", "No result found")]
    assert api.call("GET", f"{base}/x").get_json()["result"] == "error"


def test_previews(api: Api) -> None:
    path = f"/v2/template/{api.template('email')}/preview"
    body = {"personalisation": {"name": "A & B", "date": "Monday", "parking": "yes"}, "unknown": 1}
    shown = api.call("POST", path, body).get_json()
    assert shown["subject"] == "Your appointment on Monday"
    assert "You can park behind the building." in shown["body"]
    assert "A &amp; B" in shown["html"]
    assert "<html" not in shown["html"]
    missing = errors(api.call("POST", path))
    assert missing == [("BadRequestError", "Missing personalisation: date, name, parking")]
    wrong = errors(api.call("POST", path, {"personalisation": []}))
    assert wrong == [(VALIDATION, "personalisation [] is not of type object")]


def test_received_texts(api: Api) -> None:
    path = "/v2/received-text-messages"
    empty = api.call("GET", path).get_json()
    assert empty == {"received_text_messages": [], "links": {"current": f"http://localhost{path}"}}
    stored = []
    for minute in range(2):
        stored.append(new_id())
        api.execute(
            "INSERT INTO inbound_sms (id, service_id, content, notify_number, user_number, created_at, provider)"
            " VALUES (%s, %s, %s, '07700900789', '447900900123', %s, 'mmg')",
            stored[-1],
            api.service_id,
            api.parts.encryptor.encrypt(f"text {minute}", CONTENT, stored[-1]),
            f"2026-01-01T00:0{minute}:00Z",
        )
    page = api.call("GET", path).get_json()
    assert [entry["content"] for entry in page["received_text_messages"]] == ["text 1", "text 0"]
    assert page["received_text_messages"][0]["created_at"] == "2026-01-01T00:01:00.000000Z"
    assert page["links"]["next"] == f"http://localhost{path}?older_than={stored[0]}"
    older = api.call("GET", f"{path}?older_than={stored[1]}").get_json()
    assert [entry["id"] for entry in older["received_text_messages"]] == [str(stored[0])]
    assert errors(api.call("GET", f"{path}?older_than=x")) == [(VALIDATION, "older_than is not a valid UUID")]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v2/nothing", 404), ("PUT", "/v2/templates", 405)])
def test_unknown_routes_and_methods_have_the_usual_envelope(api: Api, method: str, path: str, status: int) -> None:
    answer = api.call(method, path, headers={})
    assert answer.status_code == status
    assert answer.get_json()["result"] == "error"


def test_the_status_page(api: Api) -> None:
    shown = api.call("GET", "/_status", headers={}).get_json()
    assert shown["status"] == "ok"
    assert shown["db_version"] == shown["db_bulk_version"]
    assert api.call("GET", "/_status?simple=1", headers={}).get_json() == {"status": "ok"}
