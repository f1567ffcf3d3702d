"""Events go to every network once, by its first function or the other, in order."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from notify.broadcasts.areas import list_form
from notify.broadcasts.maintenance import OVERDUE, sweep
from notify.broadcasts.models import BroadcastProviderMessage, BroadcastSettings, SandboxBroadcast
from notify.broadcasts.proxies import Networks
from notify.broadcasts.public_site import PublicSite
from notify.broadcasts.sender import LONGEST_WAIT, MOST_AT_ONCE, BroadcastSender
from notify.broadcasts.settings import BroadcastSettings as Configuration
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from tests.api import queued
from tests.broadcasts.conftest import SQUARE, Alerts, alerts_on, reaching
from tests.servers.http import Trouble
from tests.servers.lambda_ import LambdaServer

FIRST = {"ee-1-proxy", "vodafone-1-proxy", "three-1-proxy", "o2-1-proxy"}


def _due(alerts: Alerts, event: Any) -> None:
    """Have what waits be due now."""
    for row in alerts.copies(event).values():
        alerts.change(row, due_at=utc_now() - timedelta(seconds=1))


def test_an_approved_alert_is_sent_to_every_network_once(alerts: Alerts, networks: LambdaServer) -> None:
    message = alerts.approved()
    event = alerts.event(message)
    alerts.work()
    assert {call.function for call in networks.invocations} == FIRST
    copies = alerts.copies(event)
    assert {row.status for row in copies.values()} == {"returned-ack"}
    by_function = {call.function: call.payload for call in networks.invocations}
    sent = event.sent_at.strftime("%Y-%m-%dT%H:%M:%S-00:00")
    assert event.transmitted_finishes_at is not None
    assert by_function["ee-1-proxy"] == {
        "message_type": "alert",
        "identifier": str(copies["ee"].id),
        "message_format": "cap",
        "headline": "GOV.UK Notify Broadcast",
        "description": "Water is rising. Go upstairs.",
        "areas": [{"polygon": SQUARE}],
        "sent": sent,
        "expires": event.transmitted_finishes_at.strftime("%Y-%m-%dT%H:%M:%S-00:00"),
        "language": "en-GB",
        "channel": "severe",
    }
    ibag = by_function["vodafone-1-proxy"]
    assert (ibag["message_format"], ibag["language"]) == ("ibag", "English")
    assert len(ibag["message_number"]) == 8


def test_tasks_that_run_again_send_nothing_again(alerts: Alerts, networks: LambdaServer) -> None:
    event = alerts.event(alerts.approved())
    for _ in range(2):
        alerts.sender.dispatch(event.id)
        for provider in ("ee", "vodafone", "three", "o2"):
            alerts.sender.send(event.id, provider)
    alerts.work()
    assert len(networks.invocations) == 4


def test_a_cancellation_refers_to_what_each_network_was_given(alerts: Alerts, networks: LambdaServer) -> None:
    message = alerts.approved()
    alerts.work()
    first = {call.function: call.payload for call in networks.invocations}
    networks.invocations.clear()
    alerts.move(message, "cancelled")
    alerts.work()
    for call in networks.invocations:
        assert call.payload["message_type"] == "cancel"
        (reference,) = call.payload["references"]
        assert reference["message_id"] == first[call.function]["identifier"] != call.payload["identifier"]
        assert reference.get("message_number") == first[call.function].get("message_number")
    assert {call.function for call in networks.invocations} == FIRST


def test_a_cancellation_does_not_overtake_its_alert(alerts: Alerts, networks: LambdaServer) -> None:
    message = alerts.approved()
    alerts.move(message, "cancelled")
    queued(alerts.parts)  # both tasks are lost
    events = alerts.events(message)
    alerts.sender.dispatch(events["cancel"].id)
    alerts.sender.send(events["cancel"].id, "ee")
    assert networks.invocations == []  # it waits
    alerts.sender.send(events["alert"].id, "ee")
    _due(alerts, events["cancel"])
    alerts.sender.send(events["cancel"].id, "ee")
    assert [call.payload["message_type"] for call in networks.invocations] == ["alert", "cancel"]


def test_the_other_function_is_called_where_the_first_fails(alerts: Alerts, networks: LambdaServer) -> None:
    networks.broken = {"ee-1-proxy"}
    networks.functions.remove("o2-1-proxy")
    event = alerts.event(alerts.approved())
    alerts.work()
    assert {call.function for call in networks.invocations} == {
        *("ee-2-proxy", "o2-2-proxy", "vodafone-1-proxy", "three-1-proxy")
    }
    assert {row.status for row in alerts.copies(event).values()} == {"returned-ack"}


@pytest.mark.parametrize("trouble", [Trouble(status=500), Trouble(drop=True), Trouble(hang=True), Trouble(status=429)])
def test_what_fails_is_tried_again_later_with_the_same_identifier(
    alerts: Alerts, networks: LambdaServer, trouble: Trouble
) -> None:
    event = alerts.event(alerts.approved())
    alerts.sender.dispatch(event.id)
    networks.fail(trouble)
    alerts.sender.send(event.id, "ee")
    row = alerts.copies(event)["ee"]
    assert (row.status, row.attempts) == ("sending", 1)
    assert row.due_at > utc_now()
    networks.fail(None)
    alerts.sender.send(event.id, "ee")  # not due yet
    assert networks.invocations == []
    _due(alerts, event)
    alerts.sender.send(event.id, "ee")
    assert [call.payload["identifier"] for call in networks.invocations] == [str(row.id)]
    assert alerts.copies(event)["ee"].status == "returned-ack"


def test_waits_become_longer_up_to_four_minutes(alerts: Alerts, networks: LambdaServer) -> None:
    networks.broken = set(networks.functions)
    event = alerts.event(alerts.approved())
    alerts.sender.dispatch(event.id)
    waits = []
    for _ in range(10):
        _due(alerts, event)
        before = utc_now()
        alerts.sender.send(event.id, "three")
        waits.append(round((alerts.copies(event)["three"].due_at - before).total_seconds()))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, LONGEST_WAIT, LONGEST_WAIT]


def test_a_service_may_be_restricted_to_a_network(alerts: Alerts, networks: LambdaServer) -> None:
    with alerts.parts.database.transaction() as session:
        session.add(BroadcastSettings(service_id=alerts.service_id, channel="test", provider="o2"))
    event = alerts.event(alerts.approved())
    alerts.work()
    assert [(call.function, call.payload["channel"]) for call in networks.invocations] == [("o2-1-proxy", "test")]
    assert event.transmitted_finishes_at is not None
    assert event.transmitted_finishes_at - event.sent_at == timedelta(hours=4)


def test_only_enabled_networks_are_given_alerts(parts: Parts, networks: LambdaServer) -> None:
    functions = {"ee": ["bt-ee-1-proxy"]}
    alerts = alerts_on(parts, **reaching(networks), enabled_cbcs=("ee",), cbc_proxy_functions=functions)
    networks.functions.add("bt-ee-1-proxy")
    alerts.approved()
    alerts.work()
    assert [call.function for call in networks.invocations] == ["bt-ee-1-proxy"]


def test_nothing_is_sent_in_training_mode(alerts: Alerts, networks: LambdaServer) -> None:
    alerts.service(restricted=True)
    message = alerts.approved()
    alerts.move(message, "cancelled")
    assert alerts.events(message) == {}
    assert alerts.work() == 0
    assert networks.invocations == []


def test_a_draft_of_training_mode_is_not_sent_when_its_service_is_live(alerts: Alerts) -> None:
    alerts.service(restricted=True)
    message = alerts.draft()
    alerts.service(restricted=False)
    alerts.move(message, "pending-approval", "broadcasting")
    assert alerts.events(message) == {}


@pytest.mark.parametrize("change", [{"active": False}, {"restricted": True}])
def test_a_service_that_may_no_longer_send_does_not(
    alerts: Alerts, networks: LambdaServer, change: dict[str, bool]
) -> None:
    event = alerts.event(alerts.approved())
    alerts.service(**change)
    alerts.work()
    assert networks.invocations == []
    assert {row.status for row in alerts.copies(event).values()} == {"technical-failure"}


def test_an_alert_without_polygons_is_not_sent(alerts: Alerts, networks: LambdaServer) -> None:
    message = alerts.draft(list_form([], []), template_id=alerts.template_id)
    alerts.move(message, "pending-approval", "broadcasting")
    alerts.work()
    assert networks.invocations == []
    assert {row.status for row in alerts.copies(alerts.event(message)).values()} == {"technical-failure"}


def test_numbers_of_any_size_reach_the_networks(alerts: Alerts, networks: LambdaServer) -> None:
    polygon = [[10**30, 1], [2, 2], [3, 3]]
    message = alerts.draft(list_form(["a"], [polygon]), template_id=alerts.template_id)
    alerts.move(message, "broadcasting")
    alerts.work()
    assert networks.invocations[0].payload["areas"] == [{"polygon": polygon}]
    assert networks.invocations[0].payload["description"] == "Water is rising at ((place))."


def test_slow_networks_take_few_connections_of_a_process(own_parts: Parts, networks: LambdaServer) -> None:
    alerts = alerts_on(own_parts, **reaching(networks))
    networks.fail(Trouble(delay=1.0))
    events = [alerts.event(alerts.approved()) for _ in range(3)]
    for event in events:
        alerts.sender.dispatch(event.id)
    queued(alerts.parts)
    pairs = [(event.id, name) for event in events for name in ("ee", "vodafone", "three", "o2")]
    threads = [threading.Thread(target=alerts.sender.send, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert networks.most_at_once <= MOST_AT_ONCE
    sent = len(networks.invocations)
    assert sent >= MOST_AT_ONCE
    # the others come again
    assert len(queued(alerts.parts)) == len(pairs) - sent
    alerts.container.close()


def test_what_is_over_is_not_sent_any_more(alerts: Alerts, networks: LambdaServer) -> None:
    event = alerts.event(alerts.approved())
    alerts.change(event, transmitted_finishes_at=utc_now() - timedelta(seconds=1))
    alerts.work()
    assert networks.invocations == []
    assert {row.status for row in alerts.copies(event).values()} == {"technical-failure"}


def test_what_lost_its_task_is_published_again(alerts: Alerts, networks: LambdaServer) -> None:
    event = alerts.event(alerts.approved())
    queued(alerts.parts)
    parts = alerts.parts
    assert sweep(parts.database, parts.queue, alerts.sender, utc_now()) == 0  # its task may still come
    assert sweep(parts.database, parts.queue, alerts.sender, utc_now() + OVERDUE * 2) == 1
    ((task, arguments),) = queued(parts)
    assert (task, arguments) == ("send-broadcast-event", [str(event.id)])
    alerts.sender.dispatch(event.id)
    queued(parts)
    assert sweep(parts.database, parts.queue, alerts.sender, utc_now() + OVERDUE * 2) == 4
    alerts.work()
    assert len(networks.invocations) == 4
    assert sweep(parts.database, parts.queue, alerts.sender, utc_now() + OVERDUE * 2) == 0


def test_workers_at_the_same_time_send_once(own_parts: Parts, networks: LambdaServer) -> None:
    alerts = alerts_on(own_parts, **reaching(networks))
    networks.fail(Trouble(delay=0.3))
    event = alerts.event(alerts.approved())
    alerts.sender.dispatch(event.id)
    threads = [threading.Thread(target=alerts.sender.send, args=(event.id, "ee")) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [call.function for call in networks.invocations] == ["ee-1-proxy"]
    alerts.container.close()


def test_without_a_key_nothing_leaves_an_installation(parts: Parts) -> None:
    alerts = alerts_on(parts)
    off = Networks(alerts.parts.settings.part(Configuration), None)
    site = PublicSite(alerts.parts.queue, is_there=False)
    message = alerts.approved()
    BroadcastSender(alerts.parts.database, alerts.parts.queue, off, site).dispatch(alerts.event(message).id)
    assert alerts.copies(alerts.event(message)) == {}
    assert alerts.event(message).dispatched_at is not None  # it is not tried for ever


def test_the_sandbox_keeps_what_networks_would_get(sandbox_alerts: Alerts) -> None:
    sandbox_alerts.approved()
    sandbox_alerts.work()
    with sandbox_alerts.parts.database.session() as session:
        rows = session.scalars(select(SandboxBroadcast)).all()
        copies = session.scalars(select(BroadcastProviderMessage.status)).all()
    assert {row.function for row in rows} == FIRST
    assert all("Water is rising. Go upstairs." in (row.document or "") for row in rows)
    assert set(copies) == {"returned-ack"}


def test_the_public_site_is_woken_where_there_is_one(parts: Parts, networks: LambdaServer) -> None:
    alerts = alerts_on(parts, **reaching(networks), govuk_alerts_site=True)
    alerts.sender.dispatch(alerts.event(alerts.approved()).id)
    with alerts.parts.queue.celery.connection_for_read() as connection:
        name = f"{alerts.parts.settings.notification_queue_prefix}govuk-alerts"
        (raw,) = connection.default_channel.client.lrange(name, 0, -1)
    assert json.loads(raw)["headers"]["task"] == "publish-govuk-alerts"
