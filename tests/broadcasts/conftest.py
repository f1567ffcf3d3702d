"""Fixtures: a live service of emergency alerts, two of its members, and the networks' functions on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from notify.broadcasts.areas import list_form
from notify.broadcasts.messages import Broadcasts, NewBroadcast
from notify.broadcasts.models import BroadcastEvent, BroadcastMessage, BroadcastProviderMessage
from notify.broadcasts.proxies import Networks
from notify.broadcasts.sender import BroadcastSender
from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.services.members import add_member
from notify.services.models import Service
from notify.services.permissions import add_permission
from notify.templates.actions import create_template
from tests.api import queued, with_settings
from tests.servers.lambda_ import LambdaServer
from tests.services.factory import a_service, a_user

SQUARE = [[51.5, -0.1], [51.6, -0.1], [51.6, 0.0], [51.5, -0.1]]
AREAS = {"ids": ["wd20-E05009372"], "names": ["Ash"], "simple_polygons": [SQUARE]}


@dataclass
class Alerts:
    """The container of a worker, a service, and short ways to what tests do."""

    container: Container
    service_id: UUID
    author_id: UUID
    approver_id: UUID
    template_id: UUID

    @property
    def parts(self) -> Parts:
        return self.container.parts

    @property
    def sender(self) -> BroadcastSender:
        return self.container.get(BroadcastSender)

    @property
    def broadcasts(self) -> Broadcasts:
        return self.container.get(Broadcasts)

    def draft(self, areas: dict[str, Any] | None = None, **fields: Any) -> BroadcastMessage:
        """A draft in the later form; of 2020 where its areas are so."""
        fields = fields or {"content": "Water is rising. Go upstairs.", "reference": "flood 1"}
        with self.parts.database.transaction() as session:
            new = NewBroadcast(self.service_id, self.author_id, AREAS if areas is None else areas, **fields)
            return self.broadcasts.create(session, new)

    def old_draft(self, **fields: Any) -> BroadcastMessage:
        return self.draft(list_form(["wd20-E05009372"], [SQUARE]), template_id=self.template_id, **fields)

    def move(self, message: BroadcastMessage, *statuses: str, by: UUID | None = None) -> None:
        for status in statuses:
            with self.parts.database.transaction() as session:
                user = by or (self.approver_id if status == "broadcasting" else self.author_id)
                self.broadcasts.set_status(session, self.service_id, message.id, status, user)

    def approved(self) -> BroadcastMessage:
        message = self.draft()
        self.move(message, "pending-approval", "broadcasting")
        return message

    def event(self, message: BroadcastMessage, kind: str = "alert") -> BroadcastEvent:
        return self.events(message)[kind]

    def events(self, message: BroadcastMessage) -> dict[str, BroadcastEvent]:
        with self.parts.database.session() as session:
            found = session.scalars(
                select(BroadcastEvent).where(BroadcastEvent.broadcast_message_id == message.id)
            ).all()
            return {event.message_type: event for event in found}

    def copies(self, event: BroadcastEvent) -> dict[str, BroadcastProviderMessage]:
        """What each network has, or is to get, of an event."""
        with self.parts.database.session() as session:
            query = select(BroadcastProviderMessage).where(BroadcastProviderMessage.broadcast_event_id == event.id)
            return {row.provider: row for row in session.scalars(query)}

    def change(self, row: Any, **values: Any) -> None:
        with self.parts.database.transaction() as session:
            found = session.get_one(type(row), row.id)
            for name, value in values.items():
                setattr(found, name, value)

    def service(self, **values: Any) -> None:
        with self.parts.database.transaction() as session:
            service = session.get_one(Service, self.service_id)
            for name, value in values.items():
                setattr(service, name, value)

    def work(self) -> int:
        """Run the tasks that are published, and those that they publish, until there are none."""
        done = 0
        while tasks := queued(self.parts):
            for task, arguments in tasks:
                done += 1
                if task == "send-broadcast-event":
                    self.sender.dispatch(UUID(arguments[0]))
                elif task == "send-broadcast-provider-message":
                    self.sender.send(UUID(arguments[0]), arguments[1])
        return done


@pytest.fixture
def networks() -> Iterator[LambdaServer]:
    with LambdaServer() as server:
        yield server


MakeAlerts = Callable[..., Alerts]


def alerts_on(parts: Parts, **settings: Any) -> Alerts:
    container = Container(with_settings(parts, **settings))
    with container.parts.database.transaction() as session:
        author, approver = a_user(session), a_user(session)
        service = a_service(session, user_id=author.id, restricted=False)
        add_member(session, service.id, approver.id, ["view_activity"])
        add_permission(session, service.id, "broadcast")
        template = create_template(
            session,
            service_id=service.id,
            template_type="broadcast",
            name="Flood",
            content="Water is rising at ((place)).",
            created_by_id=author.id,
        )
    return Alerts(container, service.id, author.id, approver.id, template.id)


def reaching(networks: LambdaServer) -> dict[str, Any]:
    """The settings that reach these networks."""
    return {
        "cbc_proxy_aws_access_key_id": networks.key_id,
        "cbc_proxy_aws_secret_access_key": "secret",
        "cbc_proxy_url": networks.url,
        "cbc_proxy_timeout_seconds": 2,
    }


@pytest.fixture
def alerts(parts: Parts, networks: LambdaServer) -> Alerts:
    """Alerts that go to the networks' functions."""
    return alerts_on(parts, **reaching(networks))


@pytest.fixture
def sandbox_alerts(parts: Parts) -> Alerts:
    """Alerts that go to the sandbox."""
    made = alerts_on(parts)
    assert made.container.get(Networks).are_reachable
    return made
