"""Events of Amazon SES about emails, from the task to the row."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog

from notify.infra.container import Container
from notify.messages.complaints import StoredComplaint
from notify.messages.deliver import Deliverer
from notify.messages.publish import DeliveryPublisher
from notify.messages.receipts import ReceiptProcessor
from notify.messages.ses_events import SesEvents
from notify.messages.tasks import tasks
from notify.providers.ses.receive import parse_event
from tests.api import Api, queued, with_settings
from tests.servers.ses import SESError, SESServer, event, set_credentials


@pytest.fixture
def server() -> Iterator[SESServer]:
    with SESServer() as server:
        yield server


@pytest.fixture
def container(api: Api, server: SESServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    """A worker's container, beside the web process of `api`, with SES as the provider of email."""
    set_credentials(monkeypatch)
    container = Container(with_settings(api.parts, ses_enabled=True, ses_url=server.url, sandbox_url=""))
    tasks.add_to(container.parts.queue.celery, container)
    yield container
    container.close()


def sent(api: Api) -> tuple[UUID, str]:
    """An email that SES has, and its reference."""
    id_, reference = api.sent("email"), f"0102-{uuid4()}"
    api.execute(
        "UPDATE notifications SET notification_status = 'sending', sent_by = 'ses', reference = %s WHERE id = %s",
        reference,
        id_,
    )
    return id_, reference


def status(api: Api, id_: UUID) -> str:
    return str(api.get(str(id_))["status"])


def envelope(notification: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "Notification", "Message": json.dumps(notification)}


def just_now() -> str:
    return (datetime.now(UTC) - timedelta(seconds=20)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def complaints(api: Api, id_: UUID) -> list[tuple[Any, ...]]:
    return api.execute(
        "SELECT service_id, ses_feedback_id, complaint_type, complaint_date FROM complaints WHERE notification_id = %s",
        id_,
    )


def run(container: Container, given: Any) -> None:
    """The task, as a worker runs it."""
    container.parts.queue.celery.tasks["process-ses-result"].apply(args=[given], throw=True)


@pytest.mark.parametrize(
    ("kind", "bounce", "expected"),
    [
        ("Delivery", "", "delivered"),
        ("Bounce", "Permanent", "permanent-failure"),
        ("Bounce", "Transient", "temporary-failure"),
    ],
)
def test_from_the_provider_to_the_receipt(
    api: Api, container: Container, server: SESServer, kind: str, bounce: str, expected: str
) -> None:
    id_ = api.sent("email", one_click_unsubscribe_url="https://example.com/u")
    container.get(Deliverer).deliver("email", [id_])
    (message,) = server.messages
    assert message["Destination"] == {"ToAddresses": ["amala@example.com"]}
    assert {"Name": "List-Unsubscribe", "Value": "<https://example.com/u>"} in message["Content"]["Simple"]["Headers"]
    assert status(api, id_) == "sending"
    run(container, envelope(event(kind, server.ids[0], bounce_type=bounce)))
    assert status(api, id_) == expected
    assert api.get(str(id_))["completed_at"] is not None


def test_an_email_that_ses_will_never_take_fails_at_once(api: Api, container: Container) -> None:
    id_ = api.sent("email", email_address="bad@example.com")
    container.get(Deliverer).deliver("email", [id_])
    assert status(api, id_) == "technical-failure"


def test_an_email_that_ses_does_not_take_now_is_tried_again(api: Api, container: Container, server: SESServer) -> None:
    id_ = api.sent("email")
    api.container.get(DeliveryPublisher).close()
    queued(container.parts)
    server.error = SESError("TooManyRequestsException", "Too many requests", 429)
    container.get(Deliverer).deliver("email", [id_])
    assert status(api, id_) == "created"
    [(task, (ids, tries, due))] = queued(container.parts)
    assert (task, ids, tries) == ("deliver_email", [str(id_)], 1)
    server.error = None
    container.get(Deliverer).deliver("email", [id_], tries, due)
    assert status(api, id_) == "sending"


def test_the_first_final_receipt_counts(api: Api, container: Container) -> None:
    id_, reference = sent(api)
    for kind in ("Delivery", "Bounce", "Delivery"):
        container.get(SesEvents).take(envelope(event(kind, reference)))
    assert status(api, id_) == "delivered"
    updated_at = api.get(str(id_))["completed_at"]
    container.get(SesEvents).take(envelope(event("Delivery", reference)))
    assert api.get(str(id_))["completed_at"] == updated_at


@pytest.mark.parametrize("final", ["created", "temporary-failure", "technical-failure", "permanent-failure"])
def test_what_is_neither_sending_nor_pending_stays(api: Api, container: Container, final: str) -> None:
    id_, reference = sent(api)
    api.execute("UPDATE notifications SET notification_status = %s WHERE id = %s", final, id_)
    container.get(SesEvents).take(envelope(event("Delivery", reference)))
    assert status(api, id_) == final


def test_many_at_once(api: Api, container: Container) -> None:
    emails = [sent(api) for _ in range(30)]
    kinds = ["Delivery", "Bounce", "Complaint"]

    def take(number: int) -> None:
        container.get(SesEvents).take(envelope(event(kinds[number % 3], emails[number][1])))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status(api, id_) for id_, _ in emails] == ["delivered", "permanent-failure", "sending"] * 10
    assert [len(complaints(api, id_)) for id_, _ in emails] == [0, 0, 1] * 10


