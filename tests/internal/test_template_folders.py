from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory


def folder(admin: AdminClient, service: Service, name: str = "A", parent: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = admin.post(
        f"/service/{service.id}/template-folder", {"name": name, "parent_id": parent}, status=201
    )["data"]
    return made


def test_who_sees_a_folder(admin: AdminClient, factory: Factory, service: Service) -> None:
    path = f"/service/{service.id}/template-folder"
    top = folder(admin, service)
    assert top["users_with_permission"] == [str(service.created_by_id)]
    hidden = admin.post(f"{path}/{top['id']}", {"name": "A", "users_with_permission": []})["data"]
    assert hidden["users_with_permission"] == []
    assert folder(admin, service, parent=top["id"])["users_with_permission"] == []
    stranger = factory.user()
    body = {"name": "B", "users_with_permission": [str(service.created_by_id), str(stranger.id)]}
    assert admin.post(f"{path}/{top['id']}", body, status=404)["message"] == "No result found"
    assert admin.get(path)["template_folders"][0]["name"] == "A"  # nothing of it was done


def test_folders_of_no_service_and_no_parent(admin: AdminClient, factory: Factory, service: Service) -> None:
    body = {"name": "A", "parent_id": None}
    assert admin.post(f"/service/{uuid4()}/template-folder", body, status=404)["message"] == "No result found"
    theirs = folder(admin, factory.service())["id"]
    for parent in (theirs, str(uuid4())):
        answer = admin.post(f"/service/{service.id}/template-folder", body | {"parent_id": parent}, status=400)
        assert answer["message"] == "parent_id not found"


def test_only_an_empty_folder_is_deleted(admin: AdminClient, factory: Factory, service: Service) -> None:
    path = f"/service/{service.id}/template-folder"
    top = folder(admin, service)["id"]
    inner = folder(admin, service, parent=top)["id"]
    template = str(factory.template(service).id)
    admin.post(f"{path}/{inner}/contents", {"templates": [template, template], "folders": []}, status=204)
    for full in (top, inner):
        assert admin.delete(f"{path}/{full}", status=400)["message"] == "Folder is not empty"
    admin.post(f"{path}/contents", {"templates": [template], "folders": []}, status=204)
    admin.delete(f"{path}/{inner}", status=204)
    admin.delete(f"{path}/{top}", status=204)
    assert admin.get(path) == {"template_folders": []}


def test_a_folder_cannot_go_below_itself(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/template-folder"
    top = folder(admin, service)["id"]
    middle = folder(admin, service, parent=top)["id"]
    bottom = folder(admin, service, parent=middle)["id"]

    def refused(target: str, *folders: str) -> str:
        body = {"templates": [], "folders": list(folders)}
        message: str = admin.post(f"{path}/{target}/contents", body, status=400)["message"]
        return message

    assert refused(top, top) == "You cannot move a folder to itself"
    assert refused(bottom, top) == "You cannot move a folder to one of its subfolders"
    other = folder(admin, service, "Other")["id"]
    assert refused(bottom, other, middle) == "You cannot move a folder to one of its subfolders"
    parents = {row["id"]: row["parent_id"] for row in admin.get(path)["template_folders"]}
    assert parents == {top: None, middle: top, bottom: middle, other: None}


def test_two_moves_at_the_same_time_make_no_circle(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/template-folder"
    one, two = folder(admin, service)["id"], folder(admin, service)["id"]

    def move(pair: tuple[str, str]) -> int:
        body = {"templates": [], "folders": [pair[0]]}
        return admin.call("POST", f"{path}/{pair[1]}/contents", body=body).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(move, [(one, two), (two, one)])) == [204, 400]


def test_what_is_not_the_services_is_not_moved(admin: AdminClient, factory: Factory, service: Service) -> None:
    path = f"/service/{service.id}/template-folder"
    own, hidden = factory.template(service), admin.get(f"/service/{service.id}/template/precompiled")["id"]
    target = folder(admin, service)["id"]
    for wrong in (str(factory.template(factory.service()).id), hidden):
        body = {"templates": [str(own.id), wrong], "folders": []}
        assert admin.post(f"{path}/{target}/contents", body, status=400)["message"] == (
            f"Could not move to folder: No template found with id {wrong} for service {service.id}"
        )
    assert admin.get(f"/service/{service.id}/template/{own.id}")["data"]["folder"] is None
