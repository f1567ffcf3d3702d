from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog

from notify.infra.container import Container
from notify.messages.callbacks import MessageCallbacks
from notify.messages.deliver import Deliverer
from notify.messages.publish import DeliveryPublisher
from notify.messages.receipts import ReceiptProcessor
from notify.providers.base import Receipt
from notify.services.cache import ServiceCache
from notify.templates.cache import TemplateCache
from tests.api import Api, queued, with_settings
from tests.servers.firetext import FiretextServer
from tests.servers.http import Trouble
from tests.servers.mmg import MMGServer
from tests.servers.proxy import ProxyThread, before_postgres
from tests.servers.smtp import SMTPServer


@dataclass
class Worker:
    """A worker's container, beside the web process of `api`, and the providers it calls."""

    api: Api
    container: Container
    mmg: MMGServer
    firetext: FiretextServer

    @property
    def deliverer(self) -> Deliverer:
        return self.container.get(Deliverer)

    def status(self, id_: UUID) -> str:
        return str(self.api.get(str(id_))["status"])


def retries(worker: Worker) -> list[tuple[str, list[Any]]]:
    """The tasks for later tries, without the time at which these are due."""
    return [(task, arguments[:2]) for task, arguments in queued(worker.container.parts)]


@pytest.fixture
def worker(api: Api) -> Iterator[Worker]:
    with MMGServer() as mmg, FiretextServer() as firetext:
        parts = with_settings(
            api.parts,
            mmg_api_key=mmg.key,
            mmg_url=mmg.address,
            firetext_api_key=firetext.keys[0],
            firetext_url=firetext.address,
            delivery_max_retries=2,
            delivery_retry_seconds=0,
        )
        container = Container(parts)
        yield Worker(api, container, mmg, firetext)
        container.close()


def test_texts_are_handed_to_a_provider_once(worker: Worker) -> None:
    ids = [worker.api.sent() for _ in range(20)]
    threads = [threading.Thread(target=worker.deliverer.deliver, args=("sms", ids)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(worker.mmg.messages) + len(worker.firetext.messages) == 20
    shown = worker.api.get(str(ids[0]))
    assert shown["status"] == "sending"
    assert shown["sent_at"] is not None
    assert shown["completed_at"] is None
    assert shown["cost_details"]["billable_sms_fragments"] == 1


def test_a_text_that_one_provider_refuses_is_sent_to_the_other_at_once(worker: Worker) -> None:
    worker.mmg.fail(Trouble(status=500), times=100)
    ids = [worker.api.sent() for _ in range(10)]
    worker.deliverer.deliver("sms", ids)
    assert [worker.status(id_) for id_ in ids] == ["sending"] * 10
    assert len(worker.firetext.messages) == 10


def test_when_every_try_fails_the_message_does_too(worker: Worker) -> None:
    worker.mmg.fail(Trouble(status=500), times=100)
    worker.firetext.fail(Trouble(status=500), times=100)
    id_ = worker.api.sent()
    worker.api.container.get(DeliveryPublisher).close()
    queued(worker.api.parts)
    worker.deliverer.deliver("sms", [id_])
    assert worker.status(id_) == "created"
    # the first retry followed at once
    assert retries(worker) == [("deliver_sms", [[str(id_)], 2])]
    assert (worker.mmg.received, worker.firetext.received) == (1, 1)
    worker.deliverer.deliver("sms", [id_], 2)
    assert worker.status(id_) == "technical-failure"
    assert queued(worker.container.parts) == []


@pytest.mark.parametrize(
    ("number", "status"),
    [("07700900003", "temporary-failure"), ("07700900002", "permanent-failure"), ("07700900001", "delivered")],
)
def test_texts_of_test_keys_are_simulated(worker: Worker, number: str, status: str) -> None:
    id_ = worker.api.sent(key="test", phone_number=number)
    worker.deliverer.deliver("sms", [id_])
    shown = worker.api.get(str(id_))
    assert shown["status"] == status
    assert shown["cost_details"]["billable_sms_fragments"] == 1
    assert worker.mmg.messages == worker.firetext.messages == []


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("temp-fail@simulator.notify", "temporary-failure"),
        ("perm-fail@simulator.notify", "permanent-failure"),
        ("delivered@simulator.notify", "delivered"),
    ],
)
def test_emails_of_test_keys_are_simulated(worker: Worker, address: str, status: str) -> None:
    id_ = worker.api.sent("email", key="test", email_address=address)
    worker.deliverer.deliver("email", [id_])
    assert worker.status(id_) == status


