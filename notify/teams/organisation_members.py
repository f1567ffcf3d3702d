"""Members of organisations (contract: internal-users-orgs-templates 4.3). Every function flushes."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from notify.accounts.models import OrganisationUser, OrganisationUserPermission
from notify.accounts.queries import get_user
from notify.services.errors import NoMemberError
from notify.services.members import set_organisation_permissions
from notify.services.organisations import lock_organisation


def add_member(session: Session, organisation_id: UUID, user_id: UUID, permissions: Collection[str]) -> None:
    """Make a user a member of an organisation with these permissions. Replaces the permissions of an existing member.

    Raises `NotFoundProblemError` (no such organisation, user or permission).
    """
    lock_organisation(session, organisation_id)
    get_user(session, user_id)
    session.merge(OrganisationUser(user_id=user_id, organisation_id=organisation_id))
    set_organisation_permissions(session, organisation_id, user_id, permissions)


def remove_member(session: Session, organisation_id: UUID, user_id: UUID) -> None:
    """Remove a user from an organisation. Raises `NotFoundProblemError` (no such organisation or user),
    `NoMemberError`.
    """
    lock_organisation(session, organisation_id)
    get_user(session, user_id)
    membership = session.get(OrganisationUser, (user_id, organisation_id))
    if membership is None:
        raise NoMemberError
    permission = OrganisationUserPermission
    session.execute(
        delete(permission).where(permission.user_id == user_id, permission.organisation_id == organisation_id)
    )
    session.delete(membership)
    session.flush()
