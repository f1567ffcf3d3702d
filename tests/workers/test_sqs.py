"""The task queues on Amazon SQS, which moto plays on loopback."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from notify import queues
from notify.infra.queue import TaskName
from tests.api import Api
from tests.servers.mmg import MMGServer
from tests.workers.processes import WorkerProcess, environment_of

PREFIX = "notify-test-"
ACCOUNT = "123456789012"
REGION = "eu-west-2"


@dataclass
class SQS:
    """Where it listens, and a client of it."""

    url: str
    client: Any

    def make_queues(self) -> None:
        for name in queues.QUEUES:
            self.client.create_queue(QueueName=PREFIX + name, Attributes={"VisibilityTimeout": "3600"})

    def waiting(self, name: str) -> list[tuple[dict[str, Any], dict[str, str]]]:
        """The tasks of a queue that may be taken now, as (envelope, attributes); they are taken by that."""
        found = self.client.receive_message(
            QueueUrl=f"{self.url}/{ACCOUNT}/{PREFIX}{name}", MaxNumberOfMessages=10, AttributeNames=["All"]
        )
        return [
            (json.loads(base64.b64decode(message["Body"])), message["Attributes"])
            for message in found.get("Messages", [])
        ]

    def delayed(self, name: str) -> int:
        attributes = self.client.get_queue_attributes(
            QueueUrl=f"{self.url}/{ACCOUNT}/{PREFIX}{name}", AttributeNames=["All"]
        )["Attributes"]
        return int(attributes["ApproximateNumberOfMessagesDelayed"])


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[SQS]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    # moto keeps its state in the process, from one server to the next
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")).close()
    yield SQS(url, boto3.client("sqs", endpoint_url=url, region_name=REGION))
    server.stop()


@pytest.fixture
def api(sqs: SQS, make_api: Callable[..., Api]) -> Api:
    sqs.make_queues()
    return make_api(broker_url=sqs.url, aws_region=REGION, aws_account_id=ACCOUNT, notification_queue_prefix=PREFIX)


def until(what: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_message_is_accepted_and_delivered(api: Api, mmg: MMGServer, tmp_path: Path) -> None:
    environment = environment_of(
        api.parts.settings,
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_EC2_METADATA_DISABLED="true",
    )
    id_ = api.sent()
    with WorkerProcess(environment, tmp_path / "worker.log", "--role=sender", "--concurrency=4") as worker:
        worker.wait_for(lambda: bool(mmg.messages))
        worker.wait_for(lambda: api.get(str(id_))["status"] == "sending")
        assert mmg.messages[0]["cid"] == str(id_)
        worker.process.terminate()
        assert worker.process.wait(40) == 0, worker.said
    states = api.parts.queue.states([queues.SEND_SMS])
    assert states is not None
    assert states[queues.SEND_SMS].waiting == 0


def test_a_task_bears_the_service_as_its_group(api: Api, sqs: SQS) -> None:
    api.sent()
    found: list[tuple[dict[str, Any], dict[str, str]]] = []

    def is_there() -> bool:
        found.extend(sqs.waiting(queues.SEND_SMS))
        return bool(found)

    until(is_there)
    ((envelope, attributes),) = found
    assert attributes["MessageGroupId"] == api.service_id
    assert envelope["headers"]["notify_message_group_id"] == api.service_id


@pytest.mark.parametrize(("countdown", "visible"), [(300, False), (5000, False), (None, True)])
def test_a_task_of_later_waits_in_the_queue_and_with_no_worker(
    api: Api, sqs: SQS, countdown: float | None, visible: bool
) -> None:
    assert api.parts.queue.publish(TaskName("deliver_sms"), [[], 1], queue=queues.RETRY, countdown=countdown)
    assert sqs.delayed(queues.RETRY) == (0 if visible else 1)
    assert len(sqs.waiting(queues.RETRY)) == (1 if visible else 0)


def test_depths_and_readiness(api: Api, sqs: SQS) -> None:
    assert api.parts.queue.publish(TaskName("deliver_sms"), [[]], queue=queues.REPORTING)
    states = api.parts.queue.states([queues.REPORTING, queues.JOBS])
    assert states is not None
    assert {name: state.waiting for name, state in states.items()} == {queues.REPORTING: 1, queues.JOBS: 0}
    assert api.call("GET", "/_status/ready", headers={}).get_json()["broker"] == "ok"


def test_messages_are_safe_while_sqs_refuses(make_api: Callable[..., Api], sqs: SQS) -> None:
    api = make_api(broker_url=sqs.url, aws_region=REGION, aws_account_id=ACCOUNT, notification_queue_prefix="none-")
    id_ = api.sent()
    assert api.get(str(id_))["status"] == "created"
    assert not api.parts.queue.publish(TaskName("deliver_sms"), [[str(id_)]], queue=queues.SEND_SMS)
    assert api.call("GET", "/_status/ready", headers={}).get_json()["broker"] == "fail"


def test_sqs_that_is_not_there(make_api: Callable[..., Api], sqs: SQS) -> None:
    api = make_api(broker_url="http://127.0.0.1:1", aws_region=REGION, aws_account_id=ACCOUNT)
    assert not api.parts.queue.publish(TaskName("deliver_sms"), [[]], queue=queues.SEND_SMS)
    assert api.parts.queue.states([queues.SEND_SMS]) is None
    assert not api.parts.queue.is_ready(queues.SEND_SMS)
