"""Tests of the links to the networks, which no phone shows (contract: broadcasts 5, 6, 8.2)."""

from __future__ import annotations

from typing import Final, Self

from sqlalchemy import select

from notify import queues
from notify.broadcasts import payloads
from notify.broadcasts.models import NUMBERS
from notify.broadcasts.payloads import NUMBERED
from notify.broadcasts.proxies import Networks
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.ids import new_public_id
from notify.infra.queue import Queue, TaskName

TRIGGER_LINK_TEST: Final = TaskName("trigger-link-test")


class LinkTests:
    """Tests the Lambda functions of the networks."""

    def __init__(self, database: Database, queue: Queue, networks: Networks) -> None:
        self._database = database
        self._queue = queue
        self._networks = networks

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database, container.parts.queue, container.get(Networks))

    def trigger_all(self) -> None:
        """Publish a task that tests each enabled network."""
        for provider in self._networks.enabled:
            self._queue.publish(TRIGGER_LINK_TEST, [provider], queue=queues.BROADCASTS)

    def trigger(self, provider: str) -> None:
        """Test each function of a network, with a message number if it wants one. Raises `ProxyError`."""
        if provider not in self._networks.enabled:
            return
        functions = self._networks.functions_of(provider)
        self._networks.test(
            provider, [payloads.link_test(provider, new_public_id(), self._number(provider)) for _ in functions]
        )

    def _number(self, provider: str) -> int | None:
        if provider not in NUMBERED:
            return None
        with self._database.transaction() as session:
            return session.scalar(select(NUMBERS.next_value()))

    def send_canary(self) -> None:
        """Call the function that does nothing. Raises `ProxyError`."""
        if self._networks.are_reachable:
            self._networks.canary({"identifier": str(new_public_id())})
