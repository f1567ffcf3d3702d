"""Every change through the internal API is logged with its author, time and object."""

from __future__ import annotations

from uuid import UUID

from notify.events.changes import list_changes
from notify.events.models import Change
from notify.infra.ids import new_id
from notify.services.models import Service
from tests.internal.admin import AdminClient


def _changes(admin: AdminClient, service_id: UUID) -> list[Change]:
    with admin.parts.database.session() as session:
        return list(list_changes(session, service_id=service_id))


def test_a_change_names_the_person_of_the_request(admin: AdminClient, service: Service) -> None:
    person = new_id()
    answer = admin.call(
        "POST",
        f"/service/{service.id}/data-retention",
        body={"days_of_retention": 3, "notification_type": "email"},
        headers={"Authorization": f"Bearer {admin.token()}", "X-Notify-User-Id": str(person)},
    )
    assert answer.status_code == 201
    (change,) = _changes(admin, service.id)
    assert (change.client, change.user_id, change.method) == ("notify-admin", person, "POST")
    assert change.operation == "create_retention"
    assert change.subject == {"service_id": str(service.id)}


def test_without_it_the_author_in_the_body_counts(admin: AdminClient, service: Service) -> None:
    admin.post(
        f"/service/{service.id}/api-key",
        {"name": "key", "key_type": "normal", "created_by": str(service.created_by_id)},
        status=201,
    )
    (change,) = _changes(admin, service.id)
    assert change.user_id == service.created_by_id


def test_who_invites_is_who_acts(admin: AdminClient, service: Service) -> None:
    invitation = {
        "service": str(service.id),
        "email_address": "new@example.gov.uk",
        "from_user": str(service.created_by_id),
        "permissions": "view_activity",
    }
    admin.post(f"/service/{service.id}/invite", invitation, status=201)
    (change,) = _changes(admin, service.id)
    assert (change.operation, change.user_id) == ("invite_to_service", service.created_by_id)


def test_what_is_refused_or_only_read_leaves_nothing(admin: AdminClient, service: Service) -> None:
    admin.post(f"/service/{service.id}/data-retention", {"days_of_retention": "x"}, status=400)
    admin.get(f"/service/{service.id}")
    assert _changes(admin, service.id) == []


def test_the_newest_first_page_by_page(admin: AdminClient, service: Service) -> None:
    for name in ("a", "b", "c"):
        admin.post(
            f"/service/{service.id}/api-key",
            {"name": name, "key_type": "normal", "created_by": str(service.created_by_id)},
            status=201,
        )
    with admin.parts.database.session() as session:
        first = list_changes(session, service_id=service.id, limit=2)
        rest = list_changes(session, service_id=service.id, older_than=first[-1].id, limit=2)
    ids = [change.id for change in (*first, *rest)]
    assert len(ids) == 3
    assert ids == sorted(ids, reverse=True)
