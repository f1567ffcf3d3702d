"""Deliveries while providers, the broker or the database fail: which provider is used, and that nothing is lost."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from notify.infra.broker import BrokerSettings
from notify.infra.container import Container
from notify.infra.queue import Queue, TaskName, create_celery
from notify.infra.times import utc_now
from notify.messages import tasks
from notify.messages.deliver import Deliverer
from notify.messages.delivery_speed import SLOW_TIMES_KEY
from notify.messages.maintenance import Sweeper
from notify.messages.publish import DeliveryPublisher
from notify.providers import http
from notify.providers import tasks as provider_tasks
from notify.queues import QUEUES
from notify.worker import create_celery as create_worker
from tests.api import Api, queued, with_settings
from tests.messages.test_deliver import Worker, retries, worker
from tests.servers.http import Trouble
from tests.servers.ses import SESServer, set_credentials
from tests.servers.smtp import SMTPServer

__all__ = ["worker"]

DOWN = Trouble(status=500)


@pytest.fixture
def patient(worker: Worker) -> Iterator[Worker]:
    """A worker that tries as often as the contract says."""
    parts = with_settings(
        worker.container.parts,
        delivery_retry_seconds=300,
        delivery_max_retries=48,
        check_slow_text_message_delivery=True,
    )
    container = Container(parts)
    yield replace(worker, container=container)
    container.close()


@pytest.fixture(autouse=True)
def quiet(worker: Worker) -> Iterator[None]:
    """Shares and queues as they were."""
    before = worker.api.execute("SELECT id, priority, updated_at, version FROM provider_details")
    clear(worker)
    yield
    for id_, *values in before:
        worker.api.execute(
            "UPDATE provider_details SET priority = %s, updated_at = %s, version = %s WHERE id = %s", *values, id_
        )
    worker.api.execute("DELETE FROM provider_details_history WHERE version > 1")


def clear(worker: Worker) -> None:
    """Empty queues, no errors on record."""
    worker.api.container.get(DeliveryPublisher).close()
    queued(worker.api.parts)
    worker.api.parts.cache.delete("mmg-error-rate", "firetext-error-rate", SLOW_TIMES_KEY)


def texts(worker: Worker, number: int) -> list[UUID]:
    ids = [worker.api.sent() for _ in range(number)]
    clear(worker)
    return ids


def statuses(worker: Worker, ids: list[UUID]) -> Counter[str]:
    rows = worker.api.execute("SELECT notification_status FROM notifications WHERE id = ANY(%s)", ids)
    return Counter(row[0] for row in rows)


def taken(worker: Worker) -> Counter[str]:
    """How often the providers took each message."""
    return Counter([m["cid"] for m in worker.mmg.messages] + [m["reference"] for m in worker.firetext.messages])


def shares(worker: Worker) -> dict[str, int]:
    return dict(
        worker.api.execute("SELECT identifier, priority FROM provider_details WHERE identifier IN ('mmg', 'firetext')")
    )


def under_way(worker: Worker) -> int:
    """How many calls wait for an answer of MMG."""
    return len(worker.deliverer.router._routes["mmg", "sms"].breaker._under_way)


def until(condition: Callable[[], bool], *, pause: float = 0.01) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(pause)


def work_off(worker: Worker, ids: list[UUID]) -> None:
    """Do what the queues hold, as workers do, until the messages have left."""

    def step() -> bool:
        for task, arguments in queued(worker.container.parts):
            worker.deliverer.deliver(task.removeprefix("deliver_"), [UUID(id_) for id_ in arguments[0]], *arguments[1:])
        return statuses(worker, ids)["created"] == 0

    until(step, pause=0.3)


def test_a_provider_goes_down_and_comes_back(worker: Worker) -> None:
    worker.api.execute("UPDATE provider_details SET priority = 50, updated_at = null WHERE notification_type = 'sms'")
    worker.mmg.fail(DOWN)
    ids = texts(worker, 150)
    for start in range(0, 150, 10):
        worker.deliverer.deliver("sms", ids[start : start + 10])
    # each was given to the other at once, and only so many were tried at the one that is down
    assert statuses(worker, ids) == {"sending": 150}
    assert len(worker.firetext.messages) == 150
    assert worker.mmg.received < 40
    assert shares(worker) == {"mmg": 40, "firetext": 60}
    history = worker.api.execute("SELECT identifier, reason FROM provider_details_history WHERE version > 1 ORDER BY 1")
    assert history == [
        ("firetext", "Increased due to reduced reliability in other provider"),
        ("mmg", "Reduced due to reduced reliability"),
    ]
    worker.mmg.fail(None)

    def returns() -> bool:
        worker.deliverer.deliver("sms", texts(worker, 10))
        return len(worker.mmg.messages) > 20

    until(returns)


def test_both_go_down_and_nothing_is_lost(patient: Worker) -> None:
    patient.mmg.fail(DOWN)
    patient.firetext.fail(DOWN)
    ids = texts(patient, 60)
    for start in range(0, 60, 5):
        patient.deliverer.deliver("sms", ids[start : start + 5])
    assert statuses(patient, ids) == {"created": 60}
    tried = patient.mmg.received + patient.firetext.received
    assert tried < 60
    waiting = queued(patient.container.parts)
    assert sorted(UUID(id_) for _, arguments in waiting for id_ in arguments[0]) == sorted(ids)
    for task, arguments in waiting:
        patient.container.parts.queue.publish(TaskName(task), arguments, queue="retry-tasks")
    patient.mmg.fail(None)
    patient.firetext.fail(None)
    work_off(patient, ids)
    assert statuses(patient, ids) == {"sending": 60}
    assert taken(patient) == dict.fromkeys(map(str, ids), 1)


NOWHERE = BrokerSettings("redis://127.0.0.1:9/0")


def test_waiting_for_a_provider_makes_no_second_chain_of_tasks(patient: Worker) -> None:
    """While all providers are down there is one task for each message, and further requests add none."""
    deliverer = patient.deliverer
    patient.mmg.fail(DOWN)
    patient.firetext.fail(DOWN)
    ids = texts(patient, 21)
    deliverer.deliver("sms", ids[:20])
    clear(patient)
    for route in deliverer.router._routes.values():
        route.breaker._open_until = float("inf")
    id_ = ids[20]
    deliverer.deliver("sms", [id_])
    [(_, [_, tries, due])] = queued(patient.container.parts)
    assert tries == 0
    # the sweeper, a task that was dealt out twice, one for an earlier try
    for arguments in ((), (0,), (0, due - 300)):
        deliverer.deliver("sms", [id_], *arguments)
    assert queued(patient.container.parts) == []
    for _ in range(3):
        deliverer.deliver("sms", [id_], tries, due)
        assert queued(patient.container.parts) == [("deliver_sms", [[str(id_)], 0, due])]
    # the time of a try that could not be made counts
    patient.api.execute("UPDATE notifications SET next_try_at = now() - interval '1 second' WHERE id = %s", id_)
    deliverer.deliver("sms", [id_])
    [(_, [_, tries, later])] = queued(patient.container.parts)
    assert (tries, later > due - 10) == (2, True)
    # a broker that lost its memory begins nothing anew
    patient.api.execute("UPDATE notifications SET next_try_at = now(), tries = 48 WHERE id = %s", id_)
    deliverer.deliver("sms", [id_])
    assert statuses(patient, [id_]) == {"technical-failure": 1}
    assert queued(patient.container.parts) == []


def test_others_are_delivered_while_a_provider_hangs(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", 6.0)
    worker.mmg.fail(Trouble(hang=True))
    hung = texts(worker, 40)
    others = texts(worker, 100)
    first = threading.Thread(target=worker.deliverer.deliver, args=("sms", hung))
    first.start()
    until(lambda: worker.mmg.received > 3)
    until(lambda: worker.deliverer.router.states()["mmg", "sms"] == "hanging")
    hanging = under_way(worker)
    for start in range(0, 100, 10):
        worker.deliverer.deliver("sms", others[start : start + 10])
    assert statuses(worker, others) == {"sending": 100}
    assert (worker.mmg.received, under_way(worker)) == (hanging, hanging)
    # what hung is given to the other when its time is over
    first.join()
    assert statuses(worker, hung) == {"sending": 40}
    assert len(worker.firetext.messages) == 140
    assert taken(worker) == dict.fromkeys(map(str, hung + others), 1)


def test_many_batches_hang_and_still_make_way(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", 6.0)
    worker.mmg.fail(Trouble(hang=True))
    hung = texts(worker, 60)
    others = texts(worker, 60)
    threads = [
        threading.Thread(target=worker.deliverer.deliver, args=("sms", hung[start : start + 10]))
        for start in range(0, 60, 10)
    ]
    for thread in threads:
        thread.start()
    until(lambda: worker.mmg.received > 3)
    until(lambda: worker.deliverer.router.states()["mmg", "sms"] == "hanging")
    hanging = under_way(worker)
    worker.deliverer.deliver("sms", others)
    assert statuses(worker, others) == {"sending": 60}
    assert (worker.mmg.received, under_way(worker)) == (hanging, hanging)
    for thread in threads:
        thread.join()
    assert statuses(worker, hung) == {"sending": 60}


def test_a_broker_that_is_down_costs_nothing_but_time(worker: Worker) -> None:
    container = Container(worker.container.parts)
    container.get(Deliverer)._queue = Queue(create_celery(NOWHERE, prefix="", queues=QUEUES), "", NOWHERE)
    worker.mmg.fail(DOWN)
    worker.firetext.fail(DOWN)
    ids = texts(worker, 3)
    container.get(Deliverer).deliver("sms", ids)
    assert statuses(worker, ids) == {"created": 3}
    worker.mmg.fail(None)
    worker.firetext.fail(None)
    worker.api.execute("UPDATE notifications SET created_at = now() - interval '301 s' WHERE id = ANY(%s)", ids)
    parts = worker.container.parts
    sweeper = Sweeper(parts.database, parts.queue, retry=timedelta(seconds=0))
    assert sweeper.sweep(now=utc_now(), first=timedelta(seconds=300), every=timedelta(seconds=60)) == 3
    work_off(worker, ids)
    assert taken(worker) == dict.fromkeys(map(str, ids), 1)


def test_results_are_written_although_the_database_lost_its_connections(worker: Worker) -> None:
    worker.mmg.fail(Trouble(delay=0.5))
    worker.firetext.fail(Trouble(delay=0.5))
    ids = texts(worker, 20)
    thread = threading.Thread(target=worker.deliverer.deliver, args=("sms", ids))
    thread.start()
    until(lambda: worker.mmg.received + worker.firetext.received == 20)
    worker.api.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    thread.join()
    assert statuses(worker, ids) == {"sending": 20}
    assert taken(worker) == dict.fromkeys(map(str, ids), 1)


def test_without_a_database_messages_wait(worker: Worker) -> None:
    ids = texts(worker, 2)
    container = Container(
        with_settings(worker.container.parts, sqlalchemy_database_uri="postgresql://nobody@127.0.0.1:9/nothing")
    )
    container.get(Deliverer).deliver("sms", ids)
    container.close()
    work_off(worker, ids)
    assert taken(worker) == dict.fromkeys(map(str, ids), 1)


def test_a_message_that_cannot_be_made_holds_up_no_other(worker: Worker) -> None:
    ids = texts(worker, 5)
    worker.api.execute("UPDATE notifications SET _personalisation = 'nonsense' WHERE id = %s", ids[2])
    worker.deliverer.deliver("sms", ids)
    assert statuses(worker, ids) == {"sending": 4, "created": 1}
    assert retries(worker) == [("deliver_sms", [[str(ids[2])], 2])]
    worker.deliverer.deliver("sms", ids[2:3], 2)
    assert statuses(worker, ids) == {"sending": 4, "technical-failure": 1}


def test_an_email_that_ses_does_not_take_is_given_to_smtp_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch)
    with SESServer() as ses, SMTPServer() as fallback:
        container = Container(
            with_settings(api.parts, ses_enabled=True, ses_url=ses.url, smtp_url=fallback.url(), sandbox_url="")
        )
        ids = [api.sent("email") for _ in range(4)]
        api.container.get(DeliveryPublisher).close()
        queued(api.parts)
        container.get(Deliverer).deliver("email", ids[:1])
        ses.fail(DOWN)
        container.get(Deliverer).deliver("email", ids[1:2])
        # a later round has no second provider; one try each
        container.get(Deliverer).deliver("email", ids[2:3], 7)
        assert [(task, given[:2]) for task, given in queued(container.parts)] == [("deliver_email", [[str(ids[2])], 8])]
        fallback.replies["DATA"] = "451 4.3.0 not now"
        container.get(Deliverer).deliver("email", ids[3:])
        assert [(task, given[:2]) for task, given in queued(container.parts)] == [("deliver_email", [[str(ids[3])], 1])]
        container.close()
        assert (len(ses.messages), len(fallback.received)) == (1, 1)
    sent_by = dict(api.execute("SELECT id, sent_by FROM notifications WHERE id = ANY(%s)", ids))
    assert [sent_by[id_] for id_ in ids] == ["ses", "smtp", None, None]


class CountingSMTPServer(SMTPServer):
    """Counts what it was asked to take."""

    asked = 0

    async def handle_RCPT(self, *arguments: Any) -> str:  # noqa: N802
        self.asked += 1
        return await super().handle_RCPT(*arguments)


def test_an_email_is_not_tried_twice_at_the_only_provider(api: Api) -> None:
    with CountingSMTPServer() as server:
        server.replies["DATA"] = "451 4.3.0 not now"
        container = Container(with_settings(api.parts, smtp_url=server.url(), sandbox_url=""))
        container.get(Deliverer).deliver("email", [api.sent("email")])
        container.close()
        assert server.asked == 1


def test_periodic_tasks_are_planned(worker: Worker) -> None:
    celery = create_worker(worker.container.parts.settings)
    prefix = worker.container.parts.settings.notification_queue_prefix
    for name, minutes in {
        "switch-current-sms-provider-on-slow-delivery": set(range(60)),
        "generate-sms-delivery-stats": set(range(60)),
        "tend-providers-back-to-middle": set(range(0, 60, 5)),
    }.items():
        entry = celery.conf.beat_schedule[name]
        assert entry["task"] == name
        assert entry["options"] == {"queue": f"{prefix}periodic-tasks"}
        assert entry["schedule"].minute == minutes
        assert name in celery.tasks


@pytest.mark.filterwarnings("ignore:Task name")
def test_periodic_tasks_move_shares(patient: Worker) -> None:
    parts = patient.container.parts
    celery = parts.queue.celery
    tasks.tasks.add_to(celery, patient.container)
    provider_tasks.tasks.add_to(celery, patient.container)
    celery.tasks["tend-providers-back-to-middle"]()
    assert shares(patient) == {"mmg": 20, "firetext": 30}
    patient.api.execute("UPDATE provider_details SET updated_at = now() - interval '6 minutes'")
    patient.api.execute("DELETE FROM notifications")
    ids = texts(patient, 20)
    patient.api.execute(
        "UPDATE notifications SET notification_status = 'sending', sent_by = 'firetext',"
        " created_at = now() - interval '6 minutes', sent_at = now() - interval '6 minutes' WHERE id = ANY(%s)",
        ids,
    )
    celery.tasks["generate-sms-delivery-stats"]()
    assert parts.cache.get("slow-sms-delivery:number-of-times-over-threshold") == b"1"
    celery.tasks["switch-current-sms-provider-on-slow-delivery"]()
    assert shares(patient) == {"mmg": 30, "firetext": 20}
