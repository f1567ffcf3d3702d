"""`notify after-restore`: what may have been sent is not sent again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from notify.cli import program
from notify.infra.container import Container
from notify.infra.times import utc_now
from notify.messages.deliver import Deliverer
from tests.api import Api, with_settings
from tests.servers.mmg import MMGServer


@pytest.fixture
def environment(api: Api) -> Iterator[dict[str, str]]:
    settings = api.parts.settings
    yield {
        "NOTIFY_ENVIRONMENT": "test",
        "SQLALCHEMY_DATABASE_URI": settings.sqlalchemy_database_uri,
        "REDIS_URL": settings.redis_url,
        "NOTIFICATION_QUEUE_PREFIX": settings.notification_queue_prefix,
    }
    api.execute("DELETE FROM notifications")


def run(environment: dict[str, str], *words: str, **options: Any) -> Result:
    return CliRunner().invoke(program, ["after-restore", *words], env=environment, **options)


def statuses(api: Api, ids: list[UUID]) -> list[str]:
    rows = dict(api.execute("SELECT id, notification_status FROM notifications WHERE id = ANY(%s)", ids))
    return [rows[id_] for id_ in ids]


def test_only_what_was_there_at_the_snapshot_is_marked(api: Api, environment: dict[str, str]) -> None:
    old = [api.sent(), api.sent("email"), api.sent("letter")]
    api.execute("UPDATE notifications SET created_at = now() - interval '1 hour'")
    new = api.sent()
    snapshot = (utc_now() - timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%S")
    result = run(environment, "--snapshot-time", snapshot, "--yes", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["marked"] == 2
    # letters take another way
    assert statuses(api, [*old, new]) == ["sending", "sending", "created", "created"]
    with MMGServer() as mmg:
        container = Container(with_settings(api.parts, mmg_api_key=mmg.key, mmg_url=mmg.address, sandbox_url=""))
        container.get(Deliverer).deliver("sms", [*old, new])
        container.close()
        assert [message["cid"] for message in mmg.messages] == [str(new)]


def test_it_asks_first_and_may_fail_them_at_once(api: Api, environment: dict[str, str]) -> None:
    id_ = api.sent()
    words = ("--snapshot-time", utc_now().strftime("%Y-%m-%dT%H:%M:%S"), "--status", "technical-failure")
    api.execute("UPDATE notifications SET created_at = now() - interval '1 hour'")
    refused = run(environment, *words, input="n\n")
    assert "1 messages wait" in refused.output
    assert statuses(api, [id_]) == ["created"]
    assert run(environment, *words, input="y\n").exit_code == 0
    assert statuses(api, [id_]) == ["technical-failure"]


def test_a_time_that_is_still_to_come_is_refused(environment: dict[str, str]) -> None:
    later = (utc_now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S%z")
    assert "in the future" in run(environment, "--snapshot-time", later, "--yes").output


def test_workers_must_be_stopped(api: Api, environment: dict[str, str]) -> None:
    id_ = api.sent()
    api.execute("UPDATE notifications SET created_at = now() - interval '1 hour'")
    with api.parts.database.connection() as worker:
        worker.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 6011))", (str(id_),))
        result = run(environment, "--snapshot-time", utc_now().strftime("%Y-%m-%dT%H:%M:%S"), "--yes")
    assert result.exit_code == 1
    assert "stop the workers" in result.output
    assert statuses(api, [id_]) == ["created"]
