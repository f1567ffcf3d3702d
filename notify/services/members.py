"""Members of services: permissions, and rules for leaving (contract: internal-users 1.5). Every function flushes; the
caller's transaction commits.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from notify.accounts.actions import add_to_service, set_password
from notify.accounts.models import (
    FolderUser,
    OrganisationUser,
    OrganisationUserPermission,
    Permission,
    ServiceUser,
    User,
)
from notify.accounts.queries import get_user, lock_user, permissions_in_service, user_by_email
from notify.infra.errors import NotFoundProblemError
from notify.organisations.models import Domain, Organisation
from notify.services.errors import (
    MemberAlreadyError,
    MemberNeededError,
    MemberNeededSomewhereError,
    NoMemberError,
    TooFewManagersError,
)
from notify.services.models import Service
from notify.services.service import lock_service
from notify.vocabulary import ORGANISATION_USER_PERMISSIONS, USER_PERMISSIONS

MANAGE: Final = "manage_settings"
ARCHIVED_NAME: Final = "Archived user"
GSI_ENDING: Final = ".gsi.gov.uk"
NO_SESSION: Final = UUID(int=0)

GOVERNMENT_DOMAINS: Final = (
    "gov.uk",
    "nhs.uk",
    "nhs.net",
    "nhs.scot",
    "police.uk",
    "cjsm.net",
    "sch.uk",
    "hscni.net",
    "llyw.cymru",
    "nhs.wales",
    "judiciary.uk",
    "kirkleeseducation.uk",
)
"""Addresses at and below these domains are government addresses (internal-users 0)."""


def add_member(session: Session, service_id: UUID, user_id: UUID, permissions: Collection[str]) -> None:
    """Add a member to a service. Raises `NotFoundProblemError` (no such user, service or permission),
    `MemberAlreadyError`.
    """
    lock_service(session, service_id)
    check_no_member(session, service_id, user_id)
    _check_permissions(permissions)
    add_to_service(session, user_id, service_id, permissions)


def check_no_member(session: Session, service_id: UUID, user_id: UUID) -> None:
    """Raise `NotFoundProblemError` (no such user or service) or `MemberAlreadyError`."""
    if session.get(Service, service_id) is None:
        raise NotFoundProblemError
    get_user(session, user_id)
    if is_member(session, service_id, user_id):
        raise MemberAlreadyError(user_id, service_id)


def is_member(session: Session, service_id: UUID, user_id: UUID) -> bool:
    """Whether a user belongs to a service."""
    return session.get(ServiceUser, (user_id, service_id)) is not None


def set_member_permissions(session: Session, service_id: UUID, user_id: UUID, permissions: Collection[str]) -> None:
    """Replace the permissions of a member of a service. Raises `NotFoundProblemError` (no member, no such permission),
    `TooFewManagersError`.
    """
    service = lock_service(session, service_id)
    if not is_member(session, service_id, user_id):
        raise NotFoundProblemError
    if MANAGE not in permissions and _is_needed_to_manage(session, service, get_user(session, user_id)):
        raise TooFewManagersError
    _check_permissions(permissions)
    add_to_service(session, user_id, service_id, permissions)


def _check_permissions(permissions: Collection[str]) -> None:
    if not set(permissions).issubset(USER_PERMISSIONS):
        raise NotFoundProblemError


def remove_member(session: Session, service_id: UUID, user_id: UUID) -> None:
    """Remove a member from a service. Raises `NotFoundProblemError` (no such user or service), `NoMemberError`,
    `MemberNeededError`.
    """
    user = get_user(session, user_id)
    service = lock_service(session, service_id)
    if not is_member(session, service_id, user_id):
        raise NoMemberError
    if not can_leave(session, service, user):
        raise MemberNeededError
    for table in (FolderUser, Permission, ServiceUser):
        session.execute(delete(table).where(table.user_id == user_id, table.service_id == service_id))


def can_leave(session: Session, service: Service, user: User) -> bool:
    """Whether a service has enough members and managers without this one."""
    active = session.scalar(
        select(func.count())
        .select_from(ServiceUser)
        .join(User, User.id == ServiceUser.user_id)
        .where(ServiceUser.service_id == service.id, User.state == "active")
    )
    return active != 1 and not _is_needed_to_manage(session, service, user)


def _is_needed_to_manage(session: Session, service: Service, user: User) -> bool:
    """Whether a service would have too few managers with government addresses without this user."""
    if MANAGE not in permissions_in_service(session, user.id, service.id):
        return False
    if not _government_addresses(session, [user.email_address]):
        return False
    managers = session.scalars(
        select(User.email_address)
        .join(Permission, Permission.user_id == User.id)
        .where(Permission.service_id == service.id, Permission.permission == MANAGE, User.state == "active")
    ).all()
    least = 1 if service.restricted and not service.has_active_go_live_request else 2
    return len(_government_addresses(session, managers)) - 1 < least


def is_government_address(session: Session, email_address: str) -> bool:
    """Whether an address is at or below a government domain, or the domain of any organisation."""
    return bool(_government_addresses(session, [email_address]))


def _government_addresses(session: Session, addresses: Collection[str]) -> list[str]:
    hosts = {address: _domains_above(address) for address in addresses}
    candidates = {domain for domains in hosts.values() for domain in domains}
    known = set(session.scalars(select(Domain.domain).where(Domain.domain.in_(candidates))))
    known.update(GOVERNMENT_DOMAINS)
    return [address for address in addresses if not known.isdisjoint(hosts[address])]


def _domains_above(email_address: str) -> list[str]:
    labels = email_address.rpartition("@")[2].lower().split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def archive_user(session: Session, user_id: UUID, *, email_domain: str, now: datetime) -> None:
    """Archive a user (contract: internal-users 1.2): signs them out, removes all memberships, prevents sign-in, and
    frees their address. Raises `NotFoundProblemError`, `MemberNeededSomewhereError`.
    """
    user = lock_user(session, user_id)
    services = session.scalars(
        select(Service)
        .join(ServiceUser, ServiceUser.service_id == Service.id)
        .where(ServiceUser.user_id == user_id, Service.active)
        .order_by(Service.id)
        .with_for_update(of=Service)
    ).all()
    if not all(can_leave(session, service, user) for service in services):
        raise MemberNeededSomewhereError
    for table in (FolderUser, Permission, ServiceUser, OrganisationUserPermission, OrganisationUser):
        session.execute(delete(table).where(table.user_id == user_id))
    user.name = ARCHIVED_NAME
    user.email_address = f"_archived_{now:%Y-%m-%d-%H:%M:%S}_{user_id}@{email_domain}"
    user.auth_type = "email_auth"
    user.mobile_number = None
    set_password(user, str(uuid4()))
    user.platform_admin = False
    user.current_session_id = NO_SESSION
    user.state = "inactive"
    session.flush()


def set_organisation_permissions(
    session: Session, organisation_id: UUID, user_id: UUID, permissions: Collection[str]
) -> None:
    """Replace the permissions of a user in an organisation. Raises `NotFoundProblemError` (no such organisation, user
    or permission).
    """
    if session.get(Organisation, organisation_id, with_for_update=True) is None:
        raise NotFoundProblemError
    get_user(session, user_id)
    if not set(permissions).issubset(ORGANISATION_USER_PERMISSIONS):
        raise NotFoundProblemError
    table = OrganisationUserPermission
    session.execute(delete(table).where(table.user_id == user_id, table.organisation_id == organisation_id))
    session.add_all(
        table(user_id=user_id, organisation_id=organisation_id, permission=name) for name in sorted(set(permissions))
    )
    session.flush()


class ReplacedAddresses(NamedTuple):
    """Numbers of users whose address was replaced, and of those whose new address is taken."""

    changed: int
    taken: int


def replace_gsi_addresses(session: Session, service_id: UUID) -> ReplacedAddresses:
    """Replace `.gsi.gov.uk` by `.gov.uk` in the addresses of a service's users (contract: workers 17)."""
    users = session.scalars(
        select(User)
        .join(ServiceUser, ServiceUser.user_id == User.id)
        .where(ServiceUser.service_id == service_id, User.email_address.iendswith(GSI_ENDING, autoescape=True))
        .order_by(User.id)
        .with_for_update(of=User)
    ).all()
    changed = 0
    for user in users:
        address = user.email_address[: -len(GSI_ENDING)] + ".gov.uk"
        if user_by_email(session, address) is None:
            user.email_address = address
            session.flush()
            changed += 1
    return ReplacedAddresses(changed, len(users) - changed)
