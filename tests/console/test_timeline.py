from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from notify.console.queries import Reaction, Sent, WaitingCallback
from notify.console.timeline import Step, state_of, timeline
from notify.infra.ids import new_id
from notify.messages.queries import StoredMessage
from notify.vocabulary import STATUSES

BEGAN = datetime(2026, 1, 5, 9, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def message(**values: Any) -> StoredMessage:
    usual: dict[str, Any] = {
        **dict.fromkeys(StoredMessage.__dataclass_fields__),
        "id": UUID(int=1),
        "notification_type": "sms",
        "status": "created",
        "key_type": "normal",
        "to": "07900900123",
        "personalisation": {},
        "created_at": BEGAN,
        "rate_multiplier": Decimal(1),
    }
    return StoredMessage(**{**usual, **values})


def sent(at: float, receipt: float | None = None, outcome: str = "delivered") -> Sent:
    return Sent(
        id=new_id(),
        recipient="447900900123",
        sender="GOVUK",
        reply_to=None,
        subject=None,
        body="Hello",
        html=None,
        headers={},
        created_at=after(at),
        outcome=outcome,
        receipt_due_at=after(at + 1),
        receipt_sent_at=None if receipt is None else after(receipt),
    )


def steps(
    stored: StoredMessage,
    given: list[Sent],
    reactions: tuple[Reaction, ...] = (),
    callbacks: tuple[WaitingCallback, ...] = (),
) -> list[Step]:
    return timeline(stored, given, reactions, callbacks, accepted_by="a key", time_out=timedelta(hours=72))


def told(found: list[Step]) -> list[tuple[str, str]]:
    return [(step.title, step.state) for step in found]


def test_a_message_that_was_delivered() -> None:
    done = message(status="delivered", sent_by="sandbox", sent_at=after(0.5), updated_at=after(2))
    # the sandbox writes its receipt down after the status it brought about
    found = steps(done, [sent(0.4, receipt=2.1)])
    assert told(found) == [
        ("Accepted", "done"),
        ("Given to the sandbox", "done"),
        ("Receipt of the sandbox", "done"),
        ("Delivered", "done"),
    ]
    assert [step.at for step in found] == [BEGAN, after(0.4), after(2), after(2)]


def test_the_timeline_of_a_failed_message_has_the_reason() -> None:
    failed = message(status="permanent-failure", sent_by="sandbox", sent_at=after(0.5), updated_at=after(2))
    found = steps(failed, [sent(0.4, receipt=2, outcome="permanent-failure")])
    assert told(found)[-2:] == [("Receipt of the sandbox", "failed"), ("Permanent failure", "failed")]
    assert found[-1].detail == "There is no such recipient."


def test_what_is_waited_for_comes_last() -> None:
    under_way = message(status="sending", sent_by="sandbox", sent_at=after(0.5), updated_at=after(0.5))
    found = steps(under_way, [sent(0.4)])
    assert told(found)[-2:] == [("Receipt of the sandbox", "waiting"), ("Time-out", "waiting")]
    assert found[-1].at == BEGAN + timedelta(hours=72)


def test_a_message_that_was_sent_twice() -> None:
    found = steps(message(status="delivered", sent_by="sandbox", updated_at=after(3)), [sent(1), sent(2)])
    assert [title for title, _ in told(found)][1:3] == ["Given to the sandbox", "Given to the sandbox again"]


@pytest.mark.parametrize(
    ("values", "title"),
    [
        ({}, "Waits for a worker"),
        ({"updated_at": after(1)}, "Waits for the next attempt"),
        ({"scheduled_for": after(3600)}, "Waits for its time"),
        ({"notification_type": "letter"}, "Waits to be printed"),
        ({"notification_type": "letter", "status": "pending-virus-check"}, "Waits for the virus check"),
    ],
)
def test_what_a_message_without_a_provider_waits_for(values: dict[str, Any], title: str) -> None:
    assert told(steps(message(**values), [])) == [("Accepted", "done"), (title, "waiting")]


def test_a_message_of_a_test_key_and_one_of_a_real_provider() -> None:
    done = message(status="delivered", sent_by="mmg", sent_at=after(1), updated_at=after(2))
    assert told(steps(done, []))[1:] == [("Given to mmg", "done"), ("Word from mmg", "done"), ("Delivered", "done")]
    assert told(steps(replace(done, key_type="test"), []))[1:] == [("Simulated", "done"), ("Delivered", "done")]


def test_reactions_come_in_their_place() -> None:
    done = message(status="delivered", sent_by="sandbox", sent_at=after(1), updated_at=after(2))
    reactions = (Reaction("complained", after(60)), Reaction("unsubscribed", after(61)))
    assert told(steps(done, [sent(0.5, receipt=2)], reactions))[-3:] == [
        ("Delivered", "done"),
        ("Complaint", "failed"),
        ("Unsubscribed", "done"),
    ]


def test_a_callback_that_waits_is_waited_for() -> None:
    done = message(status="delivered", sent_by="sandbox", sent_at=after(1), updated_at=after(2))
    found = steps(done, [sent(0.5, receipt=2)], callbacks=(WaitingCallback(3, after(90)),))
    assert found[-1] == Step(after(90), "Callback to the service", "Tried 3 times.", "waiting")


def test_every_status_stands_somehow_and_no_step_is_lost() -> None:
    for status in STATUSES:
        found = steps(message(status=status, updated_at=after(5)), [])
        assert found[0].title == "Accepted"
        assert found[-1].state == state_of(status)
