"""The tasks of emergency alerts, each of which may run twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from notify.broadcasts import tasks
from notify.broadcasts.models import BroadcastMessage, SandboxBroadcast
from notify.broadcasts.proxies import ProxyError
from notify.infra.times import utc_now
from tests.api import queued
from tests.broadcasts.conftest import Alerts
from tests.servers.lambda_ import LambdaServer


def _status(alerts: Alerts, message: BroadcastMessage) -> str:
    with alerts.parts.database.session() as session:
        return session.get_one(BroadcastMessage, message.id).status


def test_an_event_is_sent_by_its_tasks(alerts: Alerts, networks: LambdaServer) -> None:
    event = alerts.event(alerts.approved())
    for _ in range(2):
        tasks.send_broadcast_event(alerts.container, str(event.id))
        tasks.send_broadcast_provider_message(alerts.container, str(event.id), "ee")
    assert [call.function for call in networks.invocations] == ["ee-1-proxy"]


def test_every_enabled_network_gets_link_tests(alerts: Alerts, networks: LambdaServer) -> None:
    tasks.trigger_link_tests(alerts.container)
    published = queued(alerts.parts)
    assert published == [("trigger-link-test", [name]) for name in ("ee", "vodafone", "three", "o2")]
    for _, (provider,) in published:
        tasks.trigger_link_test(alerts.container, provider)
    assert {call.function for call in networks.invocations} == networks.functions - {"canary"}
    numbers = [call.payload["message_number"] for call in networks.invocations if "vodafone" in call.function]
    assert len(set(numbers)) == 2
    for call in networks.invocations:
        is_ibag = "vodafone" in call.function
        assert call.payload["message_type"] == "test"
        assert call.payload["message_format"] == ("ibag" if is_ibag else "cap")
        assert call.payload.keys() == {"message_type", "identifier", "message_format"} | (
            {"message_number"} if is_ibag else set()
        )


def test_a_broken_function_fails_the_link_test_and_the_other_is_tested(alerts: Alerts, networks: LambdaServer) -> None:
    networks.broken = {"ee-1-proxy"}
    with pytest.raises(ProxyError, match="ee-1-proxy: Function exited with unhandled exception"):
        tasks.trigger_link_test(alerts.container, "ee")
    assert [call.function for call in networks.invocations] == ["ee-2-proxy"]


def test_a_network_that_is_not_there_has_no_link_test(alerts: Alerts, networks: LambdaServer) -> None:
    tasks.trigger_link_test(alerts.container, "carrier-pigeon")
    assert networks.asked == []


def test_the_canary_sings(alerts: Alerts, networks: LambdaServer) -> None:
    tasks.send_canary(alerts.container)
    ((function, payload),) = networks.invocations
    assert function == "canary"
    assert payload.keys() == {"identifier"}


def test_alerts_whose_time_is_over_are_completed(alerts: Alerts) -> None:
    over, lasting, unlimited = alerts.approved(), alerts.approved(), alerts.approved()
    alerts.change(over, finishes_at=utc_now() - timedelta(seconds=1))
    alerts.change(lasting, finishes_at=utc_now() + timedelta(hours=1))
    for _ in range(2):
        tasks.auto_expire_broadcast_messages(alerts.container)
    assert [_status(alerts, message) for message in (over, lasting, unlimited)] == [
        *("completed", "broadcasting", "broadcasting")
    ]


def test_the_sandbox_forgets(sandbox_alerts: Alerts) -> None:
    tasks.send_canary(sandbox_alerts.container)
    with sandbox_alerts.parts.database.transaction() as session:
        session.scalars(select(SandboxBroadcast)).one().created_at = utc_now() - timedelta(days=8)
    tasks.send_canary(sandbox_alerts.container)
    tasks.auto_expire_broadcast_messages(sandbox_alerts.container)
    with sandbox_alerts.parts.database.session() as session:
        assert len(session.scalars(select(SandboxBroadcast)).all()) == 1


def test_the_sweeper_and_the_public_site_have_tasks(alerts: Alerts, networks: LambdaServer) -> None:
    event = alerts.event(alerts.approved())
    queued(alerts.parts)
    alerts.change(event, sent_at=utc_now() - timedelta(minutes=1))
    tasks.replay_broadcasts(alerts.container)
    tasks.replay_broadcasts(alerts.container)
    alerts.work()
    assert len(networks.invocations) == 4
    tasks.remove_yesterdays_planned_tests(alerts.container)
    assert queued(alerts.parts) == []  # there is no such site here
