"""Statistics of templates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from notify.infra.cache import Cache
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_id
from notify.messages.models import Notification
from notify.reporting.models import NO_JOB, StatusFact
from notify.reporting.template_statistics import count_by_template, last_used
from notify.templates.actions import create_template, precompiled_template
from notify.templates.models import Template
from tests.services.factory import a_service

NOW = datetime(2026, 7, 20, 12, 0, tzinfo=UTC)
TODAY = date(2026, 7, 20)
MIDNIGHT = datetime(2026, 7, 19, 23, 0, tzinfo=UTC)  # of London, in summer


@pytest.fixture
def template(session: Session) -> Template:
    service = a_service(session)
    return create_template(
        session,
        service_id=service.id,
        template_type="sms",
        name="Bins",
        content="Hi",
        created_by_id=service.created_by_id,
    )


def fact(session: Session, template: Template, days_ago: int, number: int, **fields: Any) -> None:
    values = {
        "bst_date": TODAY - timedelta(days=days_ago),
        "template_id": template.id,
        "service_id": template.service_id,
        "job_id": NO_JOB,
        "notification_type": "sms",
        "key_type": "normal",
        "notification_status": "delivered",
        "notification_count": number,
    }
    session.add(StatusFact(**(values | fields)))
    session.flush()


def message(session: Session, template: Template, created_at: datetime, **fields: Any) -> None:
    values = {
        "id": new_id(),
        "service_id": template.service_id,
        "template_id": template.id,
        "template_version": 1,
        "key_type": "normal",
        "notification_type": "sms",
        "notification_status": "delivered",
        "created_at": created_at,
        "to": b"x",
    }
    session.add(Notification(**(values | fields)))
    session.flush()


def counts(session: Session, template: Template, days: int) -> list[tuple[str | None, str, int]]:
    rows = count_by_template(session, Cache(""), template.service_id, days, now=NOW)
    return [(row.template_name, row.status, row.count) for row in rows]


def test_facts_of_past_days_and_messages_of_today_add_up(session: Session, template: Template) -> None:
    fact(session, template, 1, 10)
    fact(session, template, 2, 20, key_type="team")
    fact(session, template, 2, 7, notification_status="failed")
    fact(session, template, 8, 1000)
    fact(session, template, 1, 1000, key_type="test")
    message(session, template, MIDNIGHT)
    message(session, template, NOW, notification_status="cancelled")
    message(session, template, MIDNIGHT - timedelta(seconds=1))  # a fact's
    message(session, template, NOW, key_type="test")
    assert counts(session, template, 0) == [("Bins", "cancelled", 1), ("Bins", "delivered", 1)]
    assert counts(session, template, 1) == [("Bins", "delivered", 11), ("Bins", "cancelled", 1)]
    assert counts(session, template, 7) == [("Bins", "delivered", 31), ("Bins", "failed", 7), ("Bins", "cancelled", 1)]


def test_templates_without_a_name_and_uploaded_letters(session: Session, template: Template) -> None:
    fact(session, template, 1, 3, template_id=new_id())
    hidden = precompiled_template(session, template.service_id)
    fact(session, template, 1, 2, template_id=hidden, notification_type="letter")
    rows = count_by_template(session, Cache(""), template.service_id, 1, now=NOW)
    assert [(row.template_name, row.template_type, row.is_precompiled_letter) for row in rows] == [
        (None, "sms", False),
        ("Pre-compiled PDF", "letter", True),
    ]


def test_last_use(session: Session, template: Template) -> None:
    def asked(service_id: UUID = template.service_id) -> datetime | None:
        return last_used(session, service_id, template.id, now=NOW)

    assert asked() is None
    fact(session, template, 400, 1)
    assert asked() is None
    fact(session, template, 3, 1)
    fact(session, template, 1, 1, key_type="test")
    message(session, template, NOW, key_type="test")
    assert asked() == datetime(2026, 7, 17, tzinfo=UTC)
    message(session, template, MIDNIGHT)
    assert asked() == MIDNIGHT
    with pytest.raises(NotFoundProblemError):
        asked(a_service(session).id)
