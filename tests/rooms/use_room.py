"""Runs in a separate process: adds the room `greetings` to the product and uses each thing that it declares.

What a developer edits besides the room's own files is done here, and is all of it: the name in `ROOMS`, the line in the
table of commands.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner

import notify
import notify.internal
from notify import rooms

FIXTURE = Path(__file__).parent / "fixture"

notify.__path__.append(str(FIXTURE))
notify.internal.__path__.append(str(FIXTURE / "internal"))
rooms.ROOMS = (*rooms.ROOMS, "greetings")  # type: ignore[misc]


def use() -> dict[str, Any]:
    """What the room did."""
    from notify import cli
    from notify import settings as configuration
    from notify.app import create_app
    from notify.cli.lazy import Entry
    from notify.models import metadata
    from notify.worker import create_celery
    from tests.internal.admin import AdminClient
    from tests.services.factory import a_service

    settings = configuration.load()
    app = create_app(settings, apis=["public", "internal"])
    container = app.extensions["notify"]
    metadata.tables["greetings"].create(container.parts.database.engine)
    with container.parts.database.transaction() as session:
        service_id = a_service(session).id
    celery = create_celery(settings)
    celery.tasks["greet-everybody"]()
    cli.ENTRIES["greet"] = Entry("notify.greetings.commands:greet", "Say the words.")
    with container.parts.database.transaction() as session:
        said = list(
            session.connection().exec_driver_sql("SELECT words FROM greetings WHERE service_id IS NULL").scalars()
        )
    return {
        "endpoint": AdminClient(app, container.parts).get(f"/service/{service_id}/greetings"),
        "task": said,
        "schedule": sorted(name for name in celery.conf.beat_schedule if "greet" in name),
        "command": CliRunner().invoke(cli.command_group, ["greet"]).output.strip(),
        "metric": "greetings_total 1.0" in app.test_client().get("/metrics").get_data(as_text=True),
        "description": "/service/{service_id}/greetings"
        in app.test_client().get("/openapi-internal.json").get_json()["paths"],
    }


if __name__ == "__main__":
    print(json.dumps(use()))
    sys.stdout.flush()
