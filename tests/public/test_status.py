from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from notify import queues
from notify.app import create_app
from notify.cli.keys import refuse_wrong_keys
from notify.infra import telemetry
from notify.infra.container import Container
from notify.infra.queue import TaskName
from notify.messages.maintenance import oldest_created
from notify.public import status
from tests.api import Api

With = Callable[..., Api]


@pytest.fixture
def with_settings(api: Api) -> Iterator[With]:
    """Makes the application again, with other settings."""
    with ExitStack() as stack:

        def make(**changes: Any) -> Api:
            app = create_app(api.parts.settings.changed(**changes))
            stack.callback(app.extensions["notify"].close)
            container: Container = app.extensions["notify"]
            return Api(app, container.parts, container, api.demo)

        yield make


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "CHECK_SECONDS", 1.0)


@pytest.mark.parametrize("path", ["/", "/_status"])
def test_status(api: Api, with_settings: With, path: str) -> None:
    changed = with_settings(git_commit="abc123", build_time="2026-01-01T00:00:00")
    body = changed.call("GET", path, headers={}).get_json()
    ((version,),) = api.execute("SELECT version_num FROM alembic_version")
    assert body == {
        "status": "ok",
        "git_commit": "abc123",
        "build_time": "2026-01-01T00:00:00",
        "db_version": version,
        "db_bulk_version": version,
    }


def test_a_replica_that_fails_is_shown_as_null(api: Api, with_settings: With) -> None:
    uri = api.parts.settings.sqlalchemy_database_uri
    good = with_settings(sqlalchemy_database_uri_bulk=uri).call("POST", "/_status", headers={}).get_json()
    assert good["db_bulk_version"] == good["db_version"]
    bad = with_settings(sqlalchemy_database_uri_bulk="postgresql://127.0.0.1:1/x").call("GET", "/_status")
    assert (bad.status_code, bad.get_json()["db_bulk_version"]) == (200, None)


DOWN = "postgresql://me:sesame@127.0.0.1:1/notify"


def test_simple_status_needs_no_database(api: Api, with_settings: With) -> None:
    down = with_settings(sqlalchemy_database_uri=DOWN)
    answer = down.call("GET", "/_status?simple=1", headers={})
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})
    assert down.call("GET", "/_status", headers={}).status_code == 500


def test_ready(api: Api) -> None:
    answer = api.call("GET", "/_status/ready", headers={})
    assert (answer.status_code, answer.get_json()) == (
        200,
        {"status": "ok", "database": "ok", "encryption": "ok", "cache": "ok", "broker": "ok"},
    )


@pytest.mark.parametrize(
    ("changes", "failing", "code", "strict_code"),
    [
        ({"sqlalchemy_database_uri": DOWN}, {"database"}, 503, 503),
        ({"redis_url": "redis://:sesame@127.0.0.1:1/0"}, {"cache", "broker"}, 200, 503),
        ({"broker_url": "redis://:sesame@127.0.0.1:1/0"}, {"broker"}, 200, 503),
        ({"broker_url": "amqp://me:sesame@127.0.0.1:1//"}, {"broker"}, 200, 503),
        ({"redis_enabled": False, "redis_url": ""}, set(), 200, 200),
    ],
)
def test_what_does_not_answer_is_named(
    api: Api, with_settings: With, changes: dict[str, Any], failing: set[str], code: int, strict_code: int
) -> None:
    """Without the database nothing can be accepted; without the others messages are safe."""
    if "redis_enabled" in changes:
        changes = {**changes, "broker_url": api.parts.settings.redis_url}
    changed = with_settings(**changes)
    answer = changed.call("GET", "/_status/ready", headers={})
    body = answer.get_json()
    assert {name for name, word in body.items() if word == "fail"} - {"status"} == failing
    assert answer.status_code == code
    assert changed.call("GET", "/_status/ready?strict=1", headers={}).status_code == strict_code
    assert "sesame" not in answer.text


def test_with_the_keys_of_another_database_it_is_not_ready(api: Api, with_settings: With) -> None:
    refuse_wrong_keys(api.parts.settings, at_first=True)  # as a worker does at its first start
    assert api.call("GET", "/_status/ready", headers={}).status_code == 200
    other = with_settings(data_encryption_keys=["another key"], read_data_under_secret_key=False)
    answer = other.call("GET", "/_status/ready", headers={})
    assert (answer.status_code, answer.get_json()["encryption"]) == (503, "fail")


