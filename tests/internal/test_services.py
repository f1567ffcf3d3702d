from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from notify.accounts.models import User
from notify.branding.models import EmailBranding, LetterBranding
from notify.infra.ids import new_id
from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory


@pytest.fixture(scope="module")
def user(factory: Factory) -> User:
    return factory.user()


def _new(user: User, **fields: Any) -> dict[str, Any]:
    values = {
        "name": f"Maple {new_id()}",
        "user_id": str(user.id),
        "created_by": str(user.id),
        "restricted": True,
        "email_message_limit": 50,
        "sms_message_limit": 50,
        "letter_message_limit": 50,
    }
    return values | fields


def test_a_service_is_created_with_all_that_it_is_given(admin: AdminClient, user: User) -> None:
    given = {
        "organisation_type": "central",
        "custom_email_sender_name": "The Maple Team",
        "prefix_sms": "yes",
        "rate_limit": "100",
        "contact_link": "https://example.gov.uk/contact",
        "volume_email": 1.9,
        "consent_to_research": True,
        "purchase_order_number": "P1",
        "go_live_at": "2026-05-06 07:08:09.000010",
    }
    made = admin.post("/service", _new(user, **given, active=False, count_as_live=False, colour="x"), status=201)[
        "data"
    ]
    assert len(made) == 35
    expected: dict[str, Any] = {
        "active": True,
        "count_as_live": True,
        "prefix_sms": True,
        "rate_limit": 100,
        "volume_email": 1,
        "international_sms_message_limit": 250_000,
        "email_sender_local_part": "the.maple.team",
        "created_by": str(user.id),
        "service_callback_api": [],
        "permissions": ["sms", "email", "letter", "international_sms", "international_letters"],
    }
    assert made == made | given | expected
    assert admin.get(f"/service/{made['id']}")["data"] == made


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"user_id": ""}, "user_id", "Missing data for required field."),
        ({"user_id": None, "name": 5}, "user_id", "Missing data for required field."),
        ({"name": 5}, "name", "Not a valid string."),
        ({"restricted": "perhaps"}, "restricted", "Not a valid boolean."),
        ({"sms_message_limit": []}, "sms_message_limit", "Not a valid integer."),
        ({"volume_sms": "lots"}, "volume_sms", "Not a valid integer."),
        ({"email_message_limit": None}, "email_message_limit", "Field may not be null."),
        ({"contact_link": "x" * 256}, "contact_link", "Longer than maximum length 255."),
        ({"go_live_at": "2026-05-06"}, "go_live_at", "Not a valid datetime."),
        ({"organisation_type": "king"}, "organisation_type", "Invalid organisation type: king"),
    ],
)
def test_services_that_cannot_be_created(
    admin: AdminClient, user: User, changes: dict[str, Any], field: str, text: str
) -> None:
    assert admin.post("/service", _new(user, **changes), status=400)["message"] == {field: [text]}


@pytest.mark.parametrize(
    "changes",
    [
        {"user_id": str(uuid4())},
        {"user_id": "robin"},
        {"created_by": str(uuid4())},
        {"name": "x" * 256},
        {"sms_message_limit": 10**20},
        {"rate_limit": 2**40},
    ],
)
def test_a_value_that_fits_no_column_is_not_found(admin: AdminClient, user: User, changes: dict[str, Any]) -> None:
    assert admin.post("/service", _new(user, **changes), status=404)["message"] == "No result found"


def test_names_that_are_too_much_alike(admin: AdminClient, user: User) -> None:
    name = f"First Service {new_id()}"
    admin.post("/service", _new(user, name=name), status=201)
    other = admin.post("/service", _new(user), status=201)["data"]
    for clash in (name, name.upper(), f"({name.replace(' ', '  ')})!"):
        texts = {"name": [f"Duplicate service name '{clash}'"]}
        assert admin.post("/service", _new(user, name=clash), status=400)["message"] == texts
        assert admin.post(f"/service/{other['id']}", {"name": clash}, status=400)["message"] == texts


