"""The folders of templates that members of a service can see (contract: internal-users 1.5)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from notify.accounts.models import FolderUser
from notify.infra.errors import NotFoundProblemError
from notify.infra.validation import parse_uuid
from notify.templates.models import TemplateFolder


def set_folders_of_member(session: Session, service_id: UUID, user_id: UUID, folder_ids: Iterable[str]) -> None:
    """Replace the folders that a member can see. Raises `NotFoundProblemError` if the service lacks one of them."""
    wanted = [_as_uuid(folder_id) for folder_id in folder_ids]
    found = _existing(session, service_id, wanted)
    if not set(wanted).issubset(found):
        raise NotFoundProblemError
    session.execute(delete(FolderUser).where(FolderUser.user_id == user_id, FolderUser.service_id == service_id))
    _add(session, service_id, user_id, found)


def add_folders_of_member(session: Session, service_id: UUID, user_id: UUID, folder_ids: Iterable[str]) -> None:
    """Let a new member see these folders; those that the service does not have are ignored."""
    _add(session, service_id, user_id, _existing(session, service_id, map(_as_uuid, folder_ids)))


def _existing(session: Session, service_id: UUID, folder_ids: Iterable[UUID | None]) -> list[UUID]:
    ids = {folder_id for folder_id in folder_ids if folder_id is not None}
    query = select(TemplateFolder.id).where(TemplateFolder.service_id == service_id, TemplateFolder.id.in_(ids))
    return list(session.scalars(query.order_by(TemplateFolder.id).with_for_update(key_share=True, read=True)))


def _as_uuid(text: str) -> UUID | None:
    try:
        return parse_uuid(text)
    except ValueError:
        return None


def _add(session: Session, service_id: UUID, user_id: UUID, folder_ids: Iterable[UUID]) -> None:
    session.add_all(
        FolderUser(user_id=user_id, service_id=service_id, template_folder_id=folder_id) for folder_id in folder_ids
    )
    session.flush()
