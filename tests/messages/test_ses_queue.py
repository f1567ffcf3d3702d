"""SES's notifications from an SQS queue that SNS feeds: moto's SNS and SQS, on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import boto3
import pytest
from moto.server import ThreadedMotoServer

from notify.infra.queue import TaskName
from notify.messages.ses_events import SesEvents
from notify.messages.ses_queue import SESQueue
from tests.api import Api
from tests.messages.test_ses_events import sent, status
from tests.servers.ses import REGION, event, set_credentials


@dataclass
class Amazon:
    """A topic and a queue that is subscribed to it."""

    sns: Any
    sqs: Any
    topic: str
    queue_url: str
    raw_topic: str

    def publish(self, notification: dict[str, Any] | str, *, raw: bool = False) -> None:
        text = notification if isinstance(notification, str) else json.dumps(notification)
        self.sns.publish(TopicArn=self.raw_topic if raw else self.topic, Message=text)

    def counts(self) -> tuple[int, int]:
        """How many messages wait, and how many are in somebody's hands or put off."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)
        return int(answer["Attributes"][names[0]]), int(answer["Attributes"][names[1]])


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def amazon(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    set_credentials(monkeypatch)
    sns = boto3.client("sns", region_name=REGION, endpoint_url=moto_url)
    sqs = boto3.client("sqs", region_name=REGION, endpoint_url=moto_url)
    url = sqs.create_queue(QueueName="ses-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topics = [sns.create_topic(Name=name)["TopicArn"] for name in ("ses-events", "raw")]
    sns.subscribe(TopicArn=topics[0], Protocol="sqs", Endpoint=arn)
    sns.subscribe(TopicArn=topics[1], Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    yield Amazon(sns, sqs, topics[0], url, topics[1])
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def queue(api: Api, amazon: Amazon) -> SESQueue:
    return SESQueue(amazon.queue_url, REGION, api.container.get(SesEvents), wait_seconds=1)


@pytest.mark.parametrize("raw", [False, True])
def test_notifications_are_applied_and_taken_off(api: Api, amazon: Amazon, queue: SESQueue, raw: bool) -> None:
    emails = [sent(api) for _ in range(25)]
    for number, (_, reference) in enumerate(emails):
        amazon.publish(event("Bounce" if number % 2 else "Delivery", reference), raw=raw)
    assert sum(queue.poll() for _ in range(3)) == 25
    expected = ["permanent-failure" if number % 2 else "delivered" for number in range(25)]
    assert [status(api, id_) for id_, _ in emails] == expected
    assert amazon.counts() == (0, 0)


def test_what_is_too_early_is_put_off(amazon: Amazon, queue: SESQueue) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    amazon.publish(event("Delivery", "0102-early", sent_at=now))
    amazon.publish(event("Delivery", "0102-late"))
    assert queue.poll() == 2
    assert amazon.counts() == (0, 1)
    assert queue.poll() == 0


def test_unreadable_messages_block_no_others_and_are_given_up(
    api: Api, amazon: Amazon, queue: SESQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notify.messages.ses_queue.EARLY_RETRY_SECONDS", 0)
    id_, reference = sent(api)
    for text in (json.dumps({"notificationType": "Unheard-of"}), "{}", json.dumps({"Message": 7})):
        amazon.sqs.send_message(QueueUrl=amazon.queue_url, MessageBody=text)
    amazon.publish(event("Open", reference, field="eventType"))
    amazon.publish(event("Delivery", reference))
    assert queue.poll() == 5
    assert status(api, id_) == "delivered"
    for _ in range(4):
        assert queue.poll() == 3
    assert sum(amazon.counts()) == 3
    assert queue.poll() == 3
    assert amazon.counts() == (0, 0)


def test_a_notice_that_is_no_event_is_taken_off_at_once(amazon: Amazon, queue: SESQueue) -> None:
    for text in ("Successfully validated SNS topic for Amazon SES event publishing.", "[]"):
        amazon.publish(text)
        amazon.publish(text, raw=True)
    assert queue.poll() == 4
    assert amazon.counts() == (0, 0)


def test_while_the_database_is_away_the_messages_stay(
    api: Api, amazon: Amazon, queue: SESQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_, reference = sent(api)
    amazon.publish(event("Delivery", reference))
    monkeypatch.setattr("notify.messages.ses_queue.VISIBILITY_SECONDS", 1)
    record = api.container.get(SesEvents).record_many
    failures = iter([ConnectionError("database is away"), None])

    def fail_once(events: Any) -> list[bool]:
        if error := next(failures, None):
            raise error
        return record(events)

    monkeypatch.setattr(api.container.get(SesEvents), "record_many", fail_once)
    stop = threading.Event()
    thread = threading.Thread(target=queue.run, args=(stop,))
    thread.start()
    wait_for(api, id_, "delivered")
    stop.set()
    thread.join(timeout=15)
    assert amazon.counts() == (0, 0)


def wait_for(api: Api, id_: UUID, expected: str) -> None:
    deadline = time.monotonic() + 20
    while status(api, id_) != expected:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def running(api: Api, *command: str, **environment: str) -> Iterator[None]:
    """A process of ours beside `api`. It ends when it is asked to, and logs nothing personal."""
    settings = api.parts.settings
    everything = {
        **os.environ,
        "NOTIFY_ENVIRONMENT": "test",
        "NOTIFICATION_QUEUE_PREFIX": settings.notification_queue_prefix,
        "SQLALCHEMY_DATABASE_URI": settings.sqlalchemy_database_uri,
        "REDIS_URL": settings.redis_url,
        **environment,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "notify.cli", *command], env=everything, stdout=subprocess.PIPE, text=True
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "amala" not in output


def test_the_command_reads_the_queue(api: Api, amazon: Amazon) -> None:
    id_, reference = sent(api)
    with running(api, "ses-receipts", SES_RECEIPTS_QUEUE_URL=amazon.queue_url, AWS_REGION=REGION):
        amazon.publish(event("Delivery", reference))
        wait_for(api, id_, "delivered")


def test_workers_take_the_tasks_that_others_make_of_notifications(api: Api) -> None:
    id_, reference = sent(api)
    envelope = {"Type": "Notification", "Message": json.dumps(event("Bounce", reference))}
    api.parts.queue.publish(TaskName("process-ses-result"), [envelope], queue="ses-callbacks")
    with running(api, "worker", "--queues", "ses-callbacks", "--concurrency", "2"):
        wait_for(api, id_, "permanent-failure")
