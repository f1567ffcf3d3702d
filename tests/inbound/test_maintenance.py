from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from notify.inbound import maintenance
from notify.inbound.models import InboundText, InboundTextHistory
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.services.inbound_numbers import assign_inbound_number, insert_inbound_numbers
from notify.services.models import DataRetention
from tests.services.factory import a_service

NOW = datetime(2026, 7, 20, 1, 40, tzinfo=UTC)


def a_text(service_id: UUID, created_at: datetime) -> InboundText:
    return InboundText(
        id=new_id(),
        service_id=service_id,
        content=b"x",
        notify_number="07900900777",
        user_number="447900900123",
        created_at=created_at,
        provider_date=created_at,
        provider_reference="ref",
        provider="mmg",
    )


def kept(parts: Parts, service_id: UUID) -> list[datetime]:
    with parts.database.session() as session:
        wanted = select(InboundText.created_at).where(InboundText.service_id == service_id)
        return list(session.scalars(wanted.order_by(InboundText.created_at)))


def test_texts_go_to_history_when_their_time_is_over(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "DELETED_AT_A_TIME", 2)
    summer = timedelta(hours=1)  # local midnight is an hour before that of UTC
    midnight = datetime(2026, 7, 20, tzinfo=UTC) - summer
    with parts.database.transaction() as session:
        usual, own, without_number = (a_service(session).id for _ in range(3))
        insert_inbound_numbers(session, ["07900900777"])
        assign_inbound_number(session, own)
        for service_id in (own, without_number):
            session.add(DataRetention(service_id=service_id, notification_type="sms", days_of_retention=30))
        session.add(DataRetention(service_id=usual, notification_type="email", days_of_retention=30))
        days = [midnight - timedelta(days=number) for number in (30, 7, 1)]
        texts = [
            a_text(service_id, day - age)
            for service_id in (usual, own, without_number)
            for day in days
            for age in (timedelta(0), timedelta(microseconds=1))
        ]
        session.add_all(texts)
        gone = {text.id for text in texts if text.created_at < (days[0] if text.service_id == own else days[1])}
    assert maintenance.delete_received_texts(parts.database, NOW) == len(gone) == 7
    assert maintenance.delete_received_texts(parts.database, NOW) == 0
    recent = [days[2] - timedelta(microseconds=1), days[2]]
    assert kept(parts, usual) == kept(parts, without_number) == [days[1], *recent]
    assert kept(parts, own) == [days[0], days[1] - timedelta(microseconds=1), days[1], *recent]
    with parts.database.session() as session:
        history = session.scalars(select(InboundTextHistory)).all()
    assert {row.id for row in history} == gone
    assert {(row.notify_number, row.provider_reference) for row in history} == {("07900900777", "ref")}
