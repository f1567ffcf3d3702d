"""Requests with an idempotency key: repeated, changed, concurrent, and interrupted by a crash."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from werkzeug.test import TestResponse

from notify.app import EXTENSION, create_app
from notify.messages.tasks import delete_old_idempotency_keys
from notify.services.limits import counter_key
from tests.api import Api, errors

VALUES = {"name": "Amala", "date": "Monday", "parking": "no"}
ADDRESS = {"address_line_1": "A", "address_line_2": "B", "postcode": "SW1A 1AA"}
REPLAYED = "Idempotent-Replayed"


@pytest.fixture(autouse=True)
def fresh(api: Api) -> None:
    """A live service whose limits are unused."""
    api.execute("UPDATE services SET restricted = false, rate_limit = 60000 WHERE id = %s", api.service_id)
    api.parts.cache.delete(counter_key(UUID(api.service_id), "normal", "sms"))
    api.forget()


def body_of(api: Api, kind: str, **changes: Any) -> dict[str, Any]:
    recipient = {"sms": {"phone_number": "07900900123"}, "email": {"email_address": "amala@example.com"}, "letter": {}}
    values = VALUES | (ADDRESS if kind == "letter" else {})
    return {**recipient[kind], "template_id": api.template(kind), "personalisation": values, **changes}


def post(api: Api, path: str, body: Any, key: str, *, api_key: str = "normal", app: Any = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {api.token(api_key)}", "Idempotency-Key": key}
    client = (app or api.app).test_client()
    answer: TestResponse = client.post(path, json=body, headers=headers)
    return answer


def send(api: Api, key: str, kind: str = "sms", *, api_key: str = "normal", **changes: Any) -> TestResponse:
    return post(api, f"/v2/notifications/{kind}", body_of(api, kind, **changes), key, api_key=api_key)


def number_of_messages(api: Api) -> int:
    ((number,),) = api.execute("SELECT count(*) FROM notifications")
    return int(number)


def new_key() -> str:
    return f"order {uuid4()}"


# -- repeated


@pytest.mark.parametrize("kind", ["sms", "email", "letter"])
def test_the_same_request_gets_the_same_answer_and_one_message(api: Api, kind: str) -> None:
    key, before = new_key(), number_of_messages(api)
    first = send(api, key, kind, reference="r")
    again = send(api, key, kind, reference="r")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert again.content_type == first.content_type == "application/json"
    assert number_of_messages(api) == before + 1


@pytest.mark.parametrize("kind", ["sms", "email"])
def test_version_1_has_it_too(api: Api, kind: str) -> None:
    to = {"sms": "07900900123", "email": "amala@example.com"}[kind]
    body = {"to": to, "template": api.template(kind), "personalisation": VALUES}
    key, before = new_key(), number_of_messages(api)
    first, again = (post(api, f"/notifications/{kind}", body, key) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.data == again.data
    assert again.headers[REPLAYED] == "true"
    assert number_of_messages(api) == before + 1
    other = post(api, f"/notifications/{kind}", body | {"personalisation": VALUES | {"name": "Bo"}}, key)
    assert other.status_code == 409
    assert other.get_json()["result"] == "error"


def test_a_letter_that_comes_as_a_pdf_is_repeated_too(api: Api) -> None:
    body = {"reference": "mine", "content": base64.b64encode(b"%PDF-1.4").decode()}
    key, before = new_key(), number_of_messages(api)
    first, again = (post(api, "/v2/notifications/letter", body, key) for _ in range(2))
    assert first.status_code == 201
    assert first.get_json()["reference"] == "mine"
    assert first.data == again.data
    assert again.headers[REPLAYED] == "true"
    assert number_of_messages(api) == before + 1
    assert post(api, "/v2/notifications/letter", body | {"postage": "first"}, key).status_code == 409


def test_the_order_of_fields_and_spaces_are_no_difference(api: Api) -> None:
    key, body = new_key(), body_of(api, "sms")
    assert post(api, "/v2/notifications/sms", body, key).status_code == 201
    turned = dict(reversed(body.items()))
    assert post(api, "/v2/notifications/sms", turned, key).headers[REPLAYED] == "true"


def test_without_the_header_equal_requests_are_separate_messages(api: Api) -> None:
    before, kept = number_of_messages(api), api.execute("SELECT count(*) FROM idempotency_keys")
    assert api.sent() != api.sent()
    assert number_of_messages(api) == before + 2
    assert api.execute("SELECT count(*) FROM idempotency_keys") == kept


def test_a_repetition_counts_towards_no_limit_and_needs_no_room_in_it(api: Api) -> None:
    key = new_key()
    assert send(api, key).status_code == 201
    api.execute("UPDATE services SET sms_message_limit = 1 WHERE id = %s", api.service_id)
    api.forget()
    assert send(api, key).status_code == 201
    assert send(api, new_key()).status_code == 429
    assert api.parts.cache.get(counter_key(UUID(api.service_id), "normal", "sms")) == b"1"
    api.execute("UPDATE services SET sms_message_limit = 250000 WHERE id = %s", api.service_id)


def test_the_first_answer_is_returned_after_its_template_is_archived(api: Api) -> None:
    key = new_key()
    first = send(api, key)
    api.execute("UPDATE templates SET archived = true WHERE id = %s", api.template("sms"))
    api.forget()
    try:
        assert send(api, key).data == first.data
        assert send(api, new_key()).status_code == 400
    finally:
        api.execute("UPDATE templates SET archived = false WHERE id = %s", api.template("sms"))


def test_smoke_tests_are_repeated_alike(api: Api) -> None:
    key = new_key()
    first, again = (send(api, key, phone_number="07700900000") for _ in range(2))
    assert first.data == again.data
    assert again.headers[REPLAYED] == "true"
    key = new_key()
    address = "simulate-delivered@notifications.service.gov.uk"
    first, again = (send(api, key, "email", email_address=address) for _ in range(2))
    assert first.data == again.data
    assert again.headers[REPLAYED] == "true"


# -- refused


def test_another_body_with_the_same_key_is_refused(api: Api) -> None:
    key = new_key()
    send(api, key)
    before = number_of_messages(api)
    for answer in (send(api, key, phone_number="07900900124"), send(api, key, "email")):
        assert answer.status_code == 409
        ((kind, text),) = errors(answer)
        assert kind == "IdempotencyKeyReusedError"
        assert text.startswith("Idempotency-Key was used for another request in the last 24 hours")
    assert number_of_messages(api) == before


def test_a_refusal_is_not_kept(api: Api) -> None:
    key = new_key()
    assert send(api, key, personalisation={}).status_code == 400
    assert send(api, key, phone_number="x").status_code == 400
    assert send(api, key).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9", "a\tb"])
def test_what_is_no_key_is_refused(api: Api, key: str) -> None:
    before = number_of_messages(api)
    answer = send(api, key)
    assert answer.status_code == 400
    assert errors(answer) == [("ValidationError", "Idempotency-Key must be 1 to 255 printable ASCII characters")]
    assert number_of_messages(api) == before


def test_keys_of_another_type_and_service_are_others(api: Api) -> None:
    key = new_key()
    live, test = send(api, key), send(api, key, api_key="test")
    assert live.status_code == test.status_code == 201
    assert live.get_json()["id"] != test.get_json()["id"]
    assert send(api, "x" * 255).status_code == 201


def test_without_a_token_no_key_is_looked_at(api: Api) -> None:
    answer = api.app.test_client().post("/v2/notifications/sms", json={}, headers={"Idempotency-Key": ""})
    assert answer.status_code == 401


# -- at the same time


def test_twenty_at_once_are_one_message(api: Api) -> None:
    """In two applications, as in two processes."""
    other = create_app(api.parts.settings)
    answers: list[TestResponse] = []
    key, before = new_key(), number_of_messages(api)
    barrier = threading.Barrier(20)

    def call(app: Any) -> None:
        barrier.wait()
        answers.append(post(api, "/v2/notifications/sms", body_of(api, "sms"), key, app=app))

    threads = [threading.Thread(target=call, args=(app,)) for app in [api.app, other] * 10]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.extensions[EXTENSION].close()
    assert number_of_messages(api) == before + 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    good = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.data for answer in good}) == 1
    assert sum(REPLAYED not in answer.headers for answer in good) == 1
    refused = [errors(answer)[0][0] for answer in answers if answer.status_code == 409]
    assert set(refused) <= {"IdempotentRequestUnderWayError"}
    # the counter of the day knows one message
    assert api.parts.cache.get(counter_key(UUID(api.service_id), "normal", "sms")) == b"1"


@contextmanager
def nobody_writes_answers(api: Api) -> Iterator[Callable[[int], None]]:
    """Transactions that write answers wait until the block ends. Gives a function that waits for so many of them."""
    with psycopg.connect(api.parts.settings.sqlalchemy_database_uri) as connection:
        connection.execute("LOCK TABLE idempotency_keys IN SHARE MODE")

        def wait_for(number: int) -> None:
            patience = time.monotonic() + 90
            blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'idempotency_keys'::regclass"
            while connection.execute(blocked).fetchone() != (number,):
                assert time.monotonic() < patience
                time.sleep(0.01)

        yield wait_for


def test_processes_that_race_write_one_message_and_none_waits(api: Api) -> None:
    """Both have looked, and found no answer, before either writes."""
    key, before = new_key(), number_of_messages(api)
    other = create_app(api.parts.settings)
    answers: list[TestResponse] = []

    def call(app: Any) -> None:
        answers.append(post(api, "/v2/notifications/sms", body_of(api, "sms"), key, app=app))

    threads = [threading.Thread(target=call, args=(app,)) for app in (api.app, other)]
    with nobody_writes_answers(api) as wait_for:
        threads[0].start()
        wait_for(1)
        threads[1].start()
        threads[1].join(30)
        # the table is locked for the first one still
        assert [errors(answer)[0][0] for answer in answers] == ["IdempotentRequestUnderWayError"]
    threads[0].join()
    call(other)
    other.extensions[EXTENSION].close()
    assert [answer.status_code for answer in answers] == [409, 201, 201]
    assert answers[1].data == answers[2].data
    assert [REPLAYED in answer.headers for answer in answers] == [False, False, True]
    assert number_of_messages(api) == before + 1
    assert api.parts.cache.get(counter_key(UUID(api.service_id), "normal", "sms")) == b"1"


def test_a_request_in_progress_is_not_waited_for(api: Api) -> None:
    key, before = new_key(), number_of_messages(api)
    first: list[TestResponse] = []
    thread = threading.Thread(target=lambda: first.append(send(api, key)))
    with nobody_writes_answers(api) as wait_for:
        thread.start()
        wait_for(1)
        answer = send(api, key)
    thread.join()
    assert errors(answer) == [
        (
            "IdempotentRequestUnderWayError",
            "A request with this Idempotency-Key is still under way - try again in a moment",
        )
    ]
    assert first[0].status_code == 201
    assert send(api, key).data == first[0].data
    assert number_of_messages(api) == before + 1


# -- killed

CLIENT = """
import json, os, signal, sys
from notify.app import create_app
from notify.settings import load