def test_opens_and_clicks_change_nothing(api: Api, container: Container) -> None:
    id_, reference = sent(api)
    run(container, envelope(event("Open", reference, field="eventType")))
    assert status(api, id_) == "sending"


# -- before the row knows of it


def test_a_receipt_that_is_too_early_comes_again(api: Api, container: Container) -> None:
    id_, reference = sent(api)
    api.container.get(DeliveryPublisher).close()
    queued(container.parts)
    api.execute("UPDATE notifications SET reference = NULL WHERE id = %s", id_)
    run(container, envelope(event("Delivery", reference, sent_at=just_now())))
    [(task, [again])] = queued(container.parts)
    assert task == "process-ses-result"
    assert "amala@example.com" not in again["Message"]
    api.execute("UPDATE notifications SET reference = %s WHERE id = %s", reference, id_)
    run(container, again)
    assert status(api, id_) == "delivered"
    assert queued(container.parts) == []


@pytest.mark.parametrize("sent_at", ["2026-03-01T12:00:00.000Z", "2126-03-01T12:00:00.000Z", "nonsense", None])
def test_an_event_for_an_unknown_message_is_ignored(container: Container, sent_at: str | None) -> None:
    queued(container.parts)
    run(container, envelope(event("Bounce", "0102-unheard-of", sent_at=sent_at)))
    run(container, envelope(event("Complaint", "0102-unheard-of", sent_at=sent_at)))
    assert queued(container.parts) == []


def test_what_cannot_be_read_is_tried_again_and_then_given_up(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = container.parts.queue.celery.tasks["process-ses-result"]
    tried: list[tuple[int, str]] = []
    retry = task.retry

    def watched(**options: Any) -> Any:
        tried.append((options["countdown"], options["queue"]))
        return retry(**options)

    monkeypatch.setattr(task, "retry", watched)
    result = task.apply(args=[envelope(event("Unheard-of", "a"))])
    assert isinstance(result.result, Exception)
    queue = container.parts.settings.notification_queue_prefix + "retry-tasks"
    assert tried == [(300, queue)] * 6  # the sixth is refused


# -- after it went to the history


def test_a_receipt_for_an_archived_email(api: Api, container: Container) -> None:
    waiting, final = sent(api), sent(api)
    columns = ", ".join(
        row[0]
        for row in api.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'notification_history'"
        )
    )
    for id_, _ in (waiting, final):
        api.execute(
            f"INSERT INTO notification_history ({columns}) SELECT {columns} FROM notifications WHERE id = %s",  # noqa: S608
            id_,
        )
        api.execute("DELETE FROM notifications WHERE id = %s", id_)
    api.execute("UPDATE notification_history SET notification_status = 'temporary-failure' WHERE id = %s", final[0])
    for _, reference in (waiting, final):
        container.get(SesEvents).take(envelope(event("Delivery", reference)))
        container.get(SesEvents).take(envelope(event("Complaint", reference)))
    statuses = dict(api.execute("SELECT id, notification_status FROM notification_history"))
    assert statuses == {waiting[0]: "delivered", final[0]: "temporary-failure"}
    assert [len(complaints(api, id_)) for id_, _ in (waiting, final)] == [1, 1]


