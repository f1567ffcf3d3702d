from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from notify.public.v1 import schemas
from tests.api import Api

ZONED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
KEYS = {
    "id", "to", "job_row_number", "template_version", "billable_units", "notification_type", "created_at", "sent_at",
    "sent_by", "updated_at", "status", "reference", "template", "service", "job", "api_key", "body",
    "content_char_count",
}  # fmt: skip


@pytest.fixture(autouse=True)
def empty(api: Api) -> None:
    """A service without messages."""
    api.execute("DELETE FROM notifications WHERE service_id = %s", api.service_id)
    api.execute("UPDATE services SET rate_limit = 60000 WHERE id = %s", api.service_id)
    api.forget()


def read(api: Api, id_: object, *, key: str = "normal") -> Any:
    answer = api.call("GET", f"/notifications/{id_}", key=key)
    assert answer.status_code == 200, answer.text
    body = answer.get_json()
    assert list(body) == ["data"]
    return body["data"]["notification"]


def page(api: Api, query: str = "", *, key: str = "normal") -> Any:
    answer = api.call("GET", f"/notifications{query}", key=key)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def ids(shown: Any) -> list[str]:
    return [entry["id"] for entry in shown["notifications"]]


# -- one message


def test_a_text_message(api: Api) -> None:
    id_ = api.sent()
    shown = read(api, id_)
    assert set(shown) == KEYS
    assert shown["content_char_count"] == len(shown["body"])
    assert shown["template"] == {
        "id": api.template("sms"),
        "name": shown["template"]["name"],
        "template_type": "sms",
        "version": 1,
    }
    assert ZONED.fullmatch(shown["created_at"])
    assert (shown["sent_at"], shown["updated_at"], shown["job"]) == (None, None, None)
    assert (shown["status"], shown["service"], shown["to"]) == ("created", api.service_id, "07900900123")
    assert page(api)["notifications"] == [shown]


def test_an_email_has_a_subject_and_no_count(api: Api) -> None:
    shown = read(api, api.sent("email"))
    assert set(shown) == KEYS | {"subject"}
    assert shown["content_char_count"] is None
    assert shown["subject"]


def test_a_letter_has_its_stored_status(api: Api) -> None:
    id_ = api.sent("letter", key="test")
    shown = read(api, id_)
    assert (shown["notification_type"], shown["status"]) == (
        "letter",
        api.execute("SELECT notification_status FROM notifications WHERE id = %s", id_)[0][0],
    )
    assert page(api, "?template_type=letter", key="test")["total"] == 1


def test_every_key_of_the_service_reads_a_message(api: Api) -> None:
    id_ = api.sent(key="test")
    for key in ("normal", "team", "test"):
        assert read(api, id_, key=key)["id"] == str(id_)


@pytest.mark.parametrize("id_", [uuid4(), UUID(int=0), "00000000-0000-0000-0000-000000000000"])
def test_a_message_that_does_not_exist(api: Api, id_: object) -> None:
    answer = api.call("GET", f"/notifications/{id_}")
    assert (answer.status_code, answer.get_json()) == (404, {"result": "error", "message": "No result found"})


def test_messages_of_others_are_neither_read_nor_listed(api: Api) -> None:
    id_ = api.sent()
    api.execute("UPDATE notifications SET service_id = %s WHERE id = %s", uuid4(), id_)
    answer = api.call("GET", f"/notifications/{id_}")
    assert (answer.status_code, answer.get_json()["message"]) == (404, "No result found")
    assert page(api, "?include_jobs=true") == {"notifications": [], "page_size": 250, "total": 0, "links": {}}


def test_an_id_that_is_none_is_no_route(api: Api) -> None:
    answer = api.call("GET", "/notifications/abc")
    assert (answer.status_code, answer.get_json()["message"]) == (
        405,
        "The method is not allowed for the requested URL.",
    )


# -- lists


def test_the_newest_come_first(api: Api) -> None:
    sent = [str(api.sent()) for _ in range(3)]
    assert ids(page(api)) == sent[::-1]


def test_a_list_has_the_messages_of_one_type_of_key(api: Api) -> None:
    by_key = {key: str(api.sent(key=key)) for key in ("normal", "test")}
    for key, id_ in by_key.items():
        assert ids(page(api, key=key)) == [id_]
    assert page(api, key="team")["total"] == 0


def test_one_off_messages_are_in_the_list_and_those_of_jobs_when_asked_for(api: Api) -> None:
    one_off, of_job, of_program = (api.sent() for _ in range(3))
    api.execute(
        "UPDATE notifications SET api_key_id = NULL, created_by_id = %s WHERE id = %s", api.demo["user"]["id"], one_off
    )
    api.execute(
        "UPDATE notifications SET job_id = %s, job_row_number = 4, api_key_id = NULL WHERE id = %s", uuid4(), of_job
    )
    assert ids(page(api)) == [str(of_program), str(one_off)]
    assert page(api)["notifications"][1]["api_key"] is None
    for yes in ("true", "1", "True", "yes"):
        assert ids(page(api, f"?include_jobs={yes}")) == [str(of_program), str(of_job), str(one_off)]
    assert page(api, "?include_jobs=false")["total"] == 2
    assert read(api, of_job)["job_row_number"] == 4


