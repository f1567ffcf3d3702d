"""A worker that is asked to stop finishes its batch, and returns tasks that it has not started to the queue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from uuid import UUID

from notify.messages.publish import DELIVER_TASKS, DeliveryPublisher
from notify.queues import SEND_SMS
from tests.api import Api, queued
from tests.servers.http import Trouble
from tests.servers.mmg import MMGServer


def test_a_worker_that_stops_finishes_its_batch_and_gives_back_the_rest(api: Api) -> None:
    ids = [api.sent() for _ in range(40)]
    api.container.get(DeliveryPublisher).close()
    queued(api.parts)
    for start in range(0, 40, 2):
        texts = [str(id_) for id_ in ids[start : start + 2]]
        api.parts.queue.publish(DELIVER_TASKS["sms"], [texts], queue=SEND_SMS)
    settings = api.parts.settings
    with MMGServer() as mmg:
        mmg.fail(Trouble(delay=1.0))
        process = subprocess.Popen(
            [sys.executable, "-m", "notify.cli", "worker", "--concurrency", "2"],
            env={
                **os.environ,
                "NOTIFY_ENVIRONMENT": "test",
                "NOTIFY_LOG_LEVEL": "WARNING",
                "SQLALCHEMY_DATABASE_URI": settings.sqlalchemy_database_uri,
                "REDIS_URL": settings.redis_url,
                "NOTIFICATION_QUEUE_PREFIX": settings.notification_queue_prefix,
                "NOTIFY_DATA_DIR": str(settings.notify_data_dir),
                "MMG_API_KEY": mmg.key,
                "MMG_URL": mmg.address,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            deadline = time.monotonic() + 60
            while mmg.received < 4 and time.monotonic() < deadline:
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=60)
        finally:
            process.kill()
        assert process.returncode == 0, said
        handed_over = [UUID(message["cid"]) for message in mmg.messages]
    assert 4 <= len(handed_over) < 40, said
    rows = api.execute("SELECT id FROM notifications WHERE id = ANY(%s) AND notification_status = 'sending'", ids)
    assert sorted(row[0] for row in rows) == sorted(handed_over)
    back = [UUID(id_) for _, (texts, *_) in queued(api.parts) for id_ in texts]
    assert sorted(handed_over + back) == sorted(ids)