@pytest.mark.parametrize("table", ["notifications", "notification_history"])
def test_references_are_looked_up_by_index(api: Api, table: str) -> None:
    with api.parts.database.connection() as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        plan = connection.execute(
            f"EXPLAIN SELECT id FROM {table} WHERE reference = ANY(%s)"  # noqa: S608
            " AND reference IS NOT NULL AND notification_type = 'email'",
            (["a", "b"],),
        ).fetchall()
    assert f"ix_{table}_reference" in str(plan)


# -- complaints


def test_a_complaint_is_stored_once_and_triggers_a_callback(api: Api, container: Container) -> None:
    told: list[StoredComplaint] = []
    book = SesEvents(container.parts.database, container.parts.queue, container.get(ReceiptProcessor), told.append)
    id_, reference = sent(api)
    api.execute("UPDATE notifications SET client_reference = 'order 7' WHERE id = %s", id_)
    for _ in range(2):
        book.take(envelope(event("Complaint", reference)))
    complained_at = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)
    assert complaints(api, id_) == [(UUID(api.service_id), "0102-feedback", "abuse", complained_at)]
    assert status(api, id_) == "sending"
    [(complaint_id,)] = api.execute("SELECT id FROM complaints WHERE notification_id = %s", id_)
    # the second time too: the first may have ended before it came so far
    assert (
        told
        == [
            StoredComplaint(
                id=complaint_id,
                notification_id=id_,
                service_id=UUID(api.service_id),
                client_reference="order 7",
                recipient="amala@example.com",
                complaint_date=complained_at,
            )
        ]
        * 2
    )


def test_a_not_spam_report_is_stored_without_a_callback(api: Api, container: Container) -> None:
    told: list[StoredComplaint] = []
    events = SesEvents(container.parts.database, container.parts.queue, container.get(ReceiptProcessor), told.append)
    id_, reference = sent(api)
    events.take(envelope(event("Complaint", reference, feedback={"complaintFeedbackType": "not-spam"})))
    assert [row[2] for row in complaints(api, id_)] == ["not-spam"]
    assert told == []


def test_a_bounce_after_the_delivery_is_logged_and_changes_nothing(api: Api, container: Container) -> None:
    id_, reference = sent(api)
    run(container, envelope(event("Delivery", reference)))
    with structlog.testing.capture_logs() as logs:
        run(container, envelope({**event("Bounce", reference), "destination": None}))
    assert status(api, id_) == "delivered"
    [entry] = [entry for entry in logs if entry["event"] == "receipt without effect"]
    assert (entry["log_level"], entry["status"], entry["outcome"]) == ("warning", "delivered", "permanent-failure")


def test_different_complaints_about_one_email(api: Api, container: Container) -> None:
    id_, reference = sent(api)
    for feedback in ({"feedbackId": "1"}, {"feedbackId": "2"}, {"feedbackId": None}, {"feedbackId": None}):
        container.get(SesEvents).take(envelope(event("Complaint", reference, feedback=feedback)))
    assert sorted(str(row[1]) for row in complaints(api, id_)) == ["1", "2", "None"]


def test_nothing_personal_is_logged(api: Api, container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    _, reference = sent(api)
    capture = structlog.testing.LogCapture()
    verbose = structlog.make_filtering_bound_logger(0)
    logger = structlog.wrap_logger(None, processors=[capture], wrapper_class=verbose)
    monkeypatch.setattr("notify.messages.ses_events.logger", logger)
    for kind in ("Bounce", "Complaint"):
        run(container, envelope(event(kind, reference)))
        run(container, envelope(event(kind, "0102-unheard-of")))
    logs = capture.entries
    assert "complaint stored" in [line["event"] for line in logs]
    assert "amala" not in str(logs)
    assert "bin day" not in str(logs)


def test_a_batch_is_in_order(api: Api, container: Container) -> None:
    id_, reference = sent(api)
    events = [parse_event(json.dumps(event(kind, reference))) for kind in ("Bounce", "Delivery")]
    assert container.get(SesEvents).record_many([one for one in events if one]) == [True, True]
    assert status(api, id_) == "permanent-failure"
