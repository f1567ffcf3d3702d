from __future__ import annotations

from uuid import uuid4

from notify.services.models import Service
from tests.internal.admin import AdminClient, schema_faults


def test_a_guest_list_is_replaced_as_typed(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/guest-list"
    assert admin.get(path) == {"email_addresses": [], "phone_numbers": []}
    guests = {"email_addresses": ["Guest@Example.gov.uk"], "phone_numbers": ["07700 900123", "+33 6 12 34 56 78"]}
    assert admin.put(path, guests, status=204) is None
    assert admin.get(path) == guests
    for phone_numbers, email_addresses, wrong in (
        (["07700900123", "123"], ["nobody"], "123"),
        (["020 7946 0991"], [], "020 7946 0991"),
        ([], ["nobody"], "nobody"),
    ):
        answer = admin.put(path, {"phone_numbers": phone_numbers, "email_addresses": email_addresses}, status=400)
        assert answer["message"] == f'Invalid guest list: "{wrong}" is not a valid email address or phone number'
    assert admin.get(path) == guests


def test_wrong_guest_lists(admin: AdminClient, service: Service) -> None:
    assert schema_faults(admin.put(f"/service/{service.id}/guest-list", {}, status=400)) == [
        "email_addresses is a required property",
        "phone_numbers is a required property",
    ]
    empty: dict[str, list[str]] = {"phone_numbers": [], "email_addresses": []}
    assert admin.put(f"/service/{uuid4()}/guest-list", empty, status=404)["message"] == "No result found"
    assert admin.get(f"/service/{uuid4()}/guest-list", status=404)["message"] == "No result found"
