"""Creates or overwrites users of functional tests, in one service and at most one organisation (contract:
internal-users 11).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from notify.accounts.actions import UserChanges, add_to_service, create_user, set_password, update_user
from notify.accounts.models import OrganisationUser, OrganisationUserPermission
from notify.accounts.queries import user_by_email
from notify.infra.errors import NotFoundProblemError
from notify.infra.times import utc_now
from notify.services.models import Service
from notify.teams.organisation_members import add_member


class FunctionalUser(NamedTuple):
    """The wanted state of a user."""

    name: str
    email_address: str
    mobile_number: str | None
    auth_type: str
    password: str
    state: str
    permissions: Sequence[str]
    service_id: UUID
    organisation_id: UUID | None = None


def set_user(session: Session, wanted: FunctionalUser) -> None:
    """Create a user, or overwrite the one with the email address; never as a platform admin. Raises what `create_user`
    and `add_to_service` raise, and `NotFoundProblemError` (no such service or organisation).
    """
    if session.scalar(select(Service.id).where(Service.id == wanted.service_id)) is None:
        raise NotFoundProblemError
    user = user_by_email(session, wanted.email_address)
    if user is None:
        user = create_user(
            session,
            name=wanted.name,
            email_address=wanted.email_address,
            password=wanted.password,
            mobile_number=wanted.mobile_number,
            auth_type=wanted.auth_type,
        )
    changes: UserChanges = {
        "name": wanted.name,
        "mobile_number": wanted.mobile_number,
        "auth_type": wanted.auth_type,
        "email_access_validated_at": utc_now(),
        "platform_admin": False,
    }
    update_user(session, user, **changes)
    user.state = wanted.state
    set_password(user, wanted.password)
    add_to_service(session, user.id, wanted.service_id, wanted.permissions)
    for table in (OrganisationUserPermission, OrganisationUser):
        session.execute(delete(table).where(table.user_id == user.id))
    session.expire_all()
    if wanted.organisation_id is not None:
        add_member(session, wanted.organisation_id, user.id, [])
