"""The weekly invitation to user research."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.messages.models import Notification
from notify.notices.catalogue import USER_RESEARCH
from notify.notices.sender import Notices
from notify.sign_in.research import invite_to_research
from tests.services.factory import a_user


@pytest.fixture
def container(parts: Parts) -> Iterator[Container]:
    container = Container(parts)
    yield container
    container.close()


def test_new_users_are_invited_once_also_by_two_runs_at_once(parts: Parts, container: Container) -> None:
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    with parts.database.transaction() as session:
        a_user(session, created_at=midnight - timedelta(days=16), email_address="first@example.com")
        a_user(session, created_at=midnight - timedelta(days=9, seconds=1), email_address="last@example.com")
        a_user(session, created_at=midnight - timedelta(days=9))
        a_user(session, created_at=midnight - timedelta(days=16, seconds=1))
        a_user(session, created_at=midnight - timedelta(days=10), take_part_in_research=False)
        a_user(session, created_at=midnight - timedelta(days=10), state="pending")
    notices = container.get(Notices)
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: invite_to_research(parts.database, notices, now), range(2)))
    assert sorted(runs) == [0, 2]
    with parts.database.session() as session:
        sent = session.scalars(
            select(Notification.normalised_to).where(Notification.template_id == USER_RESEARCH)
        ).all()
    assert sorted(str(address) for address in sent) == ["first@example.com", "last@example.com"]
