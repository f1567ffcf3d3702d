"""How quickly providers deliver, in a real database."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from notify.infra.ids import first_id
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.messages import delivery_speed
from notify.messages.delivery_speed import DeliverySpeed, alert_if_slow, measure, shift_if_slow

NOW = utc_now()
BOTH = ("mmg", "firetext")


def add(parts: Parts, provider: str | None, number: int = 1, **values: Any) -> None:
    """Texts of a provider: accepted `age` seconds ago and sent at once, delivered after `took` seconds if at all."""
    age, took = values.pop("age", 800), values.pop("took", None)
    sent_at = NOW - timedelta(seconds=age)
    columns = {
        "notification_type": "sms",
        "key_type": "normal",
        "notification_status": "sending" if took is None else "delivered",
        "created_at": sent_at,
        "sent_at": sent_at,
        "sent_by": provider,
        "updated_at": sent_at if took is None else sent_at + timedelta(seconds=took),
        **values,
    }
    names = ", ".join(columns)
    with parts.database.connection() as connection:
        connection.execute(
            f"""INSERT INTO notifications (id, service_id, template_id, template_version, "to", {names})
                SELECT uuidv7(%s), uuidv7(), uuidv7(), 1, '', {", ".join(["%s"] * len(columns))}
                FROM generate_series(1, %s)""".encode(),  # noqa: S608
            (-timedelta(seconds=age), *columns.values(), number),
        )


def priorities(parts: Parts) -> dict[str, int]:
    query = (
        b"SELECT identifier, priority FROM provider_details WHERE notification_type = 'sms' AND identifier <> 'sandbox'"
    )
    with parts.database.connection() as connection:
        return dict(connection.execute(query).fetchall())


def test_late_is_what_was_delivered_late_or_still_is_not(parts: Parts) -> None:
    add(parts, "mmg", 4, took=10)
    add(parts, "mmg", 3, took=60)
    add(parts, "mmg", 2, took=300)
    add(parts, "mmg", 1, age=700)
    add(parts, "mmg", 2, age=400, notification_status="pending")
    add(parts, "firetext", 5, age=30)
    speeds = {speed.provider: speed for speed in measure(parts.database, NOW)}
    assert speeds["mmg"] == DeliverySpeed("mmg", 12, {60: 8, 300: 5, 600: 1})
    assert speeds["firetext"] == DeliverySpeed("firetext", 5, {60: 0, 300: 0, 600: 0})
    assert speeds["mmg"].ratio(300) == pytest.approx(5 / 12)


@pytest.mark.parametrize(
    "values",
    [
        {"key_type": "test"},
        {"notification_type": "email"},
        {"age": 901},
        {"age": 5000},
        {"notification_status": "created", "sent_at": None},
        {"notification_status": "permanent-failure"},
        {"notification_status": "sent"},
    ],
)
def test_what_does_not_count(parts: Parts, values: dict[str, Any]) -> None:
    add(parts, "mmg", 3, **values)
    assert measure(parts.database, NOW) == []


def test_a_row_of_a_spreadsheet_has_an_older_id(parts: Parts) -> None:
    add(parts, "mmg", age=1700, created_at=NOW - timedelta(seconds=30))
    assert [speed.number for speed in measure(parts.database, NOW)] == [1]


def test_a_slow_provider_loses_weight_to_one_that_is_not(parts: Parts) -> None:
    add(parts, "mmg", 3)
    add(parts, "mmg", 17, took=5)
    add(parts, "firetext", 20, took=5)
    assert shift_if_slow(parts.database, BOTH, now=NOW)
    assert priorities(parts) == {"mmg": 0, "firetext": 30}
    with parts.database.connection() as connection:
        history = connection.execute(
            "SELECT identifier, version, priority, reason FROM provider_details_history WHERE version = 2 ORDER BY 1"
        ).fetchall()
    assert history == [
        ("firetext", 2, 30, "Increased due to reduced reliability in other provider"),
        ("mmg", 2, 0, "Reduced due to reduced reliability"),
    ]
    # not again within five minutes
    assert not shift_if_slow(parts.database, BOTH, now=NOW + timedelta(minutes=4.9))


@pytest.mark.parametrize(("mmg", "firetext"), [(2, 0), (3, 3), (0, 0)])
def test_nothing_moves_when_none_or_all_are_slow(parts: Parts, mmg: int, firetext: int) -> None:
    for provider, slow in (("mmg", mmg), ("firetext", firetext)):
        add(parts, provider, slow)
        add(parts, provider, 20 - slow, took=5)
    assert not shift_if_slow(parts.database, BOTH, now=NOW)
    assert priorities(parts) == {"mmg": 10, "firetext": 20}


def test_a_provider_that_sent_nothing_is_not_slow(parts: Parts) -> None:
    add(parts, "firetext", 5)
    assert shift_if_slow(parts.database, BOTH, now=NOW)
    assert priorities(parts) == {"mmg": 20, "firetext": 10}


def test_the_look_at_recent_messages_uses_an_index(parts: Parts) -> None:
    for age in range(0, 200_000, 5000):
        add(parts, "mmg", 500, age=age, took=5)
    first = NOW - timedelta(minutes=15)
    with parts.database.connection() as connection:
        connection.execute("ANALYZE notifications")
        (plan,) = connection.execute(
            f"EXPLAIN (FORMAT JSON) {delivery_speed._SPEED}".encode(),
            {"now": NOW, "first": first, "first_id": first_id(first - timedelta(minutes=15))},
        ).fetchone() or [None]
    text = json.dumps(plan)
    assert "pk_notifications" in text
    assert "Seq Scan" not in text


def speed(late: int, number: int = 100) -> DeliverySpeed:
    return DeliverySpeed("mmg", number, {60: late, 300: late, 600: late})


def errors(parts: Parts, *speeds: DeliverySpeed) -> list[Any]:
    with capture_logs() as logs:
        for one in speeds:
            alert_if_slow(parts.cache, [one, DeliverySpeed("firetext", 0, {60: 0, 300: 0, 600: 0})])
    return [line for line in logs if line["log_level"] == "error"]


def test_slowness_is_reported_once_when_it_lasted_ten_minutes(parts: Parts) -> None:
    parts.cache.delete(delivery_speed.SLOW_TIMES_KEY)
    assert errors(parts, *[speed(10)] * 9) == []
    (error,) = errors(parts, speed(10))
    assert error["providers"]["mmg"] == {"number": 100, "slow": 10}
    assert errors(parts, *[speed(10)] * 5) == []
    assert errors(parts, speed(9), *[speed(50)] * 9) == []
    assert len(errors(parts, speed(50))) == 1
    assert errors(parts, speed(0, 0), *[speed(50)] * 9) == []
