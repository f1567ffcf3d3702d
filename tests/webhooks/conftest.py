"""Fixtures: a database with services that have callbacks, and a worker's sender."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.vocabulary import CallbackType
from notify.webhooks.actions import create_callback
from notify.webhooks.outbox import NewCallback, Outbox
from notify.webhooks.sender import CallbackSender
from tests.api import with_settings
from tests.servers.receiver import Receiver
from tests.services.factory import a_service

TOKEN = "a token of some length"


@dataclass
class Callbacks:
    """The container of a worker, and short ways to what tests do."""

    container: Container

    @property
    def parts(self) -> Parts:
        return self.container.parts

    @property
    def sender(self) -> CallbackSender:
        return self.container.get(CallbackSender)

    def service(self, url: str, callback_type: CallbackType = "delivery_status") -> UUID:
        """A service with a callback to this address."""
        with self.parts.database.transaction() as session:
            service = a_service(session)
            create_callback(
                session,
                self.parts.encryptor,
                service_id=service.id,
                callback_type=callback_type,
                url=url,
                bearer_token=TOKEN,
                updated_by_id=service.created_by_id,
                guarded=False,
            )
            return service.id

    def record(self, service_id: UUID, number: int = 1, callback_type: CallbackType = "delivery_status") -> list[UUID]:
        """So many things to tell it; the ids of what they are about."""
        ids = [new_id() for _ in range(number)]
        with self.parts.database.connection() as connection:
            self.container.get(Outbox).record(
                connection, callback_type, [NewCallback(service_id, id_, {"id": str(id_)}) for id_ in ids]
            )
        return ids

    def wake(self, service_id: UUID, callback_type: CallbackType = "delivery_status") -> None:
        self.sender.wake(callback_type, service_id)

    def pending(self, what: str = "attempts") -> list[Any]:
        """A column of what is still to be told."""
        with self.parts.database.connection() as connection:
            rows = connection.execute(f"SELECT {what} FROM pending_callbacks ORDER BY id".encode())  # noqa: S608
            return [row[0] for row in rows]

    def wait_until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def wait_until_done(self) -> None:
        """Until nothing is to be told any more."""
        self.wait_until(lambda: not self.pending())


@pytest.fixture
def callbacks(own_parts: Parts) -> Iterator[Callbacks]:
    container = Container(
        with_settings(own_parts, callback_timeout_seconds=1, callback_retry_seconds=0, callback_max_retries=2)
    )
    yield Callbacks(container)
    container.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver
