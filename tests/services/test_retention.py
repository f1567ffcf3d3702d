"""Retention periods of services."""

from __future__ import annotations

import pytest

from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.services.errors import DuplicateRetentionError, InvalidServiceError, UnknownRetentionError
from notify.services.queries import retention_days
from notify.services.retention import (
    create_retention,
    get_retention,
    get_retention_of_type,
    list_retentions,
    set_retention,
    update_retention,
)
from tests.services.factory import a_service


def test_one_retention_a_type(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session, name="Trees")
        sms = create_retention(session, service.id, "sms", 14).id
        create_retention(session, service.id, "email", 3)
        update_retention(session, service.id, sms, 21)
        rows = list_retentions(session, service.id)
        assert [(row.notification_type, row.days_of_retention, row.service_name) for row in rows] == [
            ("email", 3, "Trees"),
            ("sms", 21, "Trees"),
        ]
        assert get_retention(session, service.id, sms) == rows[1] == get_retention_of_type(session, service.id, "sms")
        assert (retention_days(session, service.id, "sms"), retention_days(session, service.id, "letter")) == (21, 7)
        assert get_retention_of_type(session, service.id, "letter") is None


def test_a_second_retention_of_a_type_and_an_unknown_service(parts: Parts) -> None:
    words = "Service already has data retention for sms notification type"
    with parts.database.transaction() as session:
        service = a_service(session)
        create_retention(session, service.id, "sms", 14)
    for service_id in (service.id, new_id()):
        with parts.database.session() as session, pytest.raises(DuplicateRetentionError, match=words):
            create_retention(session, service_id, "sms", 3)


def test_refused(parts: Parts) -> None:
    with parts.database.session() as session:
        service, other = a_service(session), a_service(session)
        theirs = create_retention(session, other.id, "sms", 14).id
        with pytest.raises(UnknownRetentionError) as caught:
            update_retention(session, service.id, theirs, 3)
        assert caught.value.status == 404
        assert caught.value.messages == [
            f"The service data retention for id: {theirs} was not found for service: {service.id}"
        ]
        assert get_retention(session, service.id, theirs) is None
        with pytest.raises(InvalidServiceError):
            create_retention(session, service.id, "fax", 3)
        with pytest.raises(NotFoundProblemError):
            create_retention(session, service.id, "sms", 2**31)
        with pytest.raises(NotFoundProblemError):
            get_retention_of_type(session, service.id, "fax")


def test_set_makes_it_or_changes_it(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        for days in (30, 90):
            set_retention(session, service.id, "email", days)
            assert retention_days(session, service.id, "email") == days
