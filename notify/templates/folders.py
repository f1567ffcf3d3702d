"""Folders of templates, and the members who can see them (contract: internal-users-orgs-templates 6). Every function
flushes; the caller's transaction commits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, Uuid, delete, exists, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, insert
from sqlalchemy.orm import Session

from notify.accounts.models import FolderUser, ServiceUser, User
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_public_id
from notify.templates.errors import CannotMoveError, FolderNotEmptyError, UnknownFolderError
from notify.templates.models import Template, TemplateFolder, TemplateFolderMap
from notify.templates.rules import check_service


class Folder(NamedTuple):
    """A folder, and the members of the service who can see it."""

    id: UUID
    name: str
    parent_id: UUID | None
    service_id: UUID
    users_with_permission: list[UUID]


def list_folders(session: Session, service_id: UUID) -> list[Folder]:
    """A service's folders, by name. Raises `NotFoundProblemError` (no such service)."""
    check_service(session, service_id)
    rows = session.execute(_folders(service_id).order_by(TemplateFolder.name, TemplateFolder.id))
    return [Folder(*row) for row in rows]


def create_folder(session: Session, service_id: UUID, name: str, parent_id: UUID | None) -> Folder:
    """Create a folder. It is visible to everyone who can see its parent; at the top level to all active members.

    Raises `NotFoundProblemError` (no such service), `UnknownFolderError` (no such parent).
    """
    check_service(session, service_id)
    if parent_id is not None:
        try:
            _lock(session, service_id, parent_id)
        except NotFoundProblemError:
            raise UnknownFolderError("parent_id") from None
    folder = TemplateFolder(id=new_public_id(), service_id=service_id, name=name.strip(), parent_id=parent_id)
    session.add(folder)
    session.flush()
    if parent_id is None:
        members = (
            select(ServiceUser.user_id)
            .join(User, User.id == ServiceUser.user_id)
            .where(ServiceUser.service_id == service_id, User.state == "active")
        )
    else:
        members = select(FolderUser.user_id).where(FolderUser.template_folder_id == parent_id)
    rows = members.add_columns(literal(folder.id, Uuid), literal(service_id, Uuid))
    session.execute(insert(FolderUser).from_select(["user_id", "template_folder_id", "service_id"], rows))
    return _get(session, service_id, folder.id)


def change_folder(
    session: Session, service_id: UUID, folder_id: UUID, name: str, user_ids: Collection[UUID] | None
) -> Folder:
    """Rename a folder, and replace the members who can see it unless `user_ids` is None.

    Raises `NotFoundProblemError`: no such folder, or a user who is not a member of the service.
    """
    folder = _lock(session, service_id, folder_id)
    folder.name = name
    session.flush()
    if user_ids is not None:
        wanted = set(user_ids)
        members = select(ServiceUser.user_id).where(
            ServiceUser.service_id == service_id, ServiceUser.user_id.in_(wanted)
        )
        # locked until the end, because leaving the service deletes the permissions first
        if len(session.scalars(members.with_for_update(read=True, key_share=True)).all()) < len(wanted):
            raise NotFoundProblemError
        session.execute(delete(FolderUser).where(FolderUser.template_folder_id == folder_id))
        session.add_all(
            FolderUser(user_id=user_id, template_folder_id=folder_id, service_id=service_id) for user_id in wanted
        )
        session.flush()
    return _get(session, service_id, folder_id)


def delete_folder(session: Session, service_id: UUID, folder_id: UUID) -> None:
    """Delete a folder that is empty. Raises `NotFoundProblemError`, `FolderNotEmptyError`."""
    folder = _lock(session, service_id, folder_id)
    has_folders = exists().where(TemplateFolder.parent_id == folder_id)
    has_templates = exists().where(TemplateFolderMap.template_folder_id == folder_id)
    if session.scalar(select(has_folders | has_templates)):
        raise FolderNotEmptyError
    session.execute(delete(FolderUser).where(FolderUser.template_folder_id == folder_id))
    session.delete(folder)
    session.flush()


def move(
    session: Session,
    service_id: UUID,
    target_id: UUID | None,
    *,
    folder_ids: Collection[UUID],
    template_ids: Collection[UUID],
) -> None:
    """Move folders and templates into a folder, or to the top level (`target_id` None). Archived templates are not
    moved; no template gets a new version; the folders stay visible to the same members.

    Raises `NotFoundProblemError` (no such target), `CannotMoveError`.
    """
    own = select(TemplateFolder).where(TemplateFolder.service_id == service_id).order_by(TemplateFolder.id)
    # all of them are locked, so that two concurrent moves cannot create a cycle
    folders = {folder.id: folder for folder in session.scalars(own.with_for_update())}
    if target_id is not None and target_id not in folders:
        raise NotFoundProblemError
    for folder_id in folder_ids:
        if folder_id not in folders:
            raise CannotMoveError(f"No folder found with id {folder_id} for service {service_id}")
        if folder_id == target_id:
            raise CannotMoveError("You cannot move a folder to itself")
        if folder_id in _ancestors(folders, target_id):
            raise CannotMoveError("You cannot move a folder to one of its subfolders")
        folders[folder_id].parent_id = target_id
    session.flush()
    _move_templates(session, service_id, target_id, template_ids)


def _move_templates(session: Session, service_id: UUID, target_id: UUID | None, template_ids: Collection[UUID]) -> None:
    own = select(Template.id, Template.archived).where(
        Template.id.in_(template_ids), Template.service_id == service_id, Template.hidden.is_(False)
    )
    found: dict[UUID, bool] = {
        row.id: row.archived for row in session.execute(own.order_by(Template.id).with_for_update())
    }
    for template_id in template_ids:
        if template_id not in found:
            raise CannotMoveError(
                f"Could not move to folder: No template found with id {template_id} for service {service_id}"
            )
    moved = [template_id for template_id, is_archived in found.items() if not is_archived]
    session.execute(delete(TemplateFolderMap).where(TemplateFolderMap.template_id.in_(moved)))
    if target_id is not None and moved:
        places = [{"template_id": template_id, "template_folder_id": target_id} for template_id in moved]
        session.execute(insert(TemplateFolderMap), places)


def _ancestors(folders: Mapping[UUID, TemplateFolder], folder_id: UUID | None) -> set[UUID]:
    """The folder and its ancestors."""
    found: set[UUID] = set()
    while folder_id is not None and folder_id not in found:
        found.add(folder_id)
        folder_id = folders[folder_id].parent_id
    return found


def _lock(session: Session, service_id: UUID, folder_id: UUID) -> TemplateFolder:
    folder = session.get(TemplateFolder, folder_id, with_for_update=True)
    if folder is None or folder.service_id != service_id:
        raise NotFoundProblemError
    return folder


def _get(session: Session, service_id: UUID, folder_id: UUID) -> Folder:
    return Folder(*session.execute(_folders(service_id).where(TemplateFolder.id == folder_id)).one())


def _folders(service_id: UUID) -> Select[UUID, str, UUID | None, UUID, list[UUID]]:
    users = (
        select(func.array_agg(aggregate_order_by(FolderUser.user_id, User.created_at, User.id)))
        .join(User, User.id == FolderUser.user_id)
        .where(FolderUser.template_folder_id == TemplateFolder.id)
        .scalar_subquery()
    )
    return select(
        TemplateFolder.id,
        TemplateFolder.name,
        TemplateFolder.parent_id,
        TemplateFolder.service_id,
        func.coalesce(users, literal([], ARRAY(Uuid))),
    ).where(TemplateFolder.service_id == service_id)