def test_a_text_abroad_stays_sent_if_the_provider_sends_no_receipts(worker: Worker) -> None:
    id_ = worker.api.sent(phone_number="+5491123456789")  # no receipts from Argentina
    worker.deliverer.deliver("sms", [id_])
    assert worker.status(id_) == "sent"
    worker.container.get(ReceiptProcessor).record(Receipt("mmg", id_, None, "permanent-failure"))
    assert worker.status(id_) == "sent"


def test_a_receipt_before_the_row_says_sending_wins(worker: Worker) -> None:
    worker.mmg.fail(Trouble(delay=1.0))
    worker.firetext.fail(Trouble(delay=1.0))
    id_ = worker.api.sent()
    thread = threading.Thread(target=worker.deliverer.deliver, args=("sms", [id_]))
    thread.start()
    while not worker.mmg.received + worker.firetext.received:
        time.sleep(0.01)
    worker.container.get(ReceiptProcessor).record(Receipt("mmg", id_, None, "delivered"))
    assert worker.status(id_) == "delivered"
    thread.join()
    assert worker.status(id_) == "delivered"
    assert worker.api.get(str(id_))["sent_at"]


def test_a_receipt_does_not_change_a_message_that_was_not_sent(worker: Worker) -> None:
    id_ = worker.api.sent()
    worker.container.get(ReceiptProcessor).record(Receipt("firetext", id_, None, "delivered"))
    assert worker.status(id_) == "created"
    worker.deliverer.deliver("sms", [id_])
    assert worker.status(id_) == "sending"


def test_outside_development_only_the_provider_that_has_a_message_ends_it(worker: Worker) -> None:
    container = worker.container
    strict = ReceiptProcessor(
        container.parts.database,
        container.parts.encryptor,
        container.get(ServiceCache),
        container.get(TemplateCache),
        container.get(MessageCallbacks),
        only_its_provider=True,
    )
    worker.firetext.fail(Trouble(status=500), times=100)
    id_ = worker.api.sent()
    worker.deliverer.deliver("sms", [id_])
    strict.record(Receipt("firetext", id_, None, "permanent-failure"))
    assert worker.status(id_) == "sending"
    strict.record(Receipt("mmg", id_, None, "delivered"))
    assert worker.status(id_) == "delivered"


@pytest.mark.parametrize(
    ("receipts", "status"),
    [
        (["delivered", "permanent-failure"], "delivered"),
        (["pending", "delivered"], "delivered"),
        (["delivered", "delivered"], "delivered"),
        (["temporary-failure"], "temporary-failure"),
    ],
)
def test_the_first_final_receipt_counts(worker: Worker, receipts: list[Any], status: str) -> None:
    id_ = worker.api.sent()
    worker.deliverer.deliver("sms", [id_])
    worker.container.get(ReceiptProcessor).record_many([Receipt("mmg", id_, None, outcome) for outcome in receipts])
    assert worker.status(id_) == status


def test_a_failure_after_an_interim_receipt_is_temporary(worker: Worker) -> None:
    id_ = worker.api.sent()
    worker.deliverer.deliver("sms", [id_])
    form = {"reference": str(id_), "status": "2"}
    client = worker.api.app.test_client()
    assert client.post("/notifications/sms/firetext", data=form).get_json() == {"result": "success"}
    assert worker.status(id_) == "pending"
    client.post("/notifications/sms/firetext", data={**form, "status": "1"})
    assert worker.status(id_) == "temporary-failure"


def test_receipts_over_http(worker: Worker) -> None:
    id_ = worker.api.sent()
    worker.deliverer.deliver("sms", [id_])
    client = worker.api.app.test_client()
    missing = client.post("/notifications/sms/mmg", json={})
    assert missing.status_code == 400
    assert missing.get_json() == {
        "result": "error",
        "message": ["MMG callback failed: status missing", "MMG callback failed: CID missing"],
    }
    assert client.post("/notifications/sms/mmg", json={"CID": str(id_), "status": "5"}).status_code == 200
    assert worker.status(id_) == "permanent-failure"
    assert client.post("/notifications/sms/unheard-of", json={}).status_code == 404


def test_emails_go_out_by_smtp(api: Api, tmp_path: Path) -> None:
    del tmp_path
    with SMTPServer() as server:
        container = Container(with_settings(api.parts, smtp_url=server.url(), sandbox_url=""))
        id_ = api.sent("email", one_click_unsubscribe_url="https://example.com/u")
        container.get(Deliverer).deliver("email", [id_])
        container.close()
        (received,) = server.received
    message = received.message
    assert message["To"] == "amala@example.com"
    assert message["Subject"] == "Your appointment on Monday"
    assert message["List-Unsubscribe"] == "<https://example.com/u>"
    assert "demo.service@notify.tools" in message["From"]
    kinds = [part.get_content_type() for part in message.walk()]
    assert "text/plain" in kinds
    assert "text/html" in kinds
    assert api.get(str(id_))["status"] == "delivered"


