"""Creating and changing services."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.accounts.queries import permissions_in_service
from notify.billing.models import AnnualBilling
from notify.branding.models import EmailBranding, LetterBranding, ServiceEmailBranding, ServiceLetterBranding
from notify.infra.errors import NotFoundProblemError, ProblemError
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.organisations.models import Domain, Organisation
from notify.services import queries
from notify.services.errors import (
    DuplicateServiceNameError,
    InvalidServiceError,
)
from notify.services.limits import MessageLimits
from notify.services.models import ServiceHistory
from notify.services.permissions import set_permissions
from notify.services.service import archive_service, create_service, update_service
from tests.services.factory import a_service, a_user

NHS_EMAIL = UUID("a7dc4e56-660b-4db7-8cff-12c37b12b5ea")
NHS_LETTER = UUID("2cd354bb-6b85-eda3-c0ad-6b613150459f")
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def brandings(session: Session, service_id: UUID) -> tuple[UUID | None, UUID | None]:
    return (
        session.scalar(
            select(ServiceEmailBranding.email_branding_id).where(ServiceEmailBranding.service_id == service_id)
        ),
        session.scalar(
            select(ServiceLetterBranding.letter_branding_id).where(ServiceLetterBranding.service_id == service_id)
        ),
    )


class TestCreateService:
    def test_has_all_that_a_service_needs(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            user = a_user(session)
            service = create_service(
                session, name="New", user_id=user.id, from_number="GOVUK", limits=MessageLimits(sms=7), now=APRIL
            )
            assert (service.active, service.restricted, service.version, service.created_at) == (True, True, 1, APRIL)
            assert (service.sms_message_limit, service.email_message_limit) == (7, 50)
            assert queries.default_sms_sender(session, service.id) == "GOVUK"
            assert permissions_in_service(session, user.id, service.id) == [
                "manage_api_keys",
                "manage_settings",
                "manage_templates",
                "manage_users",
                "send_emails",
                "send_letters",
                "send_texts",
                "view_activity",
            ]
            billing = session.scalars(select(AnnualBilling).where(AnnualBilling.service_id == service.id)).one()
            assert (billing.financial_year_start, billing.free_sms_fragment_limit) == (2026, 5000)
            history = session.scalars(select(ServiceHistory).where(ServiceHistory.id == service.id)).one()
            assert (history.version, history.name, history.sms_message_limit) == (1, "New", 7)

    @pytest.mark.parametrize(
        ("kind", "now", "fragments"),
        [
            ("central", datetime(2026, 4, 1, tzinfo=UTC), 20000),
            # still 31 March in London at 22:59 UTC; a new financial year at 23:00
            ("central", datetime(2026, 3, 31, 22, 59, tzinfo=UTC), 30000),
            ("central", datetime(2026, 3, 31, 23, 0, tzinfo=UTC), 20000),
            ("nhs_gp", datetime(2023, 6, 1, tzinfo=UTC), 10000),
            ("nhs_gp", datetime(2025, 6, 1, tzinfo=UTC), 0),
            ("nhs_notify", datetime(2030, 6, 1, tzinfo=UTC), 0),
            ("nhs", datetime(2026, 6, 1, tzinfo=UTC), 5000),
            (None, datetime(2016, 6, 1, tzinfo=UTC), 25000),
        ],
    )
    def test_free_fragments(self, parts: Parts, kind: str | None, now: datetime, fragments: int) -> None:
        with parts.database.transaction() as session:
            service = a_service(session, organisation_type=kind, now=now)
            billing = session.scalars(select(AnnualBilling).where(AnnualBilling.service_id == service.id)).one()
            assert billing.free_sms_fragment_limit == fragments

    def test_before_the_first_allowance_nothing_is_created(self, parts: Parts) -> None:
        with parts.database.session() as session, pytest.raises(ProblemError, match="allowance"):
            a_service(session, now=datetime(2015, 1, 1, tzinfo=UTC))

    @pytest.mark.parametrize("second", ["First service", "First SERVICE", "first  service!", "Fïrst Service"])
    def test_names_that_read_the_same_are_the_same(self, parts: Parts, second: str) -> None:
        with parts.database.session() as session:
            a_service(session, name="First service")
            with pytest.raises(DuplicateServiceNameError) as caught:
                a_service(session, name=second)
        assert caught.value.messages == [f"Duplicate service name '{second}'"]

    def test_unknown_user(self, parts: Parts) -> None:
        with parts.database.session() as session, pytest.raises(NotFoundProblemError):
            a_service(session, user_id=new_id())

    @pytest.mark.parametrize(
        "options",
        [
            {"contact_link": "x" * 256},
            {"organisation_type": "king"},
            {"permissions": ["fly"]},
            {"permissions": ["sms", "sms"]},
        ],
    )
    def test_refused(self, parts: Parts, options: dict[str, object]) -> None:
        with parts.database.session() as session, pytest.raises(InvalidServiceError):
            a_service(session, **options)

    @pytest.mark.parametrize(
        ("address", "found"),
        [
            ("ada@dept.gov.uk", True),
            ("ada@team.dept.gov.uk", True),
            ("ada@DEPT.gov.uk", True),
            ("ada@dept.gsi.gov.uk", True),
            ("ada@otherdept.gov.uk", False),
            ("ada@gov.uk", False),
        ],
    )
    def test_organisation_of_the_first_member(self, parts: Parts, address: str, found: bool) -> None:
        with parts.database.transaction() as session:
            email = EmailBranding(id=new_id(), name="Dept", text="Dept", logo="d.png")
            letter = LetterBranding(id=new_id(), name="Dept", filename="dept")
            session.add_all([email, letter])
            session.flush()
            organisation = Organisation(
                id=new_id(),
                name="Department",
                organisation_type="central",
                crown=True,
                email_branding_id=email.id,
                letter_branding_id=letter.id,
            )
            session.add(organisation)
            session.flush()
            session.add(Domain(domain="dept.gov.uk", organisation_id=organisation.id))
            user = a_user(session, email_address=address)
            service = a_service(session, user_id=user.id, organisation_type="local")
            expected = (organisation.id, "central", True) if found else (None, "local", False)
            assert (service.organisation_id, service.organisation_type, service.crown) == expected
            assert brandings(session, service.id) == ((email.id, letter.id) if found else (None, None))

    def test_longest_domain_wins(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            for name, domain in (("Wide", "dept.gov.uk"), ("Narrow", "team.dept.gov.uk")):
                organisation = Organisation(id=new_id(), name=name, organisation_type="central", crown=True)
                session.add(organisation)
                session.flush()
                session.add(Domain(domain=domain, organisation_id=organisation.id))
            user = a_user(session, email_address="ada@a.team.dept.gov.uk")
            service = a_service(session, user_id=user.id)
            assert session.get_one(Organisation, service.organisation_id).name == "Narrow"

    @pytest.mark.parametrize(
        ("address", "kind", "branded"),
        [
            ("ada@hospital.nhs.uk", None, True),
            ("ada@nhs.net", None, True),
            ("ada@NHS.UK", None, True),
            ("ada@example.com", "nhs_gp", True),
            ("ada@notnhs.uk", None, False),
            ("ada@example.com", "nhs", False),
        ],
    )
    def test_nhs_branding(self, parts: Parts, address: str, kind: str | None, branded: bool) -> None:
        with parts.database.transaction() as session:
            user = a_user(session, email_address=address)
            service = a_service(session, user_id=user.id, organisation_type=kind)
            assert brandings(session, service.id) == ((NHS_EMAIL, NHS_LETTER) if branded else (None, None))

    def test_nhs_notify_services_join_its_organisation(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session, organisation_type="nhs_notify")
            assert session.get_one(Organisation, service.organisation_id).name == "NHS Notify"

    def test_services_of_platform_admins_do_not_count(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            assert not a_service(session, user_id=a_user(session, platform_admin=True).id).count_as_live
            assert a_service(session).count_as_live


def test_set_permissions_replaces(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        set_permissions(session, service.id, ["email", "inbound_sms"])
        assert queries.permissions(session, service.id) == ["email", "inbound_sms"]
        set_permissions(session, service.id, [])
        assert queries.permissions(session, service.id) == []


class TestUpdateService:
    def test_every_change_is_a_version(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service, editor = a_service(session, name="Trees"), a_user(session)
            update_service(session, service.id)
            update_service(
                session, service.id, changed_by_id=editor.id, restricted=False, go_live_at=APRIL, sms_message_limit=9
            )
            assert (service.version, service.created_by_id, service.sms_message_limit) == (3, editor.id, 9)
            history = session.get_one(ServiceHistory, (service.id, 3))
            assert (history.restricted, history.go_live_at) == (False, APRIL)

    def test_emails_come_from_the_sender_name_or_the_name(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session, name="Trees")
            update_service(session, service.id, custom_email_sender_name="Oak & Elm")
            assert service.email_sender_local_part == "oak.elm"
            update_service(session, service.id, name="Shrubs")
            assert (service.normalised_service_name, service.email_sender_local_part) == ("shrubs", "oak.elm")
            update_service(session, service.id, custom_email_sender_name=None)
            assert service.email_sender_local_part == "shrubs"

    def test_refused(self, parts: Parts) -> None:
        with parts.database.session() as session:
            a_service(session, name="Trees")
            service = a_service(session, name="Shrubs")
            for field in ("contact_link", "billing_reference"):
                with pytest.raises(InvalidServiceError):
                    update_service(session, service.id, **{field: "x" * 256})  # type: ignore[arg-type]
            session.refresh(service)
            with pytest.raises(InvalidServiceError):
                update_service(session, service.id, organisation_type="king")
            with pytest.raises(NotFoundProblemError):
                update_service(session, new_id(), name="New")
            with pytest.raises(NotFoundProblemError):
                update_service(session, service.id, name="x" * 256)
            with pytest.raises(DuplicateServiceNameError):
                update_service(session, service.id, name="TREES")


def test_a_long_name_can_be_archived(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session, name="x" * 255)
        archive_service(session, service.id, now=APRIL)
        assert service.name.startswith("_archived_2026-04-01-00:00:00_xxx")