def test_lists_by_type_and_status(api: Api) -> None:
    text, email = str(api.sent()), str(api.sent("email"))
    api.execute("UPDATE notifications SET notification_status = 'permanent-failure' WHERE id = %s", UUID(email))
    assert ids(page(api, "?template_type=sms")) == [text]
    assert ids(page(api, "?template_type=sms&template_type=email")) == [email, text]
    assert ids(page(api, "?status=permanent-failure")) == [email]
    assert ids(page(api, "?status=failed")) == [email]
    assert ids(page(api, "?status=created&status=permanent-failure&template_type=email")) == [email]
    assert ids(page(api, "?status=asleep")) == []
    assert ids(page(api, "?status=%00")) == []
    assert ids(page(api, "?colour=red")) == [email, text]


def test_lists_of_the_last_days(api: Api) -> None:
    old, new = api.sent(), api.sent()
    api.execute("UPDATE notifications SET created_at = created_at - interval '3 days' WHERE id = %s", old)
    assert ids(page(api, "?limit_days=1")) == [str(new)]
    assert ids(page(api, "?limit_days=0")) == [str(new)]
    assert ids(page(api, "?limit_days=7")) == [str(new), str(old)]
    assert ids(page(api, "?limit_days=999999999999")) == [str(new), str(old)]
    assert ids(page(api, "?limit_days=-999999999999")) == []


def test_pages_and_their_links(api: Api) -> None:
    sent = [str(api.sent()) for _ in range(3)]
    first = page(api, "?page_size=1")
    assert (first["total"], first["page_size"], ids(first)) == (3, 1, [sent[2]])
    assert first["links"] == {
        "next": "/notifications?page=2&page_size=1",
        "last": "/notifications?page=3&page_size=1",
    }
    second = page(api, "?template_type=sms&page=2&page_size=1&template_type=email&status=created")
    rest = "&template_type=sms&page_size=1&status=created"
    assert second["links"] == {
        "prev": f"/notifications?page=1{rest}",
        "next": f"/notifications?page=3{rest}",
        "last": f"/notifications?page=3{rest}",
    }
    third = page(api, "?page=3&page_size=1")
    assert (third["links"], third["total"]) == ({"prev": "/notifications?page=2&page_size=1"}, 3)
    exact = page(api, "?page_size=3")
    assert (exact["links"], exact["total"], len(ids(exact))) == ({}, 3, 3)
    assert api.call("GET", first["links"]["next"]).get_json() == page(api, "?page=2&page_size=1")


def test_totals_count_what_the_filter_has(api: Api) -> None:
    for kind in ("sms", "sms", "sms", "email"):
        api.sent(kind)
    api.sent(key="test")
    assert page(api, "?page_size=1&template_type=sms")["total"] == 3
    assert page(api, "?page_size=1&limit_days=1&status=created")["total"] == 4
    assert page(api, "?page_size=1", key="test")["total"] == 1


@pytest.mark.parametrize("number", ["4", "2", "999999999999999999", "99999999"])
def test_pages_after_the_last(api: Api, number: str) -> None:
    api.sent()
    answer = api.call("GET", f"/notifications?page={number}&page_size=1")
    assert (answer.status_code, answer.get_json()["result"]) == (404, "error")


def test_the_first_page_of_nothing_is_empty(api: Api) -> None:
    assert page(api, "?page=1") == {"notifications": [], "page_size": 250, "total": 0, "links": {}}


def test_a_page_has_so_many_messages_at_most(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert page(api, "?page_size=1000000")["page_size"] == 1000000
    monkeypatch.setattr(schemas, "LARGEST_PAGE", 2)
    for _ in range(3):
        api.sent()
    first = page(api, "?page_size=1000000")
    assert (first["total"], first["page_size"], len(first["notifications"])) == (3, 2, 2)


INTEGER, POSITIVE = ["Not a valid integer."], ["Not a positive integer"]
NO_CHOICE = {"template_type": ["Not a valid choice."]}


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("page=x", {"page": INTEGER}),
        ("page=", {"page": INTEGER}),
        ("page=1.5", {"page": INTEGER}),
        ("page=1_0", {"page": INTEGER}),
        ("page=%D9%A1", {"page": INTEGER}),
        ("page=0", {"page": POSITIVE}),
        ("page=-1", {"page": POSITIVE}),
        ("page_size=ten", {"page_size": INTEGER}),
        ("page_size=-1", {"page_size": POSITIVE}),
        ("page=x&page_size=y", {"page": INTEGER, "page_size": INTEGER}),
        ("page=" + "9" * 40, {"page": INTEGER}),
        ("limit_days=x", {"limit_days": INTEGER}),
        ("include_jobs=perhaps", {"include_jobs": ["Not a valid boolean."]}),
        ("template_type=pigeon", {"template_type": {"0": NO_CHOICE}}),
        ("template_type=sms&template_type=pigeon", {"template_type": {"1": NO_CHOICE}}),
    ],
)
def test_queries_that_are_not_understood(api: Api, query: str, fields: Any) -> None:
    answer = api.call("GET", f"/notifications?{query}")
    assert (answer.status_code, answer.get_json()) == (400, {"result": "error", "message": fields})
