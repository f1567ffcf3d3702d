"""Publishes the delivery of messages.

The database holds the truth; a task is a hint that comes soon. A separate thread publishes, so that no request waits
for the broker, and messages accepted while it publishes are published together. While the broker is down, ids are kept
and published when it is back. If a hint is lost (with a killed process, or with the broker's memory), the sweeper
publishes it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Self
from uuid import UUID

from notify import queues
from notify.infra.background import Background
from notify.infra.container import Container
from notify.infra.queue import Queue, TaskName
from notify.messages.metrics import measure_statuses

if TYPE_CHECKING:
    from notify.messages.store import NewMessage

DELIVER_SMS: Final = TaskName("deliver_sms")
DELIVER_EMAIL: Final = TaskName("deliver_email")
GET_PDF: Final = TaskName("get-pdf-for-templated-letter")
"""The first step of a letter: makes its PDF. Takes one id."""
DELIVER_TASKS: Final = {"sms": DELIVER_SMS, "email": DELIVER_EMAIL, "letter": GET_PDF}
_QUEUES: Final = {"sms": queues.SEND_SMS, "email": queues.SEND_EMAIL, "letter": queues.CREATE_LETTERS_PDF}

IDS_PER_TASK: Final = 50
PAUSE_SECONDS: Final = 0.02
MOST_KEPT: Final = 100_000
"""Most ids of each kind that a process keeps while the broker is down."""


def queue_for(notification_type: str, key_type: str) -> str:
    """The queue for messages of this kind (contract: workers 6.4)."""
    return queues.RESEARCH_MODE if key_type == "test" else _QUEUES[notification_type]


def publish(
    queue: Queue, notification_type: str, queue_name: str, ids: Sequence[UUID], *, group: str | None = None
) -> int:
    """Publish the delivery of messages of one type; `group` is their service's id, if they have the same. Returns how
    many of them, from the first on, the broker accepted.
    """
    task = DELIVER_TASKS[notification_type]
    if notification_type == "letter":
        return _publish_each(queue, task, queue_name, ids, group)
    for start in range(0, len(ids), IDS_PER_TASK):
        texts = [str(id_) for id_ in ids[start : start + IDS_PER_TASK]]
        if not queue.publish(task, [texts], queue=queue_name, group=group):
            return start
    return len(ids)


def _publish_each(queue: Queue, task: TaskName, queue_name: str, ids: Sequence[UUID], group: str | None) -> int:
    for position, id_ in enumerate(ids):
        if not queue.publish(task, [str(id_)], queue=queue_name, group=group):
            return position
    return len(ids)


def _has_next_step(message: NewMessage) -> bool:
    """Whether a stored message waits for a worker. Precompiled letters are published by `notify.letters`."""
    if message.notification_type == "letter" and message.key_type == "test":
        return message.notification_status in ("sending", "delivered")
    return message.notification_status == "created" and message.billable_units == 0 and message.scheduled_for is None


class DeliveryPublisher:
    """Publishes the delivery of stored messages, in the background."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._unpublished: defaultdict[tuple[str, str, str | None], list[UUID]] = defaultdict(list)
        # messages that arrive meanwhile are published together: fifty cost as much as one
        self._background: Background[NewMessage] = Background("delivery-publisher", self._handle, pause=PAUSE_SECONDS)

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.queue)

    def stored(self, messages: Sequence[NewMessage]) -> None:
        """Publish the delivery of these messages soon."""
        self._background.put(messages)

    def _handle(self, messages: Sequence[NewMessage]) -> bool:
        measure_statuses((one.notification_type, one.key_type, one.notification_status) for one in messages)
        for message in messages:
            kind = message.notification_type
            if _has_next_step(message):
                group = str(message.service_id) if self._queue.has_groups else None
                self._unpublished[kind, queue_for(kind, message.key_type), group].append(message.id)
        for (kind, queue_name, group), ids in list(self._unpublished.items()):
            del self._unpublished[kind, queue_name, group]
            left = ids[publish(self._queue, kind, queue_name, ids, group=group) :]
            if left:
                # keep the newest: someone may still be waiting for them
                self._unpublished[kind, queue_name, group] = left[-MOST_KEPT:]
        return bool(self._unpublished)

    def close(self) -> None:
        """Publish the waiting messages, and stop."""
        self._background.close()
