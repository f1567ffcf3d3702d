"""`POST /notifications/email/ses`, called by SNS and by others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog
from werkzeug.test import TestResponse

from notify.app import create_app
from notify.infra.container import Container
from notify.infra.queue import Queue
from notify.infra.sns import LARGEST_BYTES
from notify.settings import SettingsError, load
from tests.api import Api, queued
from tests.production import PRODUCTION
from tests.servers.ses import TOPIC, SNSServer, event


@dataclass
class Endpoint:
    """The API with its endpoint for SNS, and SNS."""

    api: Api
    sns: SNSServer

    def post(self, message: Any) -> TestResponse:
        """As SNS does it: JSON, which it calls plain text."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        return self.api.app.test_client().post(
            "/notifications/email/ses", data=body, content_type="text/plain; charset=UTF-8"
        )

    def sent(self) -> tuple[UUID, str]:
        id_, reference = self.api.sent("email"), f"0102-{uuid4()}"
        self.api.execute(
            "UPDATE notifications SET notification_status = 'sending', sent_by = 'ses', reference = %s WHERE id = %s",
            reference,
            id_,
        )
        return id_, reference

    def status(self, id_: UUID) -> str:
        return str(self.api.get(str(id_))["status"])


@pytest.fixture(scope="module")
def endpoint(api: Api) -> Iterator[Endpoint]:
    with SNSServer() as sns:
        app = create_app(api.parts.settings.changed(ses_topic_arns=[TOPIC], sns_url=sns.url))
        container: Container = app.extensions["notify"]
        yield Endpoint(Api(app, container.parts, container, api.demo), sns)
        container.close()


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(
    ("kind", "bounce", "expected"),
    [
        ("Delivery", "", "delivered"),
        ("Bounce", "Permanent", "permanent-failure"),
        ("Bounce", "Transient", "temporary-failure"),
        ("Complaint", "", "sending"),
    ],
)
def test_notifications(endpoint: Endpoint, version: str, kind: str, bounce: str, expected: str) -> None:
    id_, reference = endpoint.sent()
    answer = endpoint.post(endpoint.sns.notification(event(kind, reference, bounce_type=bounce), version=version))
    assert (answer.status_code, answer.get_json()) == (200, {"result": "success"})
    assert endpoint.status(id_) == expected
    stored = endpoint.api.execute("SELECT complaint_type FROM complaints WHERE notification_id = %s", id_)
    assert stored == ([("abuse",)] if kind == "Complaint" else [])


def test_a_subscription_is_confirmed(endpoint: Endpoint) -> None:
    assert endpoint.post(endpoint.sns.subscription()).status_code == 200
    assert endpoint.sns.confirmed == [TOPIC]
    assert endpoint.post(endpoint.sns.subscription(Type="UnsubscribeConfirmation")).status_code == 200
    assert endpoint.sns.confirmed == [TOPIC]


def test_a_subscription_to_a_strangers_topic_is_not(endpoint: Endpoint) -> None:
    before = list(endpoint.sns.confirmed)
    topic = TOPIC.replace("123456789012", "666666666666")
    assert endpoint.post(endpoint.sns.subscription(TopicArn=topic)).status_code == 403
    elsewhere = endpoint.sns.subscription(SubscribeURL="https://evil.example/?Action=ConfirmSubscription")
    assert endpoint.post(elsewhere).status_code == 403
    assert endpoint.sns.confirmed == before


def test_replays_change_nothing(endpoint: Endpoint) -> None:
    id_, reference = endpoint.sent()
    bounce = endpoint.sns.notification(event("Bounce", reference))
    complaint = endpoint.sns.notification(event("Complaint", reference))
    delivery = endpoint.sns.notification(event("Delivery", reference))
    for message in (bounce, complaint, delivery, complaint, bounce):
        assert endpoint.post(message).status_code == 200
    assert endpoint.status(id_) == "permanent-failure"
    assert len(endpoint.api.execute("SELECT 1 FROM complaints WHERE notification_id = %s", id_)) == 1


@pytest.mark.parametrize(
    "forge",
    [
        {"Signature": "AAAA"},
        {"SignatureVersion": "2"},
        {"SigningCertURL": "https://evil.example/SimpleNotificationService-a1.pem"},
        {"SigningCertURL": "http://169.254.169.254/SimpleNotificationService-a1.pem"},
        {"TopicArn": "arn:aws:sns:eu-west-1:666666666666:mine"},
        {"Timestamp": "2030-01-01T00:00:00.000Z"},
    ],
)
def test_forgeries_are_refused_and_change_nothing(endpoint: Endpoint, forge: dict[str, str]) -> None:
    id_, reference = endpoint.sent()
    answer = endpoint.post({**endpoint.sns.notification(event("Bounce", reference)), **forge})
    assert answer.status_code == 403
    assert answer.get_json()["result"] == "error"
    assert endpoint.status(id_) == "sending"


def test_a_signature_is_of_the_message(endpoint: Endpoint) -> None:
    id_, reference = endpoint.sent()
    message = endpoint.sns.notification(event("Delivery", "0102-other"))
    message["Message"] = json.dumps(event("Delivery", reference))
    assert endpoint.post(message).status_code == 403
    assert endpoint.status(id_) == "sending"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff", b'{"Type": "Notification"}', b"[" * 200_000])
def test_what_is_no_message_of_sns(endpoint: Endpoint, body: bytes) -> None:
    answer = endpoint.post(body)
    assert answer.status_code == 400
    assert answer.get_json() == {"result": "error", "message": ["SES callback failed: not a message of SNS"]}


def test_a_genuine_message_that_is_no_notification_of_ses(endpoint: Endpoint) -> None:
    answer = endpoint.post(endpoint.sns.notification({"notificationType": "Bounce", "mail": {"messageId": ""}}))
    assert answer.status_code == 400
    assert answer.get_json()["message"] == ["SES callback failed: mail.messageId is missing or malformed"]
    validated = "Successfully validated SNS topic for Amazon SES event publishing."
    for notice in (validated, "[]", ""):
        answer = endpoint.post(endpoint.sns.notification(notice))
        assert (answer.status_code, answer.get_json()) == (200, {"result": "success"})
    assert endpoint.post(endpoint.sns.notification({"notificationType": "Send"})).status_code == 200


def test_a_message_in_another_encoding_of_json(endpoint: Endpoint) -> None:
    id_, reference = endpoint.sent()
    message = json.dumps(endpoint.sns.notification(event("Delivery", reference)))
    assert endpoint.post(message.encode("utf-16")).status_code == 200
    assert endpoint.status(id_) == "delivered"


def test_huge_bodies_are_not_read(endpoint: Endpoint) -> None:
    message = endpoint.sns.notification("x" * (LARGEST_BYTES + 1))
    answer = endpoint.post(message)
    assert answer.status_code == 413
    assert answer.get_json()["result"] == "error"
    id_, reference = endpoint.sent()
    large = event("Delivery", reference)
    large["mail"]["headers"] = [{"name": "X", "value": "x" * 200_000}]
    assert endpoint.post(endpoint.sns.notification(large)).status_code == 200
    assert endpoint.status(id_) == "delivered"


def test_a_receipt_that_is_too_early_is_kept(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    queued(endpoint.api.parts)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    message = endpoint.sns.notification(event("Delivery", "0102-early", sent_at=now))
    assert endpoint.post(message).status_code == 200
    [(task, [again])] = [entry for entry in queued(endpoint.api.parts) if entry[0] == "process-ses-result"]
    assert task == "process-ses-result"
    assert json.loads(again["Message"])["mail"]["messageId"] == "0102-early"
    # and while it cannot be kept, SNS is asked to do so
    monkeypatch.setattr(Queue, "publish", lambda *_arguments, **_options: False)
    assert endpoint.post(message).status_code == 503


def test_while_the_certificate_cannot_be_had_sns_keeps_the_message(endpoint: Endpoint) -> None:
    message = endpoint.sns.notification(event("Delivery", "0102-x"))
    message["SigningCertURL"] = endpoint.sns.certificate_url("missing")
    assert endpoint.post(message).status_code == 503


def test_nothing_personal_is_logged(endpoint: Endpoint) -> None:
    _, reference = endpoint.sent()
    with structlog.testing.capture_logs() as logs:
        endpoint.post(endpoint.sns.notification(event("Complaint", reference)))
        endpoint.post(endpoint.sns.notification({**event("Bounce", reference), "mail": {}}))
        endpoint.post({**endpoint.sns.notification(event("Complaint", reference)), "Signature": ""})
    assert len(logs) == 2
    assert "amala" not in str(logs)


def test_there_is_no_endpoint_without_topics(api: Api) -> None:
    client = api.app.test_client()
    assert client.post("/notifications/email/ses", json={}).status_code == 404
    assert client.get("/notifications/email/ses").status_code == 405


def test_a_stand_in_is_refused_in_production() -> None:
    with pytest.raises(SettingsError, match="SNS_URL"):
        load(**PRODUCTION, sns_url="http://127.0.0.1:9")