def test_changes_are_partial_and_lenient(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}"
    before = admin.get(path)["data"]
    changes = {"sms_message_limit": "77", "email_message_limit": 12.9, "prefix_sms": "no", "notes": "n"}
    after = admin.post(path, changes | {"service_callback_api": [1], "users": [], "email_sender_local_part": "x"})
    assert after["data"] == before | {
        "sms_message_limit": 77,
        "email_message_limit": 12,
        "prefix_sms": False,
        "notes": "n",
    }
    assert admin.post(path, {})["data"] == after["data"]


def test_a_service_changes_its_branding_and_permissions(admin: AdminClient, factory: Factory, service: Service) -> None:
    path = f"/service/{service.id}"
    email = factory.row(EmailBranding(name=f"Oak {new_id()}", text="Oak"))
    letter = factory.row(LetterBranding(name=f"Oak {new_id()}", filename=f"oak-{new_id()}"))
    changes = {"email_branding": str(email.id), "letter_branding": str(letter.id), "permissions": ["sms"]}
    before = admin.get(path)["data"]
    assert admin.post(path, changes)["data"] == before | changes
    cleared = admin.post(path, {"email_branding": None, "permissions": []})["data"]
    assert (cleared["email_branding"], cleared["letter_branding"]) == (None, str(letter.id))
    assert cleared["permissions"] == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": None}, {"name": ["Field may not be null."]}),
        ({"prefix_sms": 2}, {"prefix_sms": ["Not a valid boolean."]}),
        ({"permissions": None}, {"permissions": ["Field may not be null."]}),
        ({"permissions": ["sms", "fax", "fax"]}, {"permissions": ["Invalid Service Permission: 'fax'"]}),
        ({"permissions": ["sms", "sms"]}, {"permissions": ["Duplicate Service Permission: ['sms']"]}),
    ],
)
def test_changes_that_are_refused(
    admin: AdminClient, service: Service, changes: dict[str, Any], message: dict[str, Any]
) -> None:
    before = admin.get(f"/service/{service.id}")
    assert admin.post(f"/service/{service.id}", changes, status=400)["message"] == message
    assert admin.get(f"/service/{service.id}") == before


@pytest.mark.parametrize(
    "changes",
    [
        {"email_branding": "green"},
        {"email_branding": ""},
        {"letter_branding": str(uuid4())},
        {"organisation": str(uuid4())},
        {"created_by": str(uuid4())},
        {"volume_sms": 2**40},
    ],
)
def test_changes_to_what_is_not_there(admin: AdminClient, service: Service, changes: dict[str, Any]) -> None:
    assert admin.post(f"/service/{service.id}", changes, status=404)["message"] == "No result found"


def test_an_unknown_service_is_not_found_before_its_body_is_read(admin: AdminClient) -> None:
    path = f"/service/{uuid4()}"
    assert admin.get(path, status=404)["message"] == "No result found"
    assert admin.post(path, {"name": None}, status=404)["message"] == "No result found"
    assert admin.post(f"{path}/archive", status=404)["message"] == "No result found"


def test_archiving_frees_the_name_and_revokes_the_keys(admin: AdminClient, factory: Factory, service: Service) -> None:
    factory.api_key(service)
    path = f"/service/{service.id}"
    assert admin.post(f"{path}/archive", status=204) is None
    archived = admin.get(path)["data"]
    assert archived["active"] is False
    assert archived["name"].startswith("_archived_2")
    assert archived["name"].endswith(f"_{service.name}")
    assert [key["expiry_date"] is None for key in admin.get(f"{path}/api-keys")["apiKeys"]] == [False]
    assert admin.post(f"{path}/archive", status=204) is None
    assert admin.get(path)["data"] == archived
    member = factory.user()
    assert admin.post("/service", _new(member, name=service.name), status=201)["data"]["name"] == service.name
