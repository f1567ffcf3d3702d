"""Callbacks about the status of messages."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.times import utc_now
from notify.messages.callbacks import MessageCallbacks
from notify.messages.deliver import Deliverer
from notify.messages.maintenance import time_out_sending
from notify.messages.receipts import ReceiptProcessor
from notify.messages.ses_events import SesEvents
from notify.messages.settings import DeliverySettings
from notify.providers.base import Receipt
from notify.webhooks.actions import create_callback
from notify.webhooks.again import send_again
from notify.webhooks.models import PAYLOAD
from notify.webhooks.outbox import Outbox
from tests.api import Api, queued, with_settings
from tests.servers.ses import event
from tests.servers.smtp import SMTPServer


@dataclass
class Told:
    """The demo service, which wants to be told, and what is written down for it."""

    api: Api
    container: Container

    def payloads(self) -> list[dict[str, Any]]:
        rows = self.api.execute("SELECT payload, id FROM pending_callbacks ORDER BY id")
        return [self.api.parts.encryptor.decrypt_json(payload, PAYLOAD, id_) for payload, id_ in rows]

    def tried(self, *ids: UUID) -> None:
        """Messages that a provider may have, though it did not say so."""
        self.api.execute("UPDATE notifications SET tries = 2 WHERE id = ANY(%s)", list(ids))

    def receipt(self, id_: UUID, outcome: Any, provider: str = "mmg") -> None:
        self.tried(id_)
        self.container.get(ReceiptProcessor).record(Receipt(provider, id_, None, outcome))


@pytest.fixture
def told(api: Api) -> Iterator[Told]:
    api.execute("DELETE FROM pending_callbacks")
    api.execute("DELETE FROM service_callback_api")
    with api.parts.database.transaction() as session:
        for kind in ("delivery_status", "complaint"):
            create_callback(
                session,
                api.parts.encryptor,
                service_id=UUID(api.service_id),
                callback_type=kind,
                url="https://example.com/",
                bearer_token="a token of some length",
                updated_by_id=UUID(api.demo["user"]["id"]),
                guarded=True,
            )
    container = Container(with_settings(api.parts))
    yield Told(api, container)
    container.close()
    queued(api.parts)


def test_of_a_text(told: Told) -> None:
    id_ = told.api.sent(reference="mine", phone_number="07900 900123")
    told.receipt(id_, "permanent-failure")
    shown = told.api.get(str(id_))
    (payload,) = told.payloads()
    assert payload == {
        "id": str(id_),
        "reference": "mine",
        "to": "07900 900123",
        "status": "permanent-failure",
        "created_at": shown["created_at"],
        "completed_at": shown["completed_at"],
        "sent_at": None,
        "notification_type": "sms",
        "template_id": told.api.template("sms"),
        "template_version": 1,
    }
    told.container.get(Outbox).close()
    assert ("send-delivery-status", [None, told.api.service_id]) in queued(told.api.parts)


def test_of_an_email_without_a_reference(told: Told) -> None:
    id_ = told.api.sent("email")
    told.receipt(id_, "delivered", "ses")
    (payload,) = told.payloads()
    assert (payload["to"], payload["reference"], payload["notification_type"]) == ("amala@example.com", None, "email")


def test_of_immediate_refusals_by_mail_servers(told: Told) -> None:
    taken, refused, unfit = (told.api.sent("email") for _ in range(3))
    with SMTPServer() as server:
        container = Container(with_settings(told.api.parts, smtp_url=server.url(), sandbox_url=""))
        container.get(Deliverer).deliver("email", [taken])
        server.replies = {"RCPT": "550 5.1.1 no such person"}
        container.get(Deliverer).deliver("email", [refused])
        server.replies = {"DATA": "554 5.6.0 content refused"}
        container.get(Deliverer).deliver("email", [unfit])
        container.close()
    statuses = {payload["id"]: payload["status"] for payload in told.payloads()}
    assert statuses == {str(taken): "delivered", str(refused): "permanent-failure"}


def test_once_although_receipts_repeat_themselves(told: Told) -> None:
    id_ = told.api.sent()
    for outcome in ("pending", "delivered", "delivered", "temporary-failure"):
        told.receipt(id_, outcome)
    assert [payload["status"] for payload in told.payloads()] == ["delivered"]


def test_not_of_an_interim_receipt(told: Told) -> None:
    told.receipt(told.api.sent(), "pending")
    assert told.payloads() == []


def test_of_a_status_that_the_provider_made_up(told: Told) -> None:
    id_ = told.api.sent()
    told.tried(id_)
    told.api.app.test_client().post("/notifications/sms/mmg", json={"CID": str(id_), "status": "77"})
    assert [payload["status"] for payload in told.payloads()] == ["technical-failure"]


def test_of_messages_of_test_keys(told: Told) -> None:
    id_ = told.api.sent(key="test", phone_number="07700900003")
    told.container.get(Deliverer).deliver("sms", [id_])
    assert [payload["status"] for payload in told.payloads()] == ["temporary-failure"]


def test_not_when_every_try_to_send_has_failed(told: Told) -> None:
    id_ = told.api.sent()
    told.container.get(Deliverer).deliver(
        "sms", [id_], told.api.parts.settings.part(DeliverySettings).delivery_max_retries
    )
    assert told.api.get(str(id_))["status"] == "technical-failure"
    assert told.payloads() == []


def test_when_there_was_no_receipt_for_days(told: Told) -> None:
    id_, letter = told.api.sent(), told.api.sent("letter")
    told.api.execute(
        "UPDATE notifications SET created_at = now() - interval '73 hours', notification_status = 'sending'"
        " WHERE id = ANY(%s)",
        [id_, letter],
    )
    database = told.api.parts.database
    time_out_sending(database, told.container.get(MessageCallbacks), now=utc_now(), after=timedelta(hours=72))
    (payload,) = told.payloads()
    assert (payload["id"], payload["status"]) == (str(id_), "temporary-failure")
    assert payload["completed_at"] is not None


def test_of_all_receipts_that_arrive_together(told: Told) -> None:
    ids = [told.api.sent() for _ in range(30)]
    threads = [threading.Thread(target=told.receipt, args=(id_, "delivered")) for id_ in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {payload["id"] for payload in told.payloads()} == set(map(str, ids))


def test_a_recipient_that_cannot_be_decrypted_blocks_no_others(told: Told) -> None:
    damaged, sound = told.api.sent(), told.api.sent()
    told.api.execute("UPDATE notifications SET \"to\" = 'x' WHERE id = %s", damaged)
    told.tried(damaged, sound)
    told.container.get(ReceiptProcessor).record_many(
        [Receipt("mmg", id_, None, "delivered") for id_ in (damaged, sound)]
    )
    assert [payload["id"] for payload in told.payloads()] == [str(sound)]
    rows = told.api.execute("SELECT notification_status FROM notifications WHERE id = %s", damaged)
    assert rows == [("delivered",)]


def test_services_without_a_callback_get_none(told: Told) -> None:
    told.api.execute("DELETE FROM service_callback_api")
    id_ = told.api.sent()
    told.receipt(id_, "delivered")
    assert told.api.get(str(id_))["status"] == "delivered"
    assert told.payloads() == []
    told.container.get(Outbox).close()
    assert "send-delivery-status" not in [task for task, _ in queued(told.api.parts)]


def test_of_one_message_once_more(told: Told) -> None:
    id_, open_ = told.api.sent(), told.api.sent()
    told.receipt(id_, "delivered")
    told.api.execute("DELETE FROM pending_callbacks")
    assert told.container.get(MessageCallbacks).record_again(id_) == {UUID(told.api.service_id)}
    assert not told.container.get(MessageCallbacks).record_again(open_)
    assert not told.container.get(MessageCallbacks).record_again(new_id())
    assert [payload["id"] for payload in told.payloads()] == [str(id_)]


def test_somebody_has_one_sent_again(told: Told) -> None:
    id_, open_ = told.api.sent(), told.api.sent()
    told.receipt(id_, "delivered")
    told.api.execute("DELETE FROM pending_callbacks")
    told.container.get(Outbox).close()
    queued(told.api.parts)
    assert send_again(told.container, id_) == ["delivery_status"]
    assert [payload["id"] for payload in told.payloads()] == [str(id_)]
    assert ("send-delivery-status", [None, told.api.service_id]) in queued(told.api.parts)
    assert send_again(told.container, open_) == send_again(told.container, new_id()) == []


def test_one_that_waits_for_its_next_try_is_tried_at_once_and_keeps_its_tries(told: Told) -> None:
    id_, other = told.api.sent(), told.api.sent()
    for one in (id_, other):
        told.receipt(one, "delivered")
    told.api.execute("UPDATE pending_callbacks SET attempts = 3, due_at = now() + interval '300 s'")
    assert send_again(told.container, id_) == ["delivery_status"]
    rows = told.api.execute("SELECT subject_id, attempts, due_at <= now() FROM pending_callbacks ORDER BY id")
    assert rows == [(id_, 3, True), (other, 3, False)]


def test_of_what_ses_says(told: Told) -> None:
    """Of a bounce and of a complaint, though SES repeats itself."""
    id_ = told.api.sent("email", reference="mine")
    told.api.execute(
        "UPDATE notifications SET notification_status = 'sending', sent_by = 'ses', reference = 'r-1' WHERE id = %s",
        id_,
    )
    for kind in ("Bounce", "Complaint", "Bounce", "Complaint"):
        told.container.get(SesEvents).take({"Type": "Notification", "Message": json.dumps(event(kind, "r-1"))})
    bounce, complaint = told.payloads()
    assert (bounce["id"], bounce["status"]) == (str(id_), "permanent-failure")
    assert complaint == {
        "notification_id": str(id_),
        "complaint_id": str(told.api.execute("SELECT id FROM complaints WHERE notification_id = %s", id_)[0][0]),
        "reference": "mine",
        "to": "amala@example.com",
        "complaint_date": "2026-03-01T12:00:05.000000Z",
    }
    told.container.get(Outbox).close()
    assert ("send-complaint", [None, told.api.service_id]) in queued(told.api.parts)
