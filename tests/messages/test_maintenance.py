"""Recovering stuck messages, on tables of some size."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.messages import maintenance
from notify.messages.callbacks import MessageCallbacks
from notify.messages.maintenance import Sweeper, sweep_ages, time_out_sending
from notify.messages.settings import DeliverySettings
from notify.worker import create_celery
from tests.api import queued, with_settings
from tests.servers.proxy import before_valkey

FIRST, EVERY, RETRY = timedelta(seconds=300), timedelta(seconds=60), timedelta(seconds=300)
NOW = utc_now()

_FILL = """
INSERT INTO notifications (id, "to", service_id, template_id, template_version, key_type, notification_type, created_at,
                           notification_status, billable_units, next_try_at)
SELECT gen_random_uuid(), '', %(service)s, %(service)s, 1, 'normal', %(type)s, %(created)s::timestamptz
       + n * interval '1 microsecond', %(status)s, 0, %(next_try)s FROM generate_series(1, %(number)s) AS n
RETURNING id
"""


def fill(
    parts: Parts, age: timedelta, number: int = 1, status: str = "created", type_: str = "sms", **more: datetime
) -> list[UUID]:
    """Messages of an age."""
    values: dict[str, Any] = {
        "service": new_id(),
        "type": type_,
        "created": NOW - age,
        "status": status,
        "number": number,
        "next_try": more.get("next_try"),
    }
    with parts.database.connection() as connection:
        return [row[0] for row in connection.execute(_FILL, values).fetchall()]


def published(parts: Parts) -> set[str]:
    return {id_ for _, arguments in queued(parts) for id_ in arguments[0]}


@pytest.fixture
def sweeper(parts: Parts) -> Sweeper:
    return Sweeper(parts.database, parts.queue, retry=RETRY)


def texts(ids: list[UUID]) -> set[str]:
    return {str(id_) for id_ in ids}


def test_ages_double_until_the_hour_from_which_the_contract_counts() -> None:
    assert [age.total_seconds() / 60 for age in sweep_ages(FIRST)] == [5, 10, 20, 40]
    assert sweep_ages(timedelta(hours=2)) == []


def test_what_is_still_created_is_published_again(parts: Parts, sweeper: Sweeper) -> None:
    wanted = [
        *fill(parts, timedelta(seconds=301)),
        *fill(parts, timedelta(minutes=10, seconds=90), type_="email"),
        *fill(parts, timedelta(minutes=40, seconds=1)),
    ]
    for age in (timedelta(seconds=299), timedelta(minutes=8), timedelta(minutes=30), timedelta(hours=2)):
        fill(parts, age)
    fill(parts, timedelta(seconds=301), status="sending")
    fill(parts, timedelta(seconds=299), type_="letter")
    assert sweeper.sweep(now=NOW, first=FIRST, every=EVERY) == len(wanted)
    assert published(parts) == texts(wanted)


def test_letters_without_a_pdf_are_published_again(parts: Parts, sweeper: Sweeper) -> None:
    late, lost = fill(parts, timedelta(seconds=301), type_="letter"), fill(parts, timedelta(days=6), type_="letter")
    for change in (
        "billable_units = 1",
        "updated_at = now()",
        "key_type = 'test'",
        "notification_status = 'cancelled'",
    ):
        ids = [*fill(parts, timedelta(seconds=301), type_="letter"), *fill(parts, timedelta(days=6), type_="letter")]
        with parts.database.connection() as connection:
            connection.execute(f"UPDATE notifications SET {change} WHERE id = ANY(%s)", (ids,))  # noqa: S608
    assert sweeper.sweep(now=NOW, first=FIRST, every=EVERY) == 1
    assert queued(parts, "create-letters-pdf-tasks") == [("get-pdf-for-templated-letter", [str(late[0])])]
    assert sweeper.replay(now=NOW) == 1
    assert queued(parts, "create-letters-pdf-tasks") == [("get-pdf-for-templated-letter", [str(lost[0])])]


def test_from_an_hour_on_everything_is_replayed_for_a_week(parts: Parts, sweeper: Sweeper) -> None:
    wanted = [*fill(parts, timedelta(minutes=61)), *fill(parts, timedelta(days=6, hours=23), type_="email")]
    fill(parts, timedelta(minutes=59))
    fill(parts, timedelta(days=7, minutes=1))
    assert sweeper.replay(now=NOW) == len(wanted)
    assert published(parts) == texts(wanted)


def test_a_message_whose_next_try_is_queued_is_left_alone(parts: Parts, sweeper: Sweeper) -> None:
    fill(parts, timedelta(hours=2), next_try=NOW - RETRY * 0.4)
    forgotten = fill(parts, timedelta(hours=2), next_try=NOW - RETRY * 0.6)
    assert sweeper.replay(now=NOW) == 1
    assert published(parts) == texts(forgotten)


def test_a_backlog_is_published_to_the_last(parts: Parts, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "SWEPT_AT_A_TIME", 70)
    same = [id_ for _ in range(100) for id_ in fill(parts, timedelta(minutes=70))]
    others = fill(parts, timedelta(minutes=80), number=1000)
    assert sweeper.replay(now=NOW) == 1100
    assert published(parts) == texts(same + others)


def test_a_sweep_stops_when_the_broker_is_down(parts: Parts) -> None:
    fill(parts, timedelta(minutes=61), number=120)
    with before_valkey(parts.settings.redis_url) as (way, url):
        cut_off = with_settings(parts, broker_url=url)
        sweeper = Sweeper(cut_off.database, cut_off.queue, retry=RETRY)
        way.proxy.mode = "refuse"
        assert sweeper.replay(now=NOW) == 0
        way.proxy.mode = "forward"
        assert sweeper.replay(now=NOW) == 120
        cut_off.close()
    assert len(published(parts)) == 120


def test_a_hundred_thousand_without_a_receipt_time_out_in_batches(own_parts: Parts) -> None:
    late = set(fill(own_parts, timedelta(hours=73), number=99_000, status="sending"))
    late |= set(fill(own_parts, timedelta(hours=73), number=1_000, status="pending"))
    young = fill(own_parts, timedelta(hours=71), number=10, status="sending")
    fill(own_parts, timedelta(hours=73), number=10, status="created")
    fill(own_parts, timedelta(hours=73), number=10, status="sending", type_="letter")
    fill(own_parts, timedelta(hours=73), number=10, status="delivered")
    callbacks = Container(own_parts).get(MessageCallbacks)
    assert set(time_out_sending(own_parts.database, callbacks, now=NOW, after=timedelta(hours=72))) == late
    with own_parts.database.connection() as connection:
        rows = connection.execute(
            "SELECT notification_status, count(*), max(updated_at) FROM notifications GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert [(status, number) for status, number, _ in rows] == [
        ("created", 10),
        ("delivered", 10),
        ("sending", len(young) + 10),
        ("temporary-failure", 100_000),
    ]
    assert rows[-1][2] == NOW


def test_sweeps_that_wait_in_the_queue_are_not_all_run(parts: Parts) -> None:
    entries = create_celery(parts.settings).conf.beat_schedule
    assert (
        entries["sweep-created-notifications"]["options"]["expires"]
        == parts.settings.part(DeliverySettings).sweep_every_seconds
    )
    assert entries["replay-created-notifications"]["options"]["expires"] == 15 * 60
