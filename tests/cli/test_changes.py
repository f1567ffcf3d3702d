"""The log of changes from the terminal."""

from __future__ import annotations

from uuid import UUID

import pytest

from notify.events.changes import record_change
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from tests.cli.terminal import a_service, made, refused

pytestmark = pytest.mark.usefixtures("terminal")


def test_changes_of_a_service_are_listed(parts: Parts) -> None:
    service_id, person = UUID(a_service()["id"]), new_id()
    with parts.database.transaction() as session:
        for subject in ({"service_id": service_id}, {"service_id": new_id()}):
            record_change(
                session,
                client="notify-admin",
                user_id=person,
                method="POST",
                operation="create_retention",
                subject=subject,
            )
    (change,) = made("list-changes", "--service", str(service_id))
    assert change["user"] == str(person)
    assert change["operation"] == "create_retention"
    assert change["subject"] == f"service_id={service_id}"


def test_of_a_service_that_is_not_there() -> None:
    assert "there is no service" in refused("list-changes", "--service", "nowhere")
