"""Long lists of users."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from notify.accounts.models import OrganisationUser, OrganisationUserPermission
from notify.app import EXTENSION
from notify.services import users_list
from tests.internal.admin import AdminClient, Factory, schema_faults

PATH = "/platform-admin/users-list"


def listed(admin: AdminClient, user_id: UUID, **question: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = admin.post(PATH, question)["data"]
    return [user for user in found if user["id"] == str(user_id)]


def ordered(user: dict[str, Any]) -> dict[str, Any]:
    """The user with permissions in alphabetical order."""
    return {**user, "permissions": {service: sorted(names) for service, names in user["permissions"].items()}}


def test_a_user_in_a_list_is_as_a_user_alone(admin: AdminClient, factory: Factory) -> None:
    user = factory.user(name='Zoë "Z" 😀', logged_in_at=datetime(2019, 1, 2, 3, 4, 5, tzinfo=UTC))
    service, organisation = factory.service(user_id=user.id), factory.organisation()
    gone = factory.organisation(active=False)
    for body in (organisation, gone):
        factory.row(OrganisationUser(user_id=user.id, organisation_id=body.id))
        factory.row(
            OrganisationUserPermission(user_id=user.id, organisation_id=body.id, permission="can_make_services_live")
        )
    alone = admin.get(f"/user/{user.id}")["data"]
    assert alone["organisation_permissions"] == {
        str(organisation.id): ["can_make_services_live"],
        str(gone.id): [],
    }
    assert [ordered(each) for each in admin.get("/user")["data"] if each["id"] == str(user.id)] == [ordered(alone)]
    with_names = {**alone, "services": [{"id": str(service.id), "name": service.name}]}
    assert [ordered(each) for each in listed(admin, user.id, logged_in_start=None)] == [ordered(with_names)]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ({"logged_in_start": "2019-01-02", "logged_in_end": "2019-01-02"}, True),
        ({"logged_in_end": "2019-01-01"}, False),
        ({"logged_in_start": "2019-01-03"}, False),
        ({"created_start": "2018-05-06", "created_end": "2018-05-06"}, True),
        ({"created_start": "2018-05-07"}, False),
        ({"created_end": "2018-05-05"}, False),
        ({"take_part_in_research": False}, True),
        ({"take_part_in_research": True}, False),
        ({"take_part_in_research": None, "created_start": None}, True),
    ],
)
def test_filters(admin: AdminClient, factory: Factory, question: dict[str, Any], found: bool) -> None:
    user = factory.user(
        logged_in_at=datetime(2019, 1, 2, 23, 59, 59, 999999, tzinfo=UTC),
        created_at=datetime(2018, 5, 6, tzinfo=UTC),
        take_part_in_research=False,
    )
    assert bool(listed(admin, user.id, **question)) is found


def test_only_active_users_are_listed(admin: AdminClient, factory: Factory) -> None:
    user = factory.user(state="pending")
    assert listed(admin, user.id, take_part_in_research=None) == []


def test_nobody(admin: AdminClient) -> None:
    assert admin.post(PATH, {"created_end": "1999-12-31"}) == {"data": []}


def test_wrong_questions(admin: AdminClient) -> None:
    assert schema_faults(admin.post(PATH, {}, status=400)) == ["{} should be non-empty"]
    body = {"created_start": "soon", "take_part_in_research": "yes", "name": "x"}
    assert schema_faults(admin.post(PATH, body, status=400)) == [
        "created_start soon is not a date",
        "take_part_in_research yes is not of type boolean, null",
        "Additional properties are not allowed (name was unexpected)",
    ]
    assert schema_faults(admin.post(PATH, {"created_end": 20260101}, status=400)) == [
        "created_end 20260101 is not of type string, null"
    ]


@pytest.mark.parametrize(("few", "piece"), [(0, 2), (0, 3), (0, 1000), (1000, 2)])
def test_pieces_make_one_list(
    admin: AdminClient, factory: Factory, monkeypatch: pytest.MonkeyPatch, few: int, piece: int
) -> None:
    born = datetime(2011, 1, 2, 3, 4, 5, tzinfo=UTC)
    for _ in range(4):
        factory.user(created_at=born)
    question = {"created_start": "2011-01-02", "created_end": "2011-01-02"}
    whole = admin.post(PATH, question)
    monkeypatch.setattr(users_list, "FEW", few)
    monkeypatch.setattr(users_list, "PIECE", piece)
    assert admin.post(PATH, question) == whole
    assert [user["id"] for user in whole["data"]] == sorted(user["id"] for user in whole["data"])


def test_connections_are_given_back(admin: AdminClient, factory: Factory, internal_app: Flask) -> None:
    factory.user()
    answer = admin.call("GET", "/user")
    next(iter(answer.response))
    answer.close()
    assert internal_app.extensions[EXTENSION].parts.database.engine.pool.checkedout() == 0
