"""Telling the workers that messages wait for them.

The database holds the truth; this is a hint that comes soon. A thread of its own publishes, so that no request waits
for the broker, and whatever was accepted while it published goes out together. A hint that gets lost (a killed
process, a broker that is down) is made up for by the sweeper.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Final
from uuid import UUID

import structlog

from notify import queues
from notify.infra.queue import Queue

logger = structlog.get_logger(__name__)

DELIVER_TASKS: Final = {"sms": "deliver_sms", "email": "deliver_email"}
_QUEUES: Final = {"sms": queues.SEND_SMS, "email": queues.SEND_EMAIL}

IDS_PER_TASK: Final = 50


def queue_for(notification_type: str, key_type: str) -> str:
    """The queue on which messages of this kind wait (contract: workers 6.4)."""
    return queues.RESEARCH_MODE if key_type == "test" else _QUEUES[notification_type]


def publish(
    queue: Queue, notification_type: str, queue_name: str, ids: Iterable[UUID], countdown: float | None = None
) -> bool:
    """Publish delivery of messages of one type, some at a time. False when the broker is down."""
    texts = [str(id_) for id_ in ids]
    task = DELIVER_TASKS[notification_type]
    return all(
        queue.publish(task, [texts[start : start + IDS_PER_TASK]], queue=queue_name, countdown=countdown)
        for start in range(0, len(texts), IDS_PER_TASK)
    )


class Dispatcher:
    """Publishes the delivery of messages that were stored, in the background."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._waiting: deque[tuple[str, str, UUID]] = deque()
        self._signal = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def dispatch(self, notification_type: str, key_type: str, notification_id: UUID) -> None:
        """Publish delivery of one stored message soon."""
        self._waiting.append((notification_type, queue_for(notification_type, key_type), notification_id))
        if self._thread is None:
            self._start()
        self._signal.set()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopping:
            self._signal.wait()
            self._signal.clear()
            self._publish_waiting()

    def _publish_waiting(self) -> None:
        groups: dict[tuple[str, str], list[UUID]] = defaultdict(list)
        while self._waiting:
            notification_type, queue_name, id_ = self._waiting.popleft()
            groups[notification_type, queue_name].append(id_)
        for (notification_type, queue_name), ids in groups.items():
            try:
                publish(self._queue, notification_type, queue_name, ids)
            except Exception:
                # the messages are safe in the database; this thread must live on
                logger.exception("could not publish", messages=len(ids))

    def close(self) -> None:
        """Publish what still waits, and stop."""
        self._stopping = True
        self._signal.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self._publish_waiting()
