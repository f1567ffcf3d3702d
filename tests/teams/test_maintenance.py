"""Old invitations are deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from notify.infra.parts import Parts
from notify.organisations.actions import create_organisation
from notify.teams.maintenance import delete_old_invitations
from notify.teams.models import OrganisationInvitation, ServiceInvitation
from tests.services.factory import a_service

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
TWO_DAYS = timedelta(days=2)


def test_invitations_of_two_days_ago_are_deleted(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        organisation = create_organisation(session, name="Oaks", organisation_type="local", crown=False)
        common: dict[str, Any] = {"email_address": "sam@example.gov.uk", "permissions": ""}
        for created_at in (NOON - TWO_DAYS, NOON - TWO_DAYS + timedelta(seconds=1)):
            times = {"created_at": created_at, "status": "accepted"}
            session.add(ServiceInvitation(user_id=service.created_by_id, service_id=service.id, **common, **times))
            session.add(
                OrganisationInvitation(
                    invited_by_id=service.created_by_id, organisation_id=organisation.id, **common, **times
                )
            )
    assert delete_old_invitations(parts.database, NOON) == 2
    assert delete_old_invitations(parts.database, NOON) == 0
    with parts.database.session() as session:
        assert len(session.scalars(select(ServiceInvitation)).all()) == 1
        assert len(session.scalars(select(OrganisationInvitation)).all()) == 1
