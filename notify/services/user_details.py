"""Users with their active services, their organisations and permissions (contract: internal-users 1.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, String, cast, func, select
from sqlalchemy.orm import Session

from notify.accounts.models import OrganisationUser, OrganisationUserPermission, Permission, ServiceUser, User
from notify.accounts.queries import get_user
from notify.organisations.models import Organisation
from notify.services.models import NOTIFY_SERVICE_ID, Service

AUTH_WITH_KEYS = "webauthn_auth"


@dataclass(slots=True)
class Memberships:
    """The memberships of a user. Services and `organisations` are active ones; `organisation_permissions` has a key for
    each organisation, also archived ones. Services without a permission are not in `permissions`.
    """

    services: list[UUID] = field(default_factory=list)
    service_names: list[str] = field(default_factory=list)
    permissions: dict[UUID, list[str]] = field(default_factory=dict)
    organisations: list[UUID] = field(default_factory=list)
    organisation_permissions: dict[UUID, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UserDetails:
    """A user for the internal API. By `password_changed_at` the admin app knows that a reset link was used."""

    id: UUID
    name: str
    email_address: str
    created_at: datetime
    auth_type: str
    current_session_id: UUID | None
    failed_login_count: int
    email_access_validated_at: datetime
    logged_in_at: datetime | None
    mobile_number: str | None
    password_changed_at: datetime
    platform_admin: bool
    state: str
    take_part_in_research: bool
    receives_new_features_email: bool
    organisations: list[UUID]
    permissions: dict[UUID, list[str]]
    organisation_permissions: dict[UUID, list[str]]
    services: list[UUID]
    service_names: list[str]
    """The names of `services`, in the same order."""
    can_use_webauthn: bool


class OwnOrganisation(NamedTuple):
    """An active organisation of a user, with the number of its services that are active and live."""

    id: UUID
    name: str
    count_of_live_services: int


class OwnService(NamedTuple):
    """An active service of a user."""

    id: UUID
    name: str
    restricted: bool
    organisation: UUID | None


def user_details(session: Session, user_id: UUID) -> UserDetails:
    """A user. Raises `NotFoundProblemError`."""
    return details_of(session, [get_user(session, user_id)])[0]


def details_of(session: Session, users: Sequence[User]) -> list[UserDetails]:
    """The details of users, in the same order, with four queries in total."""
    memberships = _memberships(session, [user.id for user in users])
    return [_details(user, memberships[user.id]) for user in users]


def members_of_service(session: Session, service_id: UUID) -> list[UserDetails]:
    """The users of a service, the earliest created first; an unknown service has none."""
    return details_of(session, _users(session, _all_members(ServiceUser.user_id, ServiceUser.service_id, service_id)))


def members_of_organisation(session: Session, organisation_id: UUID) -> list[UserDetails]:
    """The active users of an organisation, the earliest created first; an unknown organisation has none."""
    members = _all_members(OrganisationUser.user_id, OrganisationUser.organisation_id, organisation_id)
    return details_of(session, _users(session, members.where(User.state == "active")))


def _all_members(user_id: object, group_column: object, group_id: UUID) -> Select[User]:
    return select(User).where(User.id.in_(select(user_id).where(group_column == group_id)))  # type: ignore[call-overload]


def _users(session: Session, query: Select[User]) -> Sequence[User]:
    return session.scalars(query.order_by(User.created_at, User.id)).all()


def own_organisations(session: Session, user_id: UUID) -> list[OwnOrganisation]:
    """A user's active organisations, by name."""
    live = (
        select(func.count())
        .where(Service.organisation_id == Organisation.id, Service.active, ~Service.restricted)
        .scalar_subquery()
    )
    query = (
        select(Organisation.id, Organisation.name, live)
        .join(OrganisationUser, OrganisationUser.organisation_id == Organisation.id)
        .where(OrganisationUser.user_id == user_id, Organisation.active)
        .order_by(Organisation.name)
    )
    return [OwnOrganisation(*row) for row in session.execute(query)]


def own_services(session: Session, user_id: UUID) -> list[OwnService]:
    """A user's active services, by name."""
    query = (
        select(Service.id, Service.name, Service.restricted, Service.organisation_id)
        .join(ServiceUser, ServiceUser.service_id == Service.id)
        .where(ServiceUser.user_id == user_id, Service.active)
        .order_by(Service.name)
    )
    return [OwnService(*row) for row in session.execute(query)]


def _memberships(session: Session, user_ids: Sequence[UUID]) -> defaultdict[UUID, Memberships]:
    found: defaultdict[UUID, Memberships] = defaultdict(Memberships)
    wanted = list(user_ids)
    services = (
        select(ServiceUser.user_id, Service.id, Service.name)
        .join(Service, Service.id == ServiceUser.service_id)
        .where(ServiceUser.user_id == func.any(wanted), Service.active)
        .order_by(Service.name)
    )
    for user_id, service_id, name in session.execute(services):
        found[user_id].services.append(service_id)
        found[user_id].service_names.append(name)
    permissions = (
        select(Permission.user_id, Service.id, cast(Permission.permission, String))
        .join(Service, Service.id == Permission.service_id)
        .where(Permission.user_id == func.any(wanted), Service.active)
        .order_by(cast(Permission.permission, String))
    )
    for user_id, service_id, permission in session.execute(permissions):
        found[user_id].permissions.setdefault(service_id, []).append(permission)
    _add_organisations(session, wanted, found)
    return found


def _add_organisations(session: Session, user_ids: list[UUID], found: defaultdict[UUID, Memberships]) -> None:
    organisations = (
        select(OrganisationUser.user_id, Organisation.id, Organisation.active)
        .join(Organisation, Organisation.id == OrganisationUser.organisation_id)
        .where(OrganisationUser.user_id == func.any(user_ids))
        .order_by(Organisation.name)
    )
    for user_id, organisation_id, active in session.execute(organisations):
        found[user_id].organisation_permissions[organisation_id] = []
        if active:
            found[user_id].organisations.append(organisation_id)
    permissions = (
        select(
            OrganisationUserPermission.user_id,
            Organisation.id,
            cast(OrganisationUserPermission.permission, String),
        )
        .join(Organisation, Organisation.id == OrganisationUserPermission.organisation_id)
        .where(OrganisationUserPermission.user_id == func.any(user_ids), Organisation.active)
        .order_by(OrganisationUserPermission.permission)
    )
    for user_id, organisation_id, permission in session.execute(permissions):
        found[user_id].organisation_permissions.setdefault(organisation_id, []).append(permission)


def _details(user: User, memberships: Memberships) -> UserDetails:
    with_keys = user.platform_admin or user.auth_type == AUTH_WITH_KEYS
    return UserDetails(
        id=user.id,
        name=user.name,
        email_address=user.email_address,
        created_at=user.created_at,
        auth_type=user.auth_type,
        current_session_id=user.current_session_id,
        failed_login_count=user.failed_login_count,
        email_access_validated_at=user.email_access_validated_at,
        logged_in_at=user.logged_in_at,
        mobile_number=user.mobile_number,
        password_changed_at=user.password_changed_at,
        platform_admin=user.platform_admin,
        state=user.state,
        take_part_in_research=user.take_part_in_research,
        receives_new_features_email=user.receives_new_features_email,
        organisations=memberships.organisations,
        permissions=memberships.permissions,
        organisation_permissions=memberships.organisation_permissions,
        services=memberships.services,
        service_names=memberships.service_names,
        can_use_webauthn=with_keys or NOTIFY_SERVICE_ID in memberships.services,
    )