body, key, api_key = json.loads(sys.argv[1])
# "ApiKey-v1": a token would be too old if this process is slow to start
headers = {"Authorization": f"ApiKey-v1 {api_key}", "Idempotency-Key": key}
create_app(load()).test_client().post("/v2/notifications/sms", json=body, headers=headers)
os.kill(os.getpid(), signal.SIGKILL)  # the message is stored, and nobody has got the answer
"""


def process_that_dies(api: Api, folder: Path, key: str) -> subprocess.Popen[bytes]:
    """A process that accepts a message, and is killed before anybody gets its answer."""
    settings = api.parts.settings
    script = folder / "client.py"
    script.write_text(CLIENT)
    return subprocess.Popen(
        [sys.executable, str(script), json.dumps([body_of(api, "sms"), key, api.demo["api_keys"]["normal"]])],
        env={
            **os.environ,
            "NOTIFY_ENVIRONMENT": "test",
            "SQLALCHEMY_DATABASE_URI": settings.sqlalchemy_database_uri,
            "REDIS_URL": settings.redis_url,
            "NOTIFY_DATA_DIR": str(settings.notify_data_dir),
        },
    )


def test_a_process_killed_before_its_answer_doubles_nothing(api: Api, tmp_path: Path) -> None:
    key, before = new_key(), number_of_messages(api)
    assert process_that_dies(api, tmp_path, key).wait(120) == -signal.SIGKILL
    assert number_of_messages(api) == before + 1
    answer = send(api, key)
    assert answer.status_code == 201
    assert answer.headers[REPLAYED] == "true"
    assert number_of_messages(api) == before + 1
    assert api.get(answer.get_json()["id"])["phone_number"] == "07900900123"


def test_a_process_killed_before_its_commit_leaves_no_key(api: Api, tmp_path: Path) -> None:
    key, before = new_key(), number_of_messages(api)
    with nobody_writes_answers(api) as wait_for:
        process = process_that_dies(api, tmp_path, key)
        wait_for(1)
        process.kill()
        process.wait(60)
    assert number_of_messages(api) == before
    # the server may need a moment to see that nobody waits for its answer any more
    patience = time.monotonic() + 30
    while (answer := send(api, key)).status_code == 409:
        assert errors(answer)[0][0] == "IdempotentRequestUnderWayError"
        assert time.monotonic() < patience
    assert answer.status_code == 201
    assert REPLAYED not in answer.headers
    assert number_of_messages(api) == before + 1


# -- at rest


def test_answers_are_encrypted_and_go_after_a_day(api: Api) -> None:
    key = new_key()
    first = send(api, key)
    answers = [bytes(row[0]) for row in api.execute("SELECT answer FROM idempotency_keys")]
    assert answers
    assert all(b"Amala" not in answer and b"07900900123" not in answer for answer in answers)
    api.execute("UPDATE idempotency_keys SET created_at = created_at - %s", timedelta(hours=23, minutes=59))
    delete_old_idempotency_keys(api.container)
    assert send(api, key).data == first.data
    api.execute("UPDATE idempotency_keys SET created_at = created_at - %s", timedelta(minutes=2))
    # it may be used again before the task has come by
    second = send(api, key)
    assert second.status_code == 201
    assert second.get_json()["id"] != first.get_json()["id"]
    assert send(api, key).data == second.data
    delete_old_idempotency_keys(api.container)
    delete_old_idempotency_keys(api.container)
    assert api.execute("SELECT count(*) FROM idempotency_keys") == [(1,)]
    assert send(api, key).data == second.data
