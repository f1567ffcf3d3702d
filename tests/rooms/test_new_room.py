"""A feature declares itself: a room from a folder, with a table, an endpoint, a task, a command and so on, just works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from notify.infra.parts import Parts

ROOT = Path(__file__).parents[2]


def test_a_room_is_added_by_its_folder_and_its_name(own_parts: Parts) -> None:
    settings = own_parts.settings
    environment = {
        "PATH": os.environ["PATH"],
        "NOTIFY_ENVIRONMENT": "test",
        "SQLALCHEMY_DATABASE_URI": settings.sqlalchemy_database_uri,
        "REDIS_URL": settings.redis_url,
        "NOTIFICATION_QUEUE_PREFIX": settings.notification_queue_prefix,
        "NOTIFY_DATA_DIR": str(settings.notify_data_dir),
        "NOTIFY_LOG_LEVEL": "ERROR",
        "DATA_ENCRYPTION_KEYS": json.dumps(settings.data_encryption_keys),
        "GREETING_WORDS": "Good morning",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.rooms.use_room"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout.splitlines()[-1])
    name = result.pop("endpoint")
    assert len(name) == 1
    assert name[0].startswith("Welcome, ")
    assert result == {
        "task": ["Good morning"],
        "schedule": ["greet-everybody"],
        "command": "Good morning",
        "metric": True,
        "description": True,
    }
