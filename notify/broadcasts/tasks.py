"""Celery tasks of emergency alerts: thin (contract: broadcasts 5, 8.2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from celery.schedules import crontab

from notify.broadcasts.events import SEND_BROADCAST_EVENT
from notify.broadcasts.link_tests import TRIGGER_LINK_TEST, LinkTests
from notify.broadcasts.maintenance import complete_expired, delete_old_sandbox_rows, sweep
from notify.broadcasts.public_site import PublicSite
from notify.broadcasts.sender import SEND_BROADCAST_PROVIDER_MESSAGE, BroadcastSender
from notify.broadcasts.settings import BroadcastSettings
from notify.infra.container import Container
from notify.infra.task_set import RUN_ONCE, TaskSet
from notify.infra.times import utc_now
from notify.settings import Settings

logger = structlog.get_logger(__name__)

tasks = TaskSet()

EXPIRY_INTERVAL: Final = timedelta(minutes=5)
CANARY_INTERVAL: Final = timedelta(minutes=5)
LINK_TEST_INTERVAL: Final = timedelta(minutes=15)


def _sweep_interval(settings: Settings) -> timedelta:
    return timedelta(seconds=settings.part(BroadcastSettings).broadcast_sweep_seconds)


@tasks.task(SEND_BROADCAST_EVENT)
def send_broadcast_event(container: Container, broadcast_event_id: str) -> None:
    """Dispatch an event to the networks."""
    container.get(BroadcastSender).dispatch(UUID(broadcast_event_id))


@tasks.task(SEND_BROADCAST_PROVIDER_MESSAGE)
def send_broadcast_provider_message(container: Container, broadcast_event_id: str, provider: str) -> None:
    """Send a network its message of an event."""
    container.get(BroadcastSender).send(UUID(broadcast_event_id), provider)


@tasks.task(TRIGGER_LINK_TEST)
def trigger_link_test(container: Container, provider: str) -> None:
    """Test the link to a network."""
    container.get(LinkTests).trigger(provider)


@tasks.periodic("trigger-link-tests", LINK_TEST_INTERVAL, expires=RUN_ONCE)
def trigger_link_tests(container: Container) -> None:
    """Test the links to all networks."""
    container.get(LinkTests).trigger_all()


@tasks.periodic("send-canary-to-cbc-proxy", CANARY_INTERVAL, expires=RUN_ONCE)
def send_canary(container: Container) -> None:
    """Check that functions can be called."""
    container.get(LinkTests).send_canary()


@tasks.periodic("replay-broadcasts", _sweep_interval, expires=RUN_ONCE)
def replay_broadcasts(container: Container) -> None:
    """Publish lost tasks of events and provider messages again."""
    parts = container.parts
    number = sweep(parts.database, parts.queue, container.get(BroadcastSender), utc_now())
    if number:
        logger.warning("broadcast tasks published again", number=number)


@tasks.periodic("auto-expire-broadcast-messages", EXPIRY_INTERVAL, expires=RUN_ONCE)
def auto_expire_broadcast_messages(container: Container) -> None:
    """Complete expired alerts."""
    now = utc_now()
    with container.parts.database.transaction() as session:
        number = complete_expired(session, now)
        delete_old_sandbox_rows(session, now)
    if number:
        container.get(PublicSite).publish()


@tasks.periodic("remove-yesterdays-planned-tests-on-govuk-alerts", crontab(hour="0", minute="0"))
def remove_yesterdays_planned_tests(container: Container) -> None:
    """Have the public site drop the planned tests of yesterday."""
    container.get(PublicSite).publish()
