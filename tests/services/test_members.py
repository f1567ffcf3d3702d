"""Members of services: joining, permissions, leaving, archiving."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from notify.accounts.models import FolderUser, OrganisationUser, User
from notify.accounts.queries import permissions_in_service
from notify.infra.errors import NotFoundProblemError
from notify.infra.parts import Parts
from notify.organisations.models import Domain, Organisation
from notify.services.errors import (
    MemberAlreadyError,
    MemberNeededError,
    MemberNeededSomewhereError,
    NoMemberError,
    TooFewManagersError,
)
from notify.services.members import (
    add_member,
    archive_user,
    is_government_address,
    is_member,
    remove_member,
    replace_gsi_addresses,
    set_member_permissions,
    set_organisation_permissions,
)
from notify.services.models import Service
from notify.services.user_details import members_of_organisation, members_of_service, own_services, user_details
from notify.templates.folder_members import add_folders_of_member, set_folders_of_member
from notify.templates.models import TemplateFolder
from tests.services.factory import a_service, a_user

NOW = datetime(2026, 3, 4, 12, 0, 5, tzinfo=UTC)


def an_official(session: Session) -> User:
    return a_user(session, email_address=f"{uuid4()}@example.gov.uk")


def with_managers(session: Session, number: int) -> tuple[Service, list[UUID]]:
    """A service in trial mode whose only members are so many officials who manage it."""
    first = an_official(session)
    service = a_service(session, user_id=first.id)
    others = [an_official(session).id for _ in range(number - 1)]
    for user_id in others:
        add_member(session, service.id, user_id, ["manage_settings"])
    return service, [first.id, *others]


def test_a_member_joins_once(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, user = a_service(session), a_user(session)
        add_member(session, service.id, user.id, ["send_texts", "send_texts"])
        assert permissions_in_service(session, user.id, service.id) == ["send_texts"]
        with pytest.raises(MemberAlreadyError):
            add_member(session, service.id, user.id, [])
        other = a_user(session)
        for service_id, user_id, permissions in (
            (uuid4(), other.id, []),
            (service.id, uuid4(), []),
            (service.id, other.id, ["fly"]),
        ):
            with pytest.raises(NotFoundProblemError):
                add_member(session, service_id, user_id, permissions)


@pytest.mark.parametrize(
    ("changes", "managers", "allowed"),
    [
        ({}, 1, False),
        ({}, 2, True),
        ({"restricted": False}, 2, False),
        ({"restricted": False}, 3, True),
        ({"has_active_go_live_request": True}, 2, False),
        ({"has_active_go_live_request": True}, 3, True),
    ],
)
def test_how_many_managers_a_service_keeps(
    parts: Parts, changes: dict[str, bool], managers: int, allowed: bool
) -> None:
    with parts.database.transaction() as session:
        service, users = with_managers(session, managers)
        for name, value in changes.items():
            setattr(service, name, value)
        add_member(session, service.id, a_user(session).id, [])
        if allowed:
            set_member_permissions(session, service.id, users[0], ["send_texts"])
            assert permissions_in_service(session, users[0], service.id) == ["send_texts"]
        else:
            with pytest.raises(TooFewManagersError):
                set_member_permissions(session, service.id, users[0], ["send_texts"])
            with pytest.raises(MemberNeededError):
                remove_member(session, service.id, users[0])


def test_managers_who_do_not_count(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, (manager,) = with_managers(session, 1)
        pending = a_user(session, email_address=f"{uuid4()}@example.gov.uk", state="pending")
        outsider = a_user(session, email_address="con@contractor.example")
        for user in (pending, outsider):
            add_member(session, service.id, user.id, ["manage_settings"])
        with pytest.raises(TooFewManagersError):
            set_member_permissions(session, service.id, manager, [])
        set_member_permissions(session, service.id, outsider.id, [])  # whose leaving costs no manager of government
        set_member_permissions(session, service.id, manager, ["manage_settings"])
        with pytest.raises(NotFoundProblemError):
            set_member_permissions(session, service.id, a_user(session).id, [])
        with pytest.raises(NoMemberError):
            remove_member(session, service.id, a_user(session).id)


def test_two_managers_do_not_leave_at_once(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, users = with_managers(session, 2)
        add_member(session, service.id, a_user(session).id, [])

    def leave(user_id: UUID) -> bool:
        try:
            with parts.database.transaction() as session:
                remove_member(session, service.id, user_id)
        except MemberNeededError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(leave, users)) == [False, True]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("a@gov.uk", True),
        ("a@DEPT.Gov.UK", True),
        ("a@nogov.uk", False),
        ("a@gov.uk.example.com", False),
        ("a@trust.nhs.scot", True),
        ("a@known.example", True),
        ("a@sub.known.example", True),
        ("a@unknown.example", False),
    ],
)
def test_addresses_of_government(parts: Parts, address: str, expected: bool) -> None:
    with parts.database.session() as session:
        organisation = Organisation(name="Known", organisation_type="local", crown=False)
        session.add(organisation)
        session.flush()
        session.add(Domain(domain="known.example", organisation_id=organisation.id))
        session.flush()
        assert is_government_address(session, address) is expected


def test_folders_of_members(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, user = a_service(session), a_user(session)
        own, other = [TemplateFolder(name="Folder", service_id=owner.id) for owner in (service, a_service(session))]
        session.add_all([own, other])
        session.flush()
        add_member(session, service.id, user.id, [])
        add_folders_of_member(session, service.id, user.id, [str(own.id), str(other.id), str(uuid4()), "spring"])
        assert session.get(FolderUser, (user.id, own.id, service.id)) is not None
        for wrong in (str(other.id), str(uuid4()), "spring"):
            with pytest.raises(NotFoundProblemError):
                set_folders_of_member(session, service.id, user.id, [str(own.id), wrong])
        set_folders_of_member(session, service.id, user.id, [str(own.id).upper(), str(own.id)])
        remove_member(session, service.id, user.id)
        assert not is_member(session, service.id, user.id)
        assert session.get(FolderUser, (user.id, own.id, service.id)) is None


def test_a_user_who_is_needed_is_not_archived(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, (manager,) = with_managers(session, 1)
        with pytest.raises(MemberNeededSomewhereError):
            archive_user(session, manager, email_domain="notify.example", now=NOW)
        service.active = False
        session.flush()
        archive_user(session, manager, email_domain="notify.example", now=NOW)
        with pytest.raises(NotFoundProblemError):
            archive_user(session, uuid4(), email_domain="notify.example", now=NOW)


def test_an_archived_user_belongs_nowhere(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, users = with_managers(session, 3)
        organisations = [Organisation(name=f"Body {uuid4()}") for _ in range(3)]
        session.add_all(organisations)
        session.flush()
        for organisation in organisations:
            session.add(OrganisationUser(user_id=users[0], organisation_id=organisation.id))
            session.flush()
            set_organisation_permissions(session, organisation.id, users[0], ["can_make_services_live"])
        archive_user(session, users[0], email_domain="notify.example", now=NOW)
        user = user_details(session, users[0])
        assert user.email_address == f"_archived_2026-03-04-12:00:05_{users[0]}@notify.example"
        assert (user.name, user.state, user.auth_type, user.mobile_number) == (
            "Archived user",
            "inactive",
            "email_auth",
            None,
        )
        assert user.current_session_id == UUID(int=0)
        assert (user.services, user.permissions, user.organisations, user.organisation_permissions) == ([], {}, [], {})
        assert [member.id for member in members_of_service(session, service.id)] == users[1:]


def test_details_leave_out_what_is_archived(parts: Parts) -> None:
    with parts.database.transaction() as session:
        user = a_user(session)
        live, gone = a_service(session, user_id=user.id), a_service(session, user_id=user.id)
        gone.active = False
        bodies = [Organisation(name=f"{name} {uuid4()}", active=name == "A") for name in ("A", "B")]
        session.add_all(bodies)
        session.flush()
        session.add_all(OrganisationUser(user_id=user.id, organisation_id=body.id) for body in bodies)
        session.flush()
        for body in bodies:
            set_organisation_permissions(session, body.id, user.id, ["can_make_services_live"])
        details = user_details(session, user.id)
        assert (details.services, list(details.permissions)) == ([live.id], [live.id])
        assert details.organisations == [bodies[0].id]
        assert details.organisation_permissions == {bodies[0].id: ["can_make_services_live"], bodies[1].id: []}
        assert [row.id for row in own_services(session, user.id)] == [live.id]
        assert [member.id for member in members_of_organisation(session, bodies[0].id)] == [user.id]


def test_permissions_in_organisations_are_known_ones(parts: Parts) -> None:
    with parts.database.transaction() as session:
        user, body = a_user(session), Organisation(name=f"Body {uuid4()}")
        session.add(body)
        session.flush()
        for organisation_id, user_id, names in (
            (uuid4(), user.id, []),
            (body.id, uuid4(), []),
            (body.id, user.id, ["fly"]),
        ):
            with pytest.raises(NotFoundProblemError):
                set_organisation_permissions(session, organisation_id, user_id, names)


def test_old_domains_of_government_are_replaced(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        for name in ("ann@x.GSI.gov.uk", "bob@x.gsi.gov.uk"):
            add_member(session, service.id, a_user(session, email_address=name).id, [])
        a_user(session, email_address="bob@x.gov.uk")
        elsewhere = a_user(session, email_address="cat@x.gsi.gov.uk")
        assert replace_gsi_addresses(session, service.id) == (1, 1)
        assert replace_gsi_addresses(session, service.id) == (0, 1)
        addresses = {member.email_address for member in members_of_service(session, service.id)}
        assert {"ann@x.gov.uk", "bob@x.gsi.gov.uk"} <= addresses
        assert elsewhere.email_address == "cat@x.gsi.gov.uk"
