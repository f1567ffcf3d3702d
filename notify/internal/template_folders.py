"""Folders of templates, and the users who can see them (contract: internal-users-orgs-templates 6)."""

from __future__ import annotations

from uuid import UUID

from pydantic import MISSING
from sqlalchemy.orm import Session

from notify.internal.fields import NonEmpty, Uuid
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data
from notify.templates import folders

routes = Routes("template_folders", "/service/<uuid:service_id>/template-folder")


class NewFolder(Body):
    """A folder to create; at the top level without a parent."""

    name: NonEmpty
    parent_id: Uuid | None


class ChangedFolder(Body):
    """A folder's name, and the users who can see it."""

    name: NonEmpty
    users_with_permission: list[Uuid] | MISSING = MISSING


class Contents(Body):
    """The templates and folders to move."""

    templates: list[Uuid]
    folders: list[Uuid]


class FolderAnswer(Answer):
    """A folder, and the members of the service who can see it."""

    id: UUID
    name: str
    parent_id: UUID | None
    service_id: UUID
    users_with_permission: list[UUID]


class FoldersAnswer(Answer):
    """A service's folders."""

    template_folders: list[FolderAnswer]


@routes.get("")
def list_folders(session: Session, service_id: UUID) -> FoldersAnswer:
    """List a service's template folders."""
    return FoldersAnswer(template_folders=FolderAnswer.of_each(folders.list_folders(session, service_id)))


@routes.post("", status=201)
def create_folder(session: Session, service_id: UUID, body: NewFolder) -> Data[FolderAnswer]:
    """Create a template folder."""
    return Data(data=FolderAnswer.of(folders.create_folder(session, service_id, body.name, body.parent_id)))


@routes.post("/<uuid:template_folder_id>")
def change_folder(
    session: Session, service_id: UUID, template_folder_id: UUID, body: ChangedFolder
) -> Data[FolderAnswer]:
    """Rename a template folder, and choose who can see it."""
    users = body.given().get("users_with_permission")
    return Data(data=FolderAnswer.of(folders.change_folder(session, service_id, template_folder_id, body.name, users)))


@routes.delete("/<uuid:template_folder_id>")
def delete_folder(session: Session, service_id: UUID, template_folder_id: UUID) -> None:
    """Delete an empty template folder."""
    folders.delete_folder(session, service_id, template_folder_id)


@routes.post("/contents")
def move_to_top(session: Session, service_id: UUID, body: Contents) -> None:
    """Move templates and folders out of all folders."""
    folders.move(session, service_id, None, folder_ids=body.folders, template_ids=body.templates)


@routes.post("/<uuid:target_template_folder_id>/contents")
def move_to_folder(session: Session, service_id: UUID, target_template_folder_id: UUID, body: Contents) -> None:
    """Move templates and folders into a folder."""
    folders.move(session, service_id, target_template_folder_id, folder_ids=body.folders, template_ids=body.templates)
