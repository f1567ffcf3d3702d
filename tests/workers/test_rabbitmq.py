"""The task queues on RabbitMQ, where this machine has one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from notify import queues
from notify.infra.queue import TaskName
from notify.infra.valkey import free_port
from tests.api import Api
from tests.servers.mmg import MMGServer
from tests.workers.processes import WorkerProcess, environment_of

SERVER = shutil.which("rabbitmq-server") or "/usr/lib/rabbitmq/bin/rabbitmq-server"
START_SECONDS = 90

pytestmark = pytest.mark.skipif(not Path(SERVER).exists(), reason="there is no RabbitMQ on this machine")


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on loopback; its address."""
    folder = tmp_path_factory.mktemp("rabbitmq")
    ports = {name: free_port() for name in ("node", "distribution")}
    (folder / "plugins").write_text("[].")
    environment = {
        "PATH": f"/usr/lib/rabbitmq/bin:{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "RABBITMQ_NODENAME": f"test{os.getpid()}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(ports["node"]),
        "RABBITMQ_DIST_PORT": str(ports["distribution"]),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1",
    }
    log = folder / "output"
    with log.open("wb") as output:
        # not by Debian's wrapper, which insists on a separate account
        program = "/usr/lib/rabbitmq/bin/rabbitmq-server"
        process = subprocess.Popen(
            [program if Path(program).exists() else SERVER],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while "completed with" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    yield f"amqp://guest:guest@127.0.0.1:{ports['node']}//"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # the name server that the first node starts; it refuses while others use it
    subprocess.run(["epmd", "-kill"], check=False, capture_output=True)


def test_a_message_is_accepted_and_delivered(
    rabbitmq: str, make_api: Callable[..., Api], mmg: MMGServer, tmp_path: Path
) -> None:
    api = make_api(broker_url=rabbitmq, delivery_retry_seconds=1)
    id_ = api.sent()
    environment = environment_of(api.parts.settings)
    with WorkerProcess(environment, tmp_path / "worker.log", "--concurrency=4") as worker:
        worker.wait_for(lambda: bool(mmg.messages))
        assert mmg.messages[0]["cid"] == str(id_)
        worker.wait_for(lambda: api.get(str(id_))["status"] == "sending")
        worker.process.terminate()
        assert worker.process.wait(40) == 0, worker.said


def test_a_task_reaches_its_queue_and_no_other(rabbitmq: str, make_api: Callable[..., Api]) -> None:
    api = make_api(broker_url=rabbitmq)
    queue = api.parts.queue
    assert queue.publish(TaskName("deliver_sms"), [[]], queue=queues.REPORTING)
    states = queue.states(queues.QUEUES)
    assert states is not None
    assert {name for name, state in states.items() if state.waiting} == {queues.REPORTING}
    assert api.call("GET", "/_status/ready", headers={}).get_json()["broker"] == "ok"


def test_what_a_killed_worker_held_is_done_by_another(
    rabbitmq: str, make_api: Callable[..., Api], mmg: MMGServer, tmp_path: Path
) -> None:
    api = make_api(broker_url=rabbitmq)
    queue = api.parts.queue
    environment = environment_of(api.parts.settings)
    id_ = api.sent()
    with WorkerProcess(environment, tmp_path / "first.log", "--concurrency=4") as first:
        first.wait_for(lambda: bool(mmg.messages))
        # a task that is not due yet is held by the worker
        assert queue.publish(TaskName("deliver_sms"), [[str(id_)], 1], queue=queues.RETRY, countdown=3)
        first.wait_for(lambda: _waiting(api, queues.RETRY) == 0)
        first.process.kill()
        first.process.wait()
    with WorkerProcess(environment, tmp_path / "second.log", "--role=retry-tasks", "--concurrency=4") as second:
        second.wait_for(lambda: any(line["message"] == "task" for line in second.lines()))


def _waiting(api: Api, name: str) -> int:
    states = api.parts.queue.states([name])
    assert states is not None
    return states[name].waiting
