"""Scheduled messages: accepted, listed, cancelled, and sent at their time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from notify.app import EXTENSION, create_app
from notify.infra.container import Container
from notify.messages import maintenance, scheduled
from notify.messages.callbacks import MessageCallbacks
from notify.messages.deliver import Deliverer
from notify.messages.maintenance import Sweeper
from notify.messages.publish import DeliveryPublisher
from notify.messages.scheduled import send_due
from notify.messages.tasks import send_scheduled_notifications
from notify.services.limits import counter_key
from tests.api import Api, errors, queued

LATER = "datetime can only be 24 hours in the future"


@pytest.fixture(scope="module")
def scheduling(api: Api) -> Iterator[Api]:
    """The same service, in a process whose settings let it schedule."""
    app = create_app(api.parts.settings.changed(scheduling_services=(api.service_id,)))
    yield Api(app, api.parts, app.extensions[EXTENSION], api.demo)
    app.extensions[EXTENSION].close()


@pytest.fixture(autouse=True)
def fresh(api: Api) -> None:
    api.execute("UPDATE services SET restricted = false, rate_limit = 60000 WHERE id = %s", api.service_id)
    api.execute("DELETE FROM notifications")
    api.parts.cache.delete(counter_key(UUID(api.service_id), "normal", "sms"))
    api.forget()
    queued(api.parts)


def hours(number: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=number)).isoformat()


def shown(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def cancel(api: Api, id_: Any, **more: Any) -> TestResponse:
    return api.call("POST", f"/v2/notifications/{id_}/cancel", **more)


def make_due(api: Api, id_: UUID, seconds: float = 1) -> None:
    """Its time comes, so many seconds ago."""
    moment = datetime.now(UTC) - timedelta(seconds=seconds)
    api.execute(
        "UPDATE notifications SET scheduled_for = %s, next_try_at = CASE WHEN next_try_at = scheduled_for THEN %s END"
        " WHERE id = %s",
        moment,
        moment,
        id_,
    )


def published(api: Api) -> list[str]:
    api.container.get(DeliveryPublisher).close()
    return [id_ for _, arguments in queued(api.parts) for id_ in arguments[0]]


# -- accepting


@pytest.mark.parametrize("kind", ["sms", "email"])
def test_the_time_is_shown_and_the_message_waits(scheduling: Api, kind: str) -> None:
    when = hours(95.9)
    answer = scheduling.post(kind, scheduled_for=when)
    assert answer.status_code == 201
    body = answer.get_json()
    assert body["scheduled_for"] == shown(when)
    message = scheduling.get(body["id"])
    assert (message["scheduled_for"], message["status"]) == (shown(when), "created")
    listed = scheduling.call("GET", "/v2/notifications?status=created").get_json()["notifications"]
    assert [(one["id"], one["scheduled_for"]) for one in listed] == [(body["id"], shown(when))]
    assert published(scheduling) == []


def test_an_offset_is_heeded_and_without_one_it_is_utc(scheduling: Api) -> None:
    moment = datetime.now(UTC) + timedelta(hours=2)
    for text in (
        moment.astimezone(timezone(timedelta(hours=-9))).isoformat(),
        moment.replace(tzinfo=None).isoformat(),
        moment.isoformat().replace("+00:00", "Z"),
    ):
        assert scheduling.post("sms", scheduled_for=text).get_json()["scheduled_for"] == shown(moment.isoformat())


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (96.1, "scheduled_for datetime can only be 4 days in the future"),
        (-0.1, "scheduled_for datetime can not be in the past"),
        ("9999-12-31T23:59:59-23:59", "scheduled_for datetime format is invalid"),
        ("0001-01-01T00:00:00+23:59", "scheduled_for datetime format is invalid"),
        ("soon", "scheduled_for datetime format is invalid"),
        (7, "scheduled_for 7 is not of type string, null"),
    ],
)
def test_times_that_are_refused(scheduling: Api, when: Any, text: str) -> None:
    """A fraction stands for that many hours from now."""
    answer = scheduling.post("sms", scheduled_for=hours(when) if isinstance(when, float) else when)
    assert answer.status_code == 400
    ((kind, message),) = errors(answer)
    assert kind == "ValidationError"
    assert message.startswith(text)
    assert scheduling.execute("SELECT count(*) FROM notifications") == [(0,)]


def test_for_all_others_it_is_checked_and_ignored(api: Api) -> None:
    answer = api.post("sms", scheduled_for=hours(23))
    assert answer.get_json()["scheduled_for"] is None
    assert api.get(answer.get_json()["id"])["scheduled_for"] is None
    assert errors(api.post("sms", scheduled_for=hours(25))) == [("ValidationError", f"scheduled_for {LATER}")]


def test_without_a_time_it_is_sent_at_once(scheduling: Api) -> None:
    for answer in (scheduling.post("sms").get_json(), scheduling.post("sms", scheduled_for=None).get_json()):
        assert answer["scheduled_for"] is None
        row = scheduling.execute("SELECT scheduled_for, next_try_at FROM notifications WHERE id = %s", answer["id"])
        assert row == [(None, None)]


def test_a_scheduled_message_counts_today(scheduling: Api) -> None:
    id_ = scheduling.sent(scheduled_for=hours(90))
    counter = counter_key(UUID(scheduling.service_id), "normal", "sms")
    assert scheduling.parts.cache.get(counter) == b"1"
    assert cancel(scheduling, id_).status_code == 200
    assert scheduling.parts.cache.get(counter) == b"0"


# -- cancelling


def test_cancelling(scheduling: Api) -> None:
    id_ = scheduling.sent(scheduled_for=hours(1))
    answer = cancel(scheduling, id_)
    assert answer.status_code == 200
    assert (answer.get_json()["id"], answer.get_json()["status"]) == (str(id_), "cancelled")
    assert scheduling.get(str(id_))["status"] == "cancelled"
    again = cancel(scheduling, id_)
    assert again.status_code == 400
    assert errors(again) == [("BadRequestError", "Notification has already been cancelled")]
    make_due(scheduling, id_)
    assert send_due(scheduling.parts.database, scheduling.parts.queue, now=datetime.now(UTC)) == 0


def test_what_cannot_be_cancelled(scheduling: Api) -> None:
    assert errors(cancel(scheduling, scheduling.sent())) == [
        ("BadRequestError", "Notification cannot be cancelled - it was not scheduled")
    ]
    id_ = scheduling.sent(scheduled_for=hours(1))
    make_due(scheduling, id_)
    assert errors(cancel(scheduling, id_)) == [
        ("BadRequestError", "Notification cannot be cancelled - its time has come")
    ]
    assert cancel(scheduling, uuid4()).status_code == 404
    assert errors(cancel(scheduling, "x")) == [("ValidationError", "notification_id is not a valid UUID")]
    other = scheduling.sent(scheduled_for=hours(1))
    scheduling.execute("UPDATE notifications SET service_id = %s WHERE id = %s", uuid4(), other)
    assert cancel(scheduling, other).status_code == 404
    assert cancel(scheduling, other, headers={}).status_code == 401


def test_one_that_a_worker_has_in_hand_is_not_cancelled(scheduling: Api) -> None:
    id_ = scheduling.sent(scheduled_for=hours(1))
    with scheduling.parts.database.connection() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 6011))", (str(id_),))
        assert cancel(scheduling, id_).status_code == 400
    assert cancel(scheduling, id_).status_code == 200


def test_a_letter_is_cancelled_before_it_is_printed(scheduling: Api) -> None:
    answer = cancel(scheduling, scheduling.sent("letter"))
    assert (answer.status_code, answer.get_json()["status"]) == (200, "cancelled")


# -- sending


@pytest.fixture
def deliverer(scheduling: Api) -> Iterator[Deliverer]:
    container = Container(scheduling.parts)
    yield container.get(Deliverer)
    container.close()


def status(api: Api, id_: UUID) -> str:
    return str(api.get(str(id_))["status"])


def test_before_its_time_nothing_touches_it(scheduling: Api, deliverer: Deliverer) -> None:
    id_ = scheduling.sent(key="test", scheduled_for=hours(90))
    now = datetime.now(UTC)
    deliverer.deliver("sms", [id_])
    # each age at which the sweepers look, up to its time
    sweeper = Sweeper(scheduling.parts.database, scheduling.parts.queue, retry=timedelta(seconds=300))
    first, every = timedelta(seconds=60), timedelta(seconds=30)
    for age in [*maintenance.sweep_ages(first), timedelta(hours=2), timedelta(hours=89)]:
        moment = now + age
        assert sweeper.sweep(now=moment, first=first, every=every) == 0
        assert sweeper.replay(now=moment) == 0
        assert send_due(scheduling.parts.database, scheduling.parts.queue, now=moment) == 0
    assert (
        maintenance.end_created(
            scheduling.parts.database, before=now + timedelta(hours=89), status="technical-failure", now=now
        )
        == []
    )
    assert maintenance.oldest_created(scheduling.parts.database)["sms"] is None
    assert status(scheduling, id_) == "created"
    assert str(id_) not in published(scheduling)


def test_when_its_time_comes_it_is_published_once_and_sent(scheduling: Api, deliverer: Deliverer) -> None:
    due, waiting = (scheduling.sent(key="test", scheduled_for=hours(1)) for _ in range(2))
    make_due(scheduling, due)
    send_scheduled_notifications(Container(scheduling.parts))
    assert published(scheduling) == [str(due)]
    send_scheduled_notifications(Container(scheduling.parts))
    assert published(scheduling) == []
    deliverer.deliver("sms", [due, waiting])
    assert status(scheduling, due) == "delivered"
    assert status(scheduling, waiting) == "created"
    assert scheduling.get(str(due))["scheduled_for"] is not None


def test_it_is_found_again_after_a_crash_between_publishing_and_noting(scheduling: Api, deliverer: Deliverer) -> None:
    id_ = scheduling.sent(key="test", scheduled_for=hours(1))
    make_due(scheduling, id_)
    assert send_due(scheduling.parts.database, scheduling.parts.queue, now=datetime.now(UTC)) == 1
    scheduling.execute("UPDATE notifications SET next_try_at = scheduled_for WHERE id = %s", id_)  # nothing was noted
    assert send_due(scheduling.parts.database, scheduling.parts.queue, now=datetime.now(UTC)) == 1
    for _ in range(2):
        deliverer.deliver("sms", [id_])
    assert status(scheduling, id_) == "delivered"


def test_many_are_published_in_pages(scheduling: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduled, "DUE_AT_A_TIME", 2)
    ids = [scheduling.sent(kind, scheduled_for=hours(1)) for kind in ("sms", "email", "sms", "sms", "email")]
    for id_ in ids:
        make_due(scheduling, id_)
    assert send_due(scheduling.parts.database, scheduling.parts.queue, now=datetime.now(UTC)) == 5
    assert sorted(published(scheduling)) == sorted(map(str, ids))


def test_its_expiry_counts_from_its_time(scheduling: Api) -> None:
    container = Container(
        type(scheduling.parts)(
            **(vars(scheduling.parts) | {"settings": scheduling.parts.settings.changed(message_expiry_seconds=60)})
        )
    )
    fresh, late = (scheduling.sent(key="test", scheduled_for=hours(1)) for _ in range(2))
    scheduling.execute("UPDATE notifications SET created_at = created_at - interval '3 days'")
    make_due(scheduling, fresh)
    make_due(scheduling, late, 120)
    container.get(Deliverer).deliver("sms", [fresh, late])
    container.close()
    assert (status(scheduling, fresh), status(scheduling, late)) == ("delivered", "technical-failure")


def test_the_wait_for_a_receipt_counts_from_its_time(scheduling: Api) -> None:
    late, early = (scheduling.sent(scheduled_for=hours(1)) for _ in range(2))
    scheduling.execute(
        "UPDATE notifications SET notification_status = 'sending', created_at = now() - interval '4 days'"
    )
    make_due(scheduling, late, 60)
    make_due(scheduling, early, 73 * 3600)
    callbacks = scheduling.container.get(MessageCallbacks)
    ended = maintenance.time_out_sending(
        scheduling.parts.database, callbacks, now=datetime.now(UTC), after=timedelta(hours=72)
    )
    assert ended == [early]


def test_the_answer_to_a_scheduled_message_is_repeated_too(scheduling: Api) -> None:
    headers = {"Authorization": f"Bearer {scheduling.token()}", "Idempotency-Key": str(uuid4())}
    body = {
        "phone_number": "07900900123",
        "template_id": scheduling.template("sms"),
        "personalisation": {"name": "A", "date": "B"},
        "scheduled_for": hours(3),
    }
    first, again = (scheduling.call("POST", "/v2/notifications/sms", body, headers=headers) for _ in range(2))
    assert first.get_json()["scheduled_for"] == shown(str(body["scheduled_for"]))
    assert first.data == again.data


def test_all_services_may_be_allowed(api: Api) -> None:
    app: Flask = create_app(api.parts.settings.changed(scheduling_services=("all",)))
    answer = Api(app, api.parts, app.extensions[EXTENSION], api.demo).post("sms", scheduled_for=hours(50))
    app.extensions[EXTENSION].close()
    assert answer.status_code == 201
    assert answer.get_json()["scheduled_for"] is not None
