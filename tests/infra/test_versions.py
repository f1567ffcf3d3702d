"""Versioned tables: a base row and its copies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import class_mapper

from notify.infra.parts import Parts
from notify.infra.versions import Versioned, save_version
from notify.services.models import ApiKey, Service, ServiceHistory
from notify.templates.models import Template
from notify.webhooks.models import CallbackApi
from tests.services.factory import a_service

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("base", [Service, ApiKey, CallbackApi, Template])
def test_history_has_the_columns_of_its_base(base: type[Versioned]) -> None:
    own, copies = class_mapper(base).local_table, class_mapper(base.__history__).local_table
    assert {c.name: str(c.type) for c in own.columns} == {c.name: str(c.type) for c in copies.columns}
    assert [column.name for column in copies.primary_key] == ["id", "version"]


def test_every_save_is_a_version_and_a_full_copy(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session, name="One", now=FIRST)
        service.name = "Two"
        save_version(session, service, now=FIRST + timedelta(hours=1))
        save_version(session, service, now=FIRST + timedelta(hours=2))  # also when nothing changed
    with parts.database.session() as session:
        one, two, three = (session.get_one(ServiceHistory, (service.id, version)) for version in (1, 2, 3))
        current = session.get_one(Service, service.id)
        columns = [attribute.key for attribute in class_mapper(Service).column_attrs]
        assert {name: getattr(three, name) for name in columns} == {name: getattr(current, name) for name in columns}
    assert [row.name for row in (one, two, three)] == ["One", "Two", "Two"]
    assert [row.created_at for row in (one, two, three)] == [FIRST] * 3
    assert [row.updated_at for row in (one, two, three)] == [
        None,
        FIRST + timedelta(hours=1),
        FIRST + timedelta(hours=2),
    ]
