"""`POST /notifications/letter/status`: accepted and refused callbacks of the print provider (contract: public-api 12)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from notify.infra.ids import new_id
from notify.infra.times import utc_now
from notify.letters.printing import tasks as printing
from notify.letters.printing.callback_tokens import CallbackTokens
from notify.letters.printing.fake_callback import despatched
from notify.letters.statuses import LetterFailedError
from tests.api import Api, errors, queued
from tests.letters.rows import Letters


@pytest.fixture
def letters(api: Api) -> Letters:
    return Letters(api.parts)


def call(api: Api, body: Any, token: str | None = None) -> Any:
    if token is None:
        job = body["data"]["jobId"] if isinstance(body, dict) and isinstance(body.get("data"), dict) else ""
        token = api.container.get(CallbackTokens).make(UUID(job))
    return api.app.test_client().post(f"/notifications/letter/status?token={token}", json=body)


def body(id_: UUID, **data: Any) -> dict[str, Any]:
    made = despatched(id_, 1, "second", utc_now())
    made["data"] |= data
    return made


def test_a_despatch(api: Api, letters: Letters) -> None:
    id_ = letters.add(status="sending", units=1)
    queued(api.parts)
    answer = call(api, body(id_, transitionDate="2026-07-15T23:30:00Z"))
    assert (answer.status_code, answer.data) == (204, b"")
    ((task, arguments),) = queued(api.parts)
    # in London it is the next day
    assert (task, arguments) == ("process-letter-callback", [str(id_), 1, "DESPATCHED", "sorted", "2026-07-16"])
    printing.process_letter_callback(api.container, *arguments)
    assert letters.status(id_) == "delivered"
    query = "SELECT despatched_on::text, cost_threshold FROM notifications_letter_despatch WHERE notification_id = %s"
    assert letters.execute(query, (id_,)) == [("2026-07-16", "sorted")]


def test_a_rejection(api: Api, letters: Letters) -> None:
    id_ = letters.add(status="sending")
    data = body(id_, jobStatus="REJECTED", comment="Address cannot be read")
    del data["data"]["despatchProperties"]
    queued(api.parts)
    assert call(api, data).status_code == 204
    ((_, arguments),) = queued(api.parts)
    assert arguments[1:4] == [None, "REJECTED", None]
    with pytest.raises(LetterFailedError, match="rejected"):
        printing.process_letter_callback(api.container, *arguments)
    assert letters.status(id_) == "technical-failure"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("sending", "delivered"),
        ("created", "delivered"),
        ("returned-letter", "delivered"),
        ("delivered", "delivered"),
        ("technical-failure", "technical-failure"),
    ],
)
@pytest.mark.parametrize("history", [False, True])
def test_a_despatch_changes_every_status_but_two(
    api: Api, letters: Letters, before: str, after: str, history: bool
) -> None:
    id_ = letters.add(status=before, history=history)
    for _ in range(2):  # the printer calls twice
        printing.process_letter_callback(api.container, str(id_), 1, "DESPATCHED", "unsorted", "2026-07-16")
    assert letters.status(id_) == after


def test_one_about_a_letter_that_is_not_there(api: Api) -> None:
    printing.process_letter_callback(api.container, str(new_id()), 1, "DESPATCHED", "unsorted", "2026-07-16")


def test_it_is_applied_at_once_while_the_broker_is_down(
    api: Api, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = letters.add(status="sending")
    with monkeypatch.context() as patch:
        patch.setattr(api.app.extensions["notify"].parts.queue, "publish", lambda *_, **__: False)
        assert call(api, body(id_)).status_code == 204
    assert letters.status(id_) == "delivered"


@pytest.mark.parametrize("product", ["MM", "MM ECONOMY", "UNSORTED", "MM UNSORTED", "UNSORTEDE"])
def test_what_counts_as_sorted(api: Api, letters: Letters, product: str) -> None:
    data = body(new_id())
    for entry in data["data"]["despatchProperties"]:
        if entry["key"] == "mailingProduct":
            entry["value"] = product
    queued(api.parts)
    assert call(api, data).status_code == 204
    ((_, arguments),) = queued(api.parts)
    assert arguments[3] == ("sorted" if product in ("MM", "MM ECONOMY") else "unsorted")


@pytest.mark.parametrize("token", ["", "abc", "IjEi.AAAA"])
def test_a_token_is_needed_before_anything_else(api: Api, token: str) -> None:
    answer = call(api, {"id": "x"}, token)
    assert answer.status_code == 403
    assert errors(answer) == [("InvalidRequest", "A valid token must be provided in the query string")]


def test_a_token_of_another_letter(api: Api) -> None:
    token = api.container.get(CallbackTokens).make(new_id())
    answer = call(api, body(new_id()), token)
    assert answer.status_code == 400
    message = "Notification ID in letter callback data does not match ID in token"
    assert errors(answer) == [("InvalidRequest", message)]


def test_what_is_no_json(api: Api) -> None:
    token = api.container.get(CallbackTokens).make(new_id())
    answer = api.app.test_client().post(f"/notifications/letter/status?token={token}", data=b"{")
    assert answer.status_code == 400
    assert errors(answer)[0][0] == "BadRequest"


def _set(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        *folders, name = path.split(".")
        for folder in folders:
            body = body[folder]
        if value is ...:
            del body[name]
        else:
            body[name] = value

    return change


_PROPERTIES = [{"key": "totalSheets", "value": "1"}, {"key": "mailingProduct", "value": "MM"}]


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        (_set("id", ...), ["id is a required property"]),
        (_set("metadata", ...), ["metadata is a required property"]),
        (_set("metadata.correlationId", ...), ["metadata correlationId is a required property"]),
        (_set("time", "yesterday"), ["time yesterday is not a date-time"]),
        (_set("id", 7), ["id 7 is not of type string"]),
        (_set("dataContentType", "text/plain"), ["dataContentType text/plain is not one of [application/json]"]),
        (_set("data.jobId", "7"), ["data badly formed hexadecimal UUID string"]),
        (_set("data.jobStatus", "LOST"), ["data LOST is not one of [DESPATCHED, REJECTED]"]),
        (_set("data.transitionDate", ...), ["data transitionDate is a required property"]),
        (_set("data.despatchProperties", ...), ["data despatchProperties is a required property"]),
        (
            _set("data.despatchProperties", [*_PROPERTIES, {"key": "postageClass", "value": "3RD"}]),
            ["data {key: postageClass, value: 3RD} is not valid under any of the given schemas"],
        ),
        (
            _set("data.despatchProperties", [*_PROPERTIES, {"key": "postageClass"}]),
            ["data {key: postageClass} is not valid under any of the given schemas"],
        ),
        (
            _set("data.despatchProperties", [*_PROPERTIES, _PROPERTIES[0]]),
            [f"data {[*_PROPERTIES, _PROPERTIES[0]]!s} has non-unique elements".replace("'", "")],
        ),
        (_set("data.despatchProperties", _PROPERTIES), [f"data {_PROPERTIES} is too short".replace("'", "")]),
    ],
)
def test_what_is_refused(api: Api, change: Callable[[dict[str, Any]], None], messages: list[str]) -> None:
    data = body(new_id())
    token = api.container.get(CallbackTokens).make(data["data"]["jobId"])
    change(data)
    queued(api.parts)
    answer = call(api, data, token)
    assert answer.status_code == 400
    assert errors(answer) == [("ValidationError", message) for message in messages]
    assert queued(api.parts) == []


def test_everything_that_is_missing_in_its_order(api: Api) -> None:
    token = api.container.get(CallbackTokens).make(new_id())
    assert [text for _, text in errors(call(api, {}, token))] == [
        f"{name} is a required property" for name in ("id", "time", "data", "metadata")
    ]
    data = body(new_id())
    data["data"] = {"jobStatus": "DESPATCHED"}
    assert [text for _, text in errors(call(api, data, token))] == [
        f"data {name} is a required property" for name in ("jobId", "transitionDate", "despatchProperties")
    ]


@pytest.mark.parametrize(
    "change",
    [
        _set("data.transitionDate", "2026-07-15T10:00:00.5Z"),
        _set("data.transitionDate", "2026-07-15T10:00:00+01:00"),
        _set("data.despatchProperties", [{"key": name, "value": "1"} for name in "abc"]),
        _set(
            "data.despatchProperties",
            [
                {"key": "totalSheets", "value": "many"},
                *despatched(UUID(int=1), 1, "first", utc_now())["data"]["despatchProperties"][1:],
            ],
        ),
    ],
)
def test_what_fits_the_schema_and_cannot_be_read(api: Api, change: Callable[[dict[str, Any]], None]) -> None:
    data = copy.deepcopy(body(new_id()))
    change(data)
    answer = call(api, data)
    assert answer.status_code == 400
    assert errors(answer)[0][0] == "InvalidRequest"


def test_further_fields_are_welcome(api: Api) -> None:
    data = body(new_id(), more={"a": 1})
    data["extra"] = []
    assert call(api, data).status_code == 204
