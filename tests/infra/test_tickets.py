"""Tickets: in the log, at a webhook and in Zendesk, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from notify import settings
from notify.infra.container import Container
from notify.infra.outbound import Outbound
from notify.infra.parts import build_parts
from notify.infra.patient_calls import PatientCaller
from notify.infra.tickets import TicketError, Tickets
from notify.infra.zendesk import Zendesk
from notify.safety import SettingsError
from tests.servers.http import Trouble
from tests.servers.receiver import Receiver
from tests.servers.zendesk import ZendeskServer

KEY = "zendesk-key-for-tests"


@pytest.fixture
def outbound() -> Iterator[Outbound]:
    outbound = Outbound(timeout=5)
    yield outbound
    outbound.close()


@pytest.fixture
def zendesk() -> Iterator[ZendeskServer]:
    with ZendeskServer() as server:
        yield server


@pytest.fixture
def webhook() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


def tickets(outbound: Outbound, zendesk: ZendeskServer, webhook: Receiver, *, seconds: float = 10) -> Tickets:
    caller = PatientCaller(outbound, tried_seconds=seconds)
    return Tickets(
        environment="preview",
        caller=caller,
        webhook_url=webhook.url + "/alerts",
        zendesk=Zendesk(caller, url=zendesk.url, account="zd-api-notify@digital.cabinet-office.gov.uk", key=KEY),
    )


def test_a_ticket_reaches_the_log_the_webhook_and_zendesk(
    outbound: Outbound, zendesk: ZendeskServer, webhook: Receiver
) -> None:
    with capture_logs() as logs:
        tickets(outbound, zendesk, webhook).create(
            "Letters still sending", "There are 3.", cc=("print@example.com",), task_type="notify_task_letters_sending"
        )
    entry = next(log for log in logs if log["event"] == "ticket")
    assert entry["subject"] == "[preview] Letters still sending"
    assert entry["ticket_message"] == "There are 3."
    assert "print@example.com" not in str(logs)
    (call,) = webhook.at("/alerts")
    assert call.body == {
        "environment": "preview",
        "subject": "[preview] Letters still sending",
        "message": "There are 3.",
        "kind": "incident",
        "task_type": "notify_task_letters_sending",
        "text": "[preview] Letters still sending\nThere are 3.",
    }
    (ticket,) = zendesk.tickets.values()
    assert ticket == {
        "subject": "[preview] Letters still sending",
        "comment": {"body": "There are 3.", "public": True},
        "group_id": 360000036529,
        "organization_id": 21891972,
        "ticket_form_id": 14226867890588,
        "priority": "normal",
        "tags": ["govuk_notify_support"],
        "type": "incident",
        "custom_fields": [
            {"id": 14229641690396, "value": "notify_task_letters_sending"},
            {"id": 1900000744994, "value": "notify_ticket_type_technical"},
        ],
        "email_ccs": [{"user_email": "print@example.com", "action": "put"}],
    }


def test_a_subject_may_go_without_the_environment(
    outbound: Outbound, zendesk: ZendeskServer, webhook: Receiver
) -> None:
    tickets(outbound, zendesk, webhook).create(
        "Review new email brandings", "<p>1</p>", kind="task", names_environment=False, is_technical=False, is_html=True
    )
    (ticket,) = zendesk.tickets.values()
    assert (ticket["subject"], ticket["type"]) == ("Review new email brandings", "task")
    assert ticket["comment"] == {"html_body": "<p>1</p>", "public": False}
    assert ticket["custom_fields"] == [{"id": 1900000744994, "value": "notify_ticket_type_non_technical"}]


@pytest.mark.parametrize("trouble", [Trouble(status=503), Trouble(status=429), Trouble(drop=True), Trouble(half=True)])
def test_troubles_that_pass_are_waited_out(
    outbound: Outbound, zendesk: ZendeskServer, webhook: Receiver, trouble: Trouble
) -> None:
    zendesk.fail(trouble, 2)
    webhook.fail(trouble, 1)
    tickets(outbound, zendesk, webhook).create("Subject", "text")
    assert len(zendesk.tickets) == 1
    assert len(webhook.calls) == 1


def test_a_lost_answer_makes_no_second_ticket(outbound: Outbound, zendesk: ZendeskServer, webhook: Receiver) -> None:
    zendesk.lose_answers = 2
    tickets(outbound, zendesk, webhook).create("Subject", "text")
    assert len(zendesk.tickets) == 1


def test_one_place_that_fails_stops_no_other(outbound: Outbound, zendesk: ZendeskServer, webhook: Receiver) -> None:
    webhook.fail(Trouble(status=500))
    with pytest.raises(TicketError) as caught:
        tickets(outbound, zendesk, webhook, seconds=0.5).create("Subject", "text")
    assert caught.value.places == ["webhook"]
    assert len(zendesk.tickets) == 1


@pytest.mark.parametrize("status", [200, 302, 401, 422])
def test_zendesk_must_say_created(outbound: Outbound, zendesk: ZendeskServer, webhook: Receiver, status: int) -> None:
    zendesk.fail(Trouble(status=status))
    with pytest.raises(TicketError) as caught:
        tickets(outbound, zendesk, webhook).create("Subject", "text")
    assert caught.value.places == ["Zendesk"]
    assert zendesk.received == 1
    assert len(webhook.calls) == 1


def test_a_suspended_requester_is_only_logged(outbound: Outbound, zendesk: ZendeskServer, webhook: Receiver) -> None:
    zendesk.suspended = True
    tickets(outbound, zendesk, webhook).create("Subject", "text")
    assert not zendesk.tickets


def test_updating_a_ticket(outbound: Outbound, zendesk: ZendeskServer, webhook: Receiver) -> None:
    tickets(outbound, zendesk, webhook).update(
        77, "This week's", files={"a b.csv": b"x,y\n"}, due_at=datetime(2026, 11, 27, 9, 5, tzinfo=UTC)
    )
    assert zendesk.updates == [
        (
            77,
            {
                "comment": {"body": "This week's", "public": True, "uploads": ["upload-0"]},
                "status": "pending",
                "due_at": "2026-11-27T09:05:00Z",
            },
        )
    ]
    assert zendesk.uploads == {"upload-0": ("a b.csv", b"x,y\n")}


def built(tmp_path: Path, **options: Any) -> tuple[Container, Tickets]:
    given = settings.load(
        sqlalchemy_database_uri="postgresql://127.0.0.1:9/none",
        redis_url="redis://127.0.0.1:9/0",
        notify_environment="test",
        notify_data_dir=tmp_path,
        **options,
    )
    container = Container(build_parts(given))
    return container, container.get(Tickets)


def test_nothing_but_the_log_is_configured_at_first(tmp_path: Path) -> None:
    container, made = built(tmp_path)
    with capture_logs() as logs:
        made.create("Subject", "text")
    assert [log["subject"] for log in logs] == ["[test] Subject"]
    assert not made.has_zendesk
    container.close()


def test_settings_say_where_tickets_go(tmp_path: Path, zendesk: ZendeskServer, webhook: Receiver) -> None:
    container, made = built(
        tmp_path,
        ticket_webhook_url=webhook.url,
        send_zendesk_alerts_enabled=True,
        zendesk_url=zendesk.url,
        zendesk_api_key=KEY,
    )
    made.create("Subject", "text")
    assert [ticket["subject"] for ticket in zendesk.tickets.values()] == ["[test] Subject"]
    assert len(webhook.calls) == 1
    container.close()


def test_the_real_zendesk_is_refused_in_tests(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SEND_ZENDESK_ALERTS_ENABLED"):
        built(tmp_path, send_zendesk_alerts_enabled=True, zendesk_api_key=KEY)
