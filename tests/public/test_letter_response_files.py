"""`POST /notifications/letter/dvla`: response files of the print provider for zip files (contract: public-api 15.3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from notify.app import EXTENSION, create_app
from notify.infra.parts import Parts
from tests.api import errors, queued, with_settings

TOPIC = "arn:aws:sns:eu-west-1:123456789012:letters"


def client(parts: Parts, **changes: Any) -> Iterator[Any]:
    changed = with_settings(parts, **changes)
    app = create_app(changed.settings)
    yield app.test_client()
    app.extensions[EXTENSION].close()


@pytest.fixture
def zips(parts: Parts) -> Iterator[Any]:
    yield from client(parts, legacy_2020=True)


@pytest.fixture
def verified(parts: Parts) -> Iterator[Any]:
    yield from client(parts, legacy_2020=True, dvla_topic_arns=[TOPIC])


@pytest.fixture
def other(parts: Parts) -> Iterator[Any]:
    yield from client(parts, legacy_2020=False)


def notice(key: str, **changes: Any) -> dict[str, Any]:
    message = json.dumps({"Records": [{"s3": {"object": {"key": key}}}]})
    return {"Type": "Notification", "MessageId": "1", "Message": message, **changes}


def post(client: Any, body: Any) -> Any:
    return client.post("/notifications/letter/dvla", json=body)


@pytest.mark.parametrize("name", ["NOTIFY-20200115093000-RSP.TXT", "notify-20200115093000-rs.txt"])
def test_a_response_file_is_read_by_two_tasks(zips: Any, parts: Parts, name: str) -> None:
    queued(parts)
    answer = post(zips, notice(name))
    assert (answer.status_code, answer.get_json()) == (
        200,
        {"result": "success", "message": "DVLA callback succeeded"},
    )
    assert queued(parts) == [("update-letter-notifications-statuses", [name]), ("record-daily-sorted-counts", [name])]


def test_other_files_are_not(zips: Any, parts: Parts) -> None:
    queued(parts)
    assert post(zips, notice("NOTIFY.ACK.TXT")).status_code == 200
    assert queued(parts) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [f"{name} is a required property" for name in ("Type", "MessageId", "Message")]),
        (notice("x", Type="x"), ["Type x is not one of [Notification, SubscriptionConfirmation]"]),
        (notice("x", Message=5), ["Message 5 is not of type string, object"]),
        (notice("x", Message="{"), ["Invalid JSON supplied in POST data"]),
        (notice("x", Message={"Records": []}), ["Message names no file"]),
    ],
)
def test_what_is_refused(zips: Any, parts: Parts, body: Any, expected: list[str]) -> None:
    queued(parts)
    answer = post(zips, body)
    assert answer.status_code == 400
    assert [text for _, text in errors(answer)] == expected
    assert queued(parts) == []


def test_with_topics_only_their_genuine_messages_are_taken(verified: Any, parts: Parts) -> None:
    queued(parts)
    assert post(verified, notice("NOTIFY-20200115093000-RSP.TXT")).status_code == 400
    forged = notice("NOTIFY-20200115093000-RSP.TXT") | {
        "TopicArn": TOPIC,
        "Timestamp": "2020-01-15T09:30:00.000Z",
        "SignatureVersion": "1",
        "Signature": "AAAA",
        "SigningCertURL": "https://sns.evil.example/SimpleNotificationService-1.pem",
    }
    assert post(verified, forged).status_code == 403
    assert queued(parts) == []


def test_it_is_of_2020_only(other: Any) -> None:
    assert post(other, notice("NOTIFY-20200115093000-RSP.TXT")).status_code == 404