@pytest.mark.parametrize("part", ["database", "cache", "broker"])
def test_what_hangs_counts_as_failed_before_long(api: Api, with_settings: With, silent: int, part: str) -> None:
    changes = {
        "database": {"sqlalchemy_database_uri": f"postgresql://127.0.0.1:{silent}/x"},
        "cache": {"redis_url": f"redis://127.0.0.1:{silent}/0", "broker_url": api.parts.settings.redis_url},
        "broker": {"broker_url": f"amqp://127.0.0.1:{silent}//"},
    }
    changed = with_settings(**changes[part])
    for _ in range(3):
        assert changed.call("GET", "/_status/ready", headers={}).get_json()[part] == "fail"
    # however often it is asked for, one question is under way
    assert sum(thread.name == f"check-{part}" for thread in threading.enumerate()) <= 1


def test_live_services_and_organisations_are_counted(api: Api) -> None:
    def becomes(organisations: int, services: int) -> None:
        """The counts may be two seconds old."""
        expected, until = {"organisations": organisations, "services": services}, time.monotonic() + 5
        while (
            found := api.call("GET", "/_status/live-service-and-organisation-counts", headers={}).get_json()
        ) != expected:
            assert time.monotonic() < until, found
            time.sleep(0.1)

    api.execute("UPDATE services SET restricted = true")
    becomes(0, 0)
    api.execute(
        "INSERT INTO organisation (id, name, active, created_at) VALUES (gen_random_uuid(), 'Office', true, now())"
    )
    api.execute(
        "UPDATE services SET restricted = false, count_as_live = true, active = true,"
        " organisation_id = (SELECT id FROM organisation WHERE name = 'Office')"
    )
    ((number,),) = api.execute("SELECT count(*) FROM services")
    becomes(1, number)
    api.execute("UPDATE services SET count_as_live = false")
    becomes(0, 0)
    api.execute("UPDATE services SET count_as_live = true, active = false")
    becomes(0, 0)
    api.execute("UPDATE services SET active = true, organisation_id = null")


# -- metrics


def scrape(api: Api, **headers: str) -> str:
    answer = api.call("GET", "/metrics", headers=headers)
    assert answer.status_code == 200
    return str(answer.text)


