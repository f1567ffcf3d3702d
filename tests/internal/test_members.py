"""Members of services and what they may do."""

from __future__ import annotations

from uuid import uuid4

from notify.services.members import add_member
from notify.services.models import Service
from notify.templates.models import TemplateFolder
from tests.internal.admin import AdminClient, Factory, schema_faults


def test_permissions_and_folders_of_a_member(admin: AdminClient, factory: Factory, service: Service) -> None:
    user = factory.user()
    folder = factory.row(TemplateFolder(name="Spring", service_id=service.id))
    path = f"/user/{user.id}/service/{service.id}/permission"
    assert admin.post(path, {}, status=404)["message"] == "No result found"
    with admin.parts.database.transaction() as session:
        add_member(session, service.id, user.id, ["view_activity"])
    body = {"permissions": [{"permission": "send_texts"}], "folder_permissions": [str(folder.id)]}
    admin.post(path, body, status=204)
    assert admin.get(f"/user/{user.id}")["data"]["permissions"] == {str(service.id): ["send_texts"]}
    for wrong in (
        {"permissions": [{"permission": "fly"}]},
        {"permissions": [], "folder_permissions": [str(uuid4())]},
        {"permissions": [], "folder_permissions": ["spring"]},
    ):
        assert admin.post(path, wrong, status=404)["message"] == "No result found"
    assert admin.get(f"/user/{user.id}")["data"]["permissions"] == {str(service.id): ["send_texts"]}
    faults = schema_faults(admin.post(path, {"permissions": [{}, 1], "folder_permissions": [1]}, status=400))
    assert faults == [
        "permissions permission is a required property",
        "permissions 1 is not of type object",
        "folder_permissions 1 is not of type string",
    ]
    assert len(admin.get(f"/service/{service.id}/users")["data"]) == 2
    admin.delete(f"/service/{service.id}/users/{user.id}", status=204)
    assert admin.delete(f"/service/{service.id}/users/{user.id}", status=404)["message"] == "User not found"
    assert admin.delete(f"/service/{service.id}/users/vic", status=404)["message"] == "No result found"
    assert admin.get(f"/service/{uuid4()}/users", status=404)["message"] == "No result found"


def test_permissions_in_an_organisation(admin: AdminClient, factory: Factory) -> None:
    user, organisation = factory.user(), factory.organisation()
    path = f"/user/{user.id}/organisation/{organisation.id}/permissions"
    admin.post(path, {"permissions": [{"permission": "can_make_services_live"}]}, status=204)
    assert admin.post(path, {"permissions": [{"permission": "fly"}]}, status=404)["message"] == "No result found"
    faults = schema_faults(admin.post(path, {"permissions": [{"permission": 5}]}, status=400))
    assert faults == ["permissions 5 is not of type string"]
    admin.post(path, {"permissions": []}, status=204)
    admin.post(f"/user/{uuid4()}/organisation/{organisation.id}/permissions", {"permissions": []}, status=404)
    admin.post(f"/user/{user.id}/organisation/{uuid4()}/permissions", {"permissions": []}, status=404)
