"""`notify worker` as its operator sees it."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import redis
from click.testing import CliRunner

from notify import queues
from notify.cli.processes import worker as command
from notify.infra.queue import TaskName
from notify.infra.valkey import free_port, start_valkey
from tests.api import Api
from tests.servers.http import Trouble
from tests.servers.mmg import MMGServer
from tests.workers.processes import WorkerProcess, environment_of

CONTRACT = [
    "periodic",
    "reporting",
    "jobs",
    "jobs-save",
    "jobs-save-documents",
    "sender",
    "sender-letters",
    "research",
    "internal",
    "retry-tasks",
    "letters",
    "receipts",
    "service-callbacks",
    "service-callbacks-retry",
    "report-requests",
]


def waiting(api: Api, name: str) -> int:
    states = api.parts.queue.states([name])
    assert states is not None
    return states[name].waiting


def test_the_roles_of_the_contract_are_listed_with_their_queues() -> None:
    shown = CliRunner().invoke(command, ["--list-roles"])
    assert shown.exit_code == 0
    lines = {line.split()[0]: line for line in shown.output.splitlines()}
    assert list(lines) == [*CONTRACT, "broadcasts", "all"]
    assert lines["sender"].split(None, 1)[1] == "send-sms-tasks, send-email-tasks"
    assert lines["letters"].split(None, 1)[1] == "create-letters-pdf-tasks, letter-tasks, antivirus-tasks"


def test_every_queue_has_exactly_one_role() -> None:
    served = [queue for names in queues.ROLES.values() for queue in names]
    assert len(served) == len(set(served))
    assert set(served) == set(queues.QUEUES)
    named = {value for name, value in vars(queues).items() if name.isupper() and isinstance(value, str)}
    assert named - {queues.ALL_ROLES, queues.GOVUK_ALERTS} == set(served)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--role=senders"], "--role: there is no role senders; there are periodic,"),
        (["--queues=send-sms-tasks,x"], "--queues: there is no queue x; there are periodic-tasks,"),
    ],
)
def test_names_that_there_are_not(options: list[str], message: str) -> None:
    shown = CliRunner().invoke(command, options)
    assert shown.exit_code == 2
    assert message in shown.output


def test_a_worker_serves_its_roles_and_queues_and_no_others(
    make_api: Callable[..., Api], mmg: MMGServer, tmp_path: Path
) -> None:
    api = make_api()
    for name in (queues.REPORTING, queues.JOBS, queues.RETRY, queues.PERIODIC):
        assert api.parts.queue.publish(TaskName("replay-created-notifications"), [], queue=name)
    environment = environment_of(api.parts.settings)
    with WorkerProcess(environment, tmp_path / "log", "--role=reporting", "--role=jobs", "--queues=retry-tasks") as one:
        one.wait_for(lambda: len([line for line in one.lines() if line["message"] == "task"]) == 3)
        tasks = [line for line in one.lines() if line["message"] == "task"]
        assert {line["queue_name"] for line in tasks} == {queues.REPORTING, queues.JOBS, queues.RETRY}
        assert waiting(api, queues.PERIODIC) == 1


def test_when_asked_to_stop_it_finishes_tasks_in_progress(
    make_api: Callable[..., Api], mmg: MMGServer, tmp_path: Path
) -> None:
    api = make_api()
    mmg.fail(Trouble(status=None, delay=2.0))
    id_ = api.sent()
    with WorkerProcess(environment_of(api.parts.settings), tmp_path / "log", "--role=sender") as worker:
        worker.wait_for(lambda: mmg.at_once == 1)
        worker.process.terminate()
        assert worker.process.wait(30) == 0, worker.said
    assert api.get(str(id_))["status"] == "sending"
    assert waiting(api, queues.SEND_SMS) == 0


def test_what_takes_too_long_is_given_back(make_api: Callable[..., Api], mmg: MMGServer, tmp_path: Path) -> None:
    api = make_api(worker_stop_seconds=1)
    mmg.fail(Trouble(hang=True))
    id_ = api.sent()
    with WorkerProcess(environment_of(api.parts.settings), tmp_path / "log", "--role=sender") as worker:
        worker.wait_for(lambda: mmg.at_once == 1)
        worker.process.terminate()
        assert worker.process.wait(30) == 1, worker.said
        assert worker.lines()[-1]["message"] == "worker ends with tasks under way"
    assert waiting(api, queues.SEND_SMS) == 1
    mmg.fail(None)
    with WorkerProcess(environment_of(api.parts.settings), tmp_path / "log", "--role=sender") as worker:
        worker.wait_for(lambda: api.get(str(id_))["status"] == "sending")


def test_a_worker_shows_its_metrics_at_a_port_of_its_own(make_api: Callable[..., Api], tmp_path: Path) -> None:
    api = make_api()
    port = free_port()
    environment = environment_of(api.parts.settings, WORKER_METRICS_PORT=str(port), METRICS_TOKEN="sesame")
    api.sent()
    with WorkerProcess(environment, tmp_path / "log", "--role=sender") as worker:
        worker.wait_for(lambda: any(line["message"] == "task" for line in worker.lines()))
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics")
        request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Authorization": "Bearer sesame"})
        with urllib.request.urlopen(request) as answer:
            text = answer.read().decode()
    assert 'notifications_total{key_type="normal",notification_type="sms",status="sending"} 1.0' in text
    assert 'celery_task_wait_seconds_count{sqs_queue_name="send-sms-tasks"} 1.0' in text
    assert (
        'provider_request_duration_seconds_count{error_type="",notification_type="sms",provider_name="mmg"} 1.0' in text
    )


def child_of(worker: WorkerProcess) -> psutil.Process:
    (child,) = psutil.Process(worker.process.pid).children()
    return child


def test_a_worker_that_hangs_is_replaced(api: Api, tmp_path: Path) -> None:
    environment = environment_of(api.parts.settings, HUNG_SECONDS="5", NOTIFY_LOG_LEVEL="INFO")
    with WorkerProcess(environment, tmp_path / "worker.log") as worker:
        worker.wait_until_ready()
        frozen = child_of(worker)
        frozen.suspend()
        worker.wait_for(lambda: worker.said.count('"worker ready"') == 2)
        assert not frozen.is_running()
        # it works, and can be stopped
        worker.process.terminate()
        assert worker.process.wait(60) == 0, worker.said


def test_a_worker_that_ends_with_an_error_has_an_exit_code(api: Api, tmp_path: Path) -> None:
    """Such as a broker that refuses every write, its disk being full."""
    server = start_valkey(tmp_path, durable=False)
    try:
        environment = environment_of(api.parts.settings, BROKER_URL=server.url, NOTIFY_LOG_LEVEL="INFO")
        with WorkerProcess(environment, tmp_path / "worker.log") as worker:
            worker.wait_until_ready()
            with redis.Redis.from_url(server.url) as broker:
                broker.execute_command("ACL", "SETUSER", "default", "-brpop", "-rpop")
                broker.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                assert worker.process.wait(60) != 0, worker.said
    finally:
        server.stop()