def test_metrics_are_text_of_the_contracts_form(api: Api) -> None:
    answer = api.call("GET", "/metrics", headers={})
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    zipped = api.call("GET", "/metrics", headers={"Accept-Encoding": "gzip, br"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert b"# HELP http_server_requests_total" in gzip.decompress(zipped.data)


def sample(text: str, name: str) -> float:
    return next((float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name + " ")), 0.0)


def test_requests_are_counted_by_route_and_status(api: Api) -> None:
    accepted = 'http_server_requests_total{method="POST",path="/v2/notifications/sms",status="201"}'
    strange = 'http_server_requests_total{method="…",path="(none)",status="404"}'
    timed = 'http_server_request_duration_seconds_count{method="POST",path="/v2/notifications/sms",status="201"}'
    before = scrape(api)
    api.sent()
    api.call("FOO", "/07900900123", headers={})
    api.call("GET", "/v2/notifications/07900900123")
    after = scrape(api)
    for name in (accepted, strange, timed):
        assert sample(after, name) == sample(before, name) + 1
    assert "07900900123" not in after


def test_accepted_messages_are_counted(api: Api, with_settings: With) -> None:
    name = 'notifications_total{key_type="test",notification_type="email",status="created"}'
    changed = with_settings()
    before = sample(scrape(changed), name)
    for _ in range(3):
        changed.sent("email", key="test")
    changed.container.close()  # which waits until what follows has been done
    assert sample(scrape(api), name) == before + 3


def test_how_things_stand(api: Api, with_settings: With) -> None:
    changed = with_settings(notification_queue_prefix=f"{api.parts.settings.notification_queue_prefix}m-")
    assert changed.parts.queue.publish(TaskName("deliver_sms"), [[]], queue=queues.REPORTING)
    text = scrape(changed)
    assert sample(text, 'queue_depth{queue="reporting-tasks"}') == 1
    assert sample(text, 'queue_depth{queue="job-tasks"}') == 0
    assert 0 < sample(text, 'queue_oldest_age_seconds{queue="reporting-tasks"}') < 300
    assert 'provider_priority{notification_type="sms",provider_name="mmg"}' in text
    assert sample(text, 'metrics_source_up{source="broker"}') == 1
    assert sample(text, 'metrics_source_up{source="database"}') == 1
    # asked again at once, it is not looked up again
    assert changed.parts.queue.publish(TaskName("deliver_sms"), [[]], queue=queues.REPORTING)
    assert sample(scrape(changed), 'queue_depth{queue="reporting-tasks"}') == 1


def test_the_oldest_message_that_waits(api: Api, with_settings: With) -> None:
    name = 'notifications_oldest_created_age_seconds{notification_type="sms"}'
    api.execute("UPDATE notifications SET notification_status = 'delivered'")
    assert sample(scrape(with_settings()), name) == 0
    id_ = api.sent()
    api.execute("UPDATE notifications SET created_at = now() - interval '1 hour' WHERE id = %s", id_)
    assert 3600 <= sample(scrape(with_settings()), name) < 3900


def test_looking_for_the_oldest_message_takes_the_index(api: Api) -> None:
    with api.parts.database.connection() as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        plan = connection.execute(
            "EXPLAIN SELECT min(created_at) FROM notifications"
            " WHERE notification_status = 'created' AND notification_type = 'sms'"
        ).fetchall()
    assert "ix_notifications_under_way" in str(plan)
    assert set(oldest_created(api.parts.database)) == {"sms", "email", "letter"}


def test_metrics_without_database_and_broker(api: Api, with_settings: With) -> None:
    text = scrape(with_settings(sqlalchemy_database_uri=DOWN, broker_url="redis://127.0.0.1:1/0"))
    assert sample(text, 'metrics_source_up{source="broker"}') == 0
    assert sample(text, 'metrics_source_up{source="database"}') == 0
    assert "http_server_requests_total" in text
    assert "sesame" not in text


VCAP = {"application_id": "the-application"}


@pytest.mark.parametrize(
    ("changes", "header", "code"),
    [
        ({}, None, 200),
        ({"metrics_token": "sesame"}, None, 401),
        ({"metrics_token": "sesame"}, "Bearer wrong", 403),
        ({"metrics_token": "sesame"}, "Basic sesame", 403),
        ({"metrics_token": "sesame"}, "Bearer sesame", 200),
        ({"vcap_application": VCAP}, None, 401),
        ({"vcap_application": VCAP}, "Bearer the-application", 200),
        ({"vcap_application": VCAP, "metrics_token": "sesame"}, "Bearer sesame", 200),
        ({"vcap_application": VCAP, "metrics_token": "sesame"}, "Bearer the-application", 403),
        ({"vcap_application": VCAP, "metrics_basic_auth": False}, None, 200),
        ({"vcap_application": {"name": "x"}}, None, 200),
    ],
)
def test_who_may_see_metrics(
    api: Api, with_settings: With, changes: dict[str, Any], header: str | None, code: int
) -> None:
    changed = with_settings(**changes)
    answer = changed.call("GET", "/metrics", headers={"Authorization": header} if header else {})
    assert answer.status_code == code
    assert ("http_server" in answer.text) == (code == 200)


def test_metrics_at_a_path_of_ones_own(api: Api, with_settings: With) -> None:
    changed = with_settings(prometheus_metrics_path="/internal/numbers")
    assert changed.call("GET", "/internal/numbers", headers={}).status_code == 200
    assert changed.call("GET", "/metrics", headers={}).status_code == 404


# -- logs


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v2/notifications/07900900123", "/v2/notifications/…"),
        (
            "/v2/notifications/01900000-0000-7000-8000-00000000d002",
            "/v2/notifications/01900000-0000-7000-8000-00000000d002",
        ),
        ("/notifications/sms/mmg", "/notifications/sms/mmg"),
        ("/notifications/sms/amala@example.com", "/notifications/sms/…"),
        ("/api/v2/notifications/Amala?to=Amala", "/…/v2/notifications/…"),
        (
            "/unsubscribe/01900000-0000-7000-8000-00000000d002/token",
            "/unsubscribe/01900000-0000-7000-8000-00000000d002/…",
        ),
    ],
)
def test_paths_are_logged_without_what_others_put_there(
    with_settings: With, capfdbinary: pytest.CaptureFixture[bytes], path: str, shown: str
) -> None:
    changed = with_settings(notify_log_level="INFO")
    capfdbinary.readouterr()
    changed.call("POST", path, {}, headers={"X-B3-TraceId": "of-this-test"})
    telemetry.flush_logs()
    lines = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    (line,) = [line for line in lines if line["message"] == "request" and line["requestId"] == "of-this-test"]
    assert line["path"] == shown