def test_an_archived_service_sends_nothing(worker: Worker) -> None:
    id_ = worker.api.sent()
    worker.api.execute("UPDATE services SET active = false WHERE id = %s", worker.api.service_id)
    worker.deliverer.deliver("sms", [id_])
    worker.api.execute("UPDATE services SET active = true WHERE id = %s", worker.api.service_id)
    worker.api.forget()
    assert worker.status(id_) == "technical-failure"
    assert worker.mmg.messages == worker.firetext.messages == []


@dataclass
class CutOff:
    """A worker whose way to the database can be cut, and the only provider that it has."""

    api: Api
    way: ProxyThread
    deliverer: Deliverer
    mmg: MMGServer
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2))

    def begin(self, ids: list[UUID]) -> Future[None]:
        """Deliver in the background; returns when the provider has been called for each."""
        before = self.mmg.received
        future = self.pool.submit(self.deliverer.deliver, "sms", ids)
        deadline = time.monotonic() + 20
        while self.mmg.received < before + len(ids):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return future


@pytest.fixture
def cut_off(api: Api) -> Iterator[CutOff]:
    with MMGServer() as mmg, before_postgres(api.parts.settings.sqlalchemy_database_uri) as (way, url):
        parts = with_settings(
            api.parts, mmg_api_key=mmg.key, mmg_url=mmg.address, sqlalchemy_database_uri=url, delivery_max_retries=2
        )
        container = Container(parts)
        container.get(Deliverer).deliver("sms", [api.sent()])  # looks up what it keeps in memory
        mmg.messages.clear()
        yield CutOff(api, way, container.get(Deliverer), mmg)
        way.proxy.mode = "forward"
        container.close()


def test_results_are_written_when_the_database_is_back(cut_off: CutOff) -> None:
    cut_off.mmg.fail(Trouble(delay=0.5))
    ids = [cut_off.api.sent() for _ in range(5)]
    under_way = cut_off.begin(ids)
    cut_off.way.proxy.mode = "refuse"
    cut_off.way.cut()
    time.sleep(1.0)  # the answers came, and nobody could write them
    assert not under_way.done()
    assert cut_off.api.get(str(ids[0]))["status"] == "created"
    # the locks ended with the connection, but the same process does not take the messages up again
    cut_off.way.proxy.mode = "forward"
    cut_off.deliverer.deliver("sms", ids)
    under_way.result(timeout=20)
    assert [cut_off.api.get(str(id_))["status"] for id_ in ids] == ["sending"] * 5
    assert len(cut_off.mmg.messages) == 5


def test_what_a_provider_refused_is_tried_again_even_when_the_locks_got_lost(cut_off: CutOff) -> None:
    cut_off.mmg.fail(Trouble(status=500, delay=0.5))
    id_ = cut_off.api.sent()
    cut_off.api.container.get(DeliveryPublisher).close()
    queued(cut_off.api.parts)
    under_way = cut_off.begin([id_])
    cut_off.way.cut()
    under_way.result(timeout=20)
    assert [(task, given[:2]) for task, given in queued(cut_off.api.parts)] == [("deliver_sms", [[str(id_)], 2])]


@pytest.mark.parametrize(
    ("gsm_only", "sent", "logged"),
    [
        (False, "Hello Łukasz ŵ 漢, see you on 漢.", "3 character(s) caused UTF-16 encoding"),
        (True, "Hello Lukasz ŵ ?, see you on ?.", "1 character(s) replaced with ?"),
    ],
)
def test_characters_beyond_gsm_are_logged_by_number(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, gsm_only: bool, sent: str, logged: str
) -> None:
    capture = structlog.testing.LogCapture()
    verbose = structlog.make_filtering_bound_logger(0)
    logger = structlog.wrap_logger(None, processors=[capture], wrapper_class=verbose)
    monkeypatch.setattr("notify.messages.deliver.prepare.logger", logger)
    parts = with_settings(
        worker.api.parts, mmg_api_key=worker.mmg.key, mmg_url=worker.mmg.address, sms_gsm_only=gsm_only
    )
    id_ = worker.api.sent(personalisation={"name": "Łukasz ŵ 漢", "date": "漢"})
    with closing(Container(parts)) as container:
        container.get(Deliverer).deliver("sms", [id_])
    (message,) = worker.mmg.messages
    assert sent in str(message)
    events = [str(entry["event"]) for entry in capture.entries]
    assert [event for event in events if logged in event and f"and notification {id_}" in event]
    assert "漢" not in "".join(events)
