from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from notify.events.events import delete_old_events
from notify.events.models import Event
from notify.events.tasks import delete_old_records_from_events_table
from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.infra.times import utc_now


def test_events_are_kept_for_a_year_of_weeks(parts: Parts) -> None:
    now = utc_now()
    ages = {"kept": timedelta(weeks=52) - timedelta(minutes=1), "old": timedelta(weeks=52, minutes=1)}
    with parts.database.transaction() as session:
        session.add_all(Event(event_type=name, created_at=now - age, data={}) for name, age in ages.items())
    for _ in range(2):
        delete_old_records_from_events_table(Container(parts))
        with parts.database.session() as session:
            assert session.scalars(select(Event.event_type)).all() == ["kept"]


def test_events_are_deleted_some_at_a_time(parts: Parts) -> None:
    now = utc_now()
    with parts.database.transaction() as session:
        session.add_all(
            Event(event_type=str(n), created_at=now - timedelta(weeks=52, minutes=n), data={}) for n in (1, 2, 3, 4, 5)
        )
        session.add(Event(event_type="kept", created_at=now, data={}))
    assert delete_old_events(parts.database, now, batch=2) == 5
    assert delete_old_events(parts.database, now, batch=2) == 0
    with parts.database.session() as session:
        assert session.scalars(select(Event.event_type)).all() == ["kept"]
