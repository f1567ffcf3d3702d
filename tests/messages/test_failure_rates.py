"""Services whose texts fail too often, or are sent to numbers that do not exist."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.messages import failure_rates, tasks
from tests.services.factory import a_service

NOW = utc_now()
_ADD = """
INSERT INTO notifications (id, "to", normalised_to, service_id, template_id, template_version, key_type,
                           notification_type, created_at, notification_status)
SELECT gen_random_uuid(), '', %(to)s, %(service)s, %(service)s, 1, %(key_type)s, 'sms', %(created)s, %(status)s
FROM generate_series(1, %(number)s)
"""


def add(
    parts: Parts,
    service_id: UUID,
    number: int,
    *,
    status: str = "delivered",
    to: str = "447900900123",
    key_type: str = "normal",
    age: timedelta = timedelta(hours=23),
) -> None:
    values = {"to": to, "service": service_id, "key_type": key_type, "created": NOW - age, "status": status}
    with parts.database.connection() as connection:
        connection.execute(_ADD, values | {"number": number})


def live(parts: Parts, **options: bool) -> UUID:
    with parts.database.transaction() as session:
        service = a_service(session)
        service.restricted, service.active = options.get("restricted", False), options.get("active", True)
        return service.id


@pytest.fixture(autouse=True)
def _smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (failure_rates.MANY_TEXTS, failure_rates.MANY_TO_TV_NUMBERS) == (10_000, 500)
    monkeypatch.setattr(failure_rates, "MANY_TEXTS", 100)
    monkeypatch.setattr(failure_rates, "MANY_TO_TV_NUMBERS", 50)


def suspects(parts: Parts) -> dict[UUID, tuple[float | None, int | None]]:
    with parts.database.session() as session:
        return {one.id: (one.failed, one.to_tv_numbers) for one in failure_rates.find_suspects(session, NOW)}


def test_a_share_of_a_quarter_is_high(parts: Parts) -> None:
    high, low, few = live(parts), live(parts), live(parts)
    for service_id, good, bad in ((high, 75, 25), (low, 76, 24), (few, 0, 99)):
        add(parts, service_id, good)
        add(parts, service_id, bad, status="permanent-failure")
    assert suspects(parts) == {high: (0.25, None)}


def test_only_the_last_day_of_real_texts_counts(parts: Parts) -> None:
    service_id = live(parts)
    add(parts, service_id, 80)
    add(parts, service_id, 60, status="permanent-failure", key_type="test", to="447700900123")
    add(parts, service_id, 60, status="permanent-failure", age=timedelta(hours=25), to="447700900123")
    add(parts, service_id, 20, status="permanent-failure", key_type="team")
    assert suspects(parts) == {}


def test_many_to_numbers_of_films(parts: Parts) -> None:
    many, few = live(parts), live(parts)
    add(parts, many, 51, to="447700900123")
    add(parts, few, 50, to="447700900123")
    add(parts, few, 100, to="447700800900")
    assert suspects(parts) == {many: (None, 51)}


@pytest.mark.parametrize("options", [{"restricted": True}, {"active": False}])
def test_trial_and_archived_services_are_left_out(parts: Parts, options: dict[str, bool]) -> None:
    add(parts, live(parts, **options), 200, status="permanent-failure", to="447700900123")
    assert suspects(parts) == {}


def test_the_ticket_names_each_service(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notify.messages.tasks.utc_now", lambda: NOW)
    service_id = live(parts)
    add(parts, service_id, 100, status="permanent-failure", to="447700900123")
    with capture_logs() as logs:
        tasks.check_for_services_with_high_failure_rates(Container(parts))
    (warned, ticket) = logs
    assert (warned["service_id"], warned["failed"], warned["to_tv_numbers"]) == (service_id, 1.0, 100)
    assert ticket["subject"] == "[test] High failure rates for sms spotted for services"
    address = f"{parts.settings.admin_base_url}/services/{service_id}"
    assert f"{address} failure rate: 100%" in ticket["ticket_message"]
    assert f"{address} texts to such numbers: 100" in ticket["ticket_message"]


def test_nothing_to_tell_makes_no_ticket(parts: Parts) -> None:
    with capture_logs() as logs:
        tasks.check_for_services_with_high_failure_rates(Container(parts))
    assert logs == []
