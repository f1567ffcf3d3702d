"""The rules of services and their settings, as who changes them notices."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.accounts.queries import permissions_in_service
from notify.billing.models import AnnualBilling
from notify.branding.models import EmailBranding, LetterBranding, ServiceEmailBranding, ServiceLetterBranding
from notify.infra.errors import NotFoundProblemError, ProblemError
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.organisations.models import Domain, Organisation
from notify.services import queries
from notify.services.actions import (
    MessageLimits,
    add_reply_to,
    add_sms_sender,
    create_api_key,
    create_service,
    full_api_key,
    revoke_api_key,
    set_guest_list,
    set_permissions,
)
from notify.services.errors import (
    DefaultNeededError,
    DuplicateApiKeyNameError,
    DuplicateReplyToError,
    DuplicateServiceNameError,
    InvalidApiKeyError,
    InvalidGuestListError,
    InvalidReplyToError,
    InvalidServiceError,
    InvalidSmsSenderError,
)
from notify.services.models import ApiKey, ApiKeyHistory, Service, ServiceHistory, SmsSender
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
        [{"name": "x" * 256}, {"organisation_type": "king"}, {"permissions": ["fly"]}, {"permissions": ["sms", "sms"]}],
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


class TestApiKeys:
    def test_full_key_is_what_client_libraries_cut_up(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)
            made = create_api_key(
                session,
                parts.encryptor,
                service_id=service.id,
                name="Café key",
                key_type="normal",
                created_by_id=service.created_by_id,
            )
            stored = session.get_one(ApiKey, made.key.id)
            history = session.get_one(ApiKeyHistory, (made.key.id, 1))
        assert made.full[:-74] == "cafe_key"
        assert made.full[-73:-37] == str(service.id)
        secret = made.full[-36:]
        assert str(UUID(secret)) == secret
        assert secret.encode() not in stored.secret
        assert parts.encryptor.decrypt(stored.secret) == secret
        assert history.secret == stored.secret
        assert full_api_key("Café key", service.id, secret) == made.full

    def test_name_is_free_again_once_revoked(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)

            def make(name: str) -> ApiKey:
                return create_api_key(
                    session,
                    parts.encryptor,
                    service_id=service.id,
                    name=name,
                    key_type="test",
                    created_by_id=service.created_by_id,
                ).key

            first = make("key")
            make("Key")
            revoke_api_key(session, service.id, first.id, now=APRIL)
            make("key")
            assert (first.expiry_date, first.version, first.updated_at) == (APRIL, 2, APRIL)
            assert session.get_one(ApiKeyHistory, (first.id, 2)).expiry_date == APRIL
            assert session.get_one(ApiKeyHistory, (first.id, 1)).expiry_date is None
            with pytest.raises(DuplicateApiKeyNameError):
                make("key")

    def test_key_of_another_service_is_not_found(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service, other = a_service(session), a_service(session)
            key = create_api_key(
                session,
                parts.encryptor,
                service_id=service.id,
                name="k",
                key_type="test",
                created_by_id=service.created_by_id,
            ).key
            with pytest.raises(NotFoundProblemError):
                revoke_api_key(session, other.id, key.id)
            assert key.expiry_date is None

    @pytest.mark.parametrize(("name", "key_type"), [("k", "live"), ("x" * 256, "test")])
    def test_refused(self, parts: Parts, name: str, key_type: str) -> None:
        with parts.database.session() as session:
            service = a_service(session)
            with pytest.raises(InvalidApiKeyError):
                create_api_key(
                    session,
                    parts.encryptor,
                    service_id=service.id,
                    name=name,
                    key_type=key_type,
                    created_by_id=service.created_by_id,
                )

    def test_revoked_by_two_at_the_same_time_gives_two_versions(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)
            key = create_api_key(
                session,
                parts.encryptor,
                service_id=service.id,
                name="k",
                key_type="test",
                created_by_id=service.created_by_id,
            ).key

        def revoke(_: int) -> int:
            with parts.database.transaction() as session:
                return revoke_api_key(session, service.id, key.id).version

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(revoke, range(4))) == [2, 3, 4, 5]
        with parts.database.session() as session:
            count = session.scalar(select(func.count()).where(ApiKeyHistory.id == key.id))
        assert count == 5


class TestSmsSenders:
    @pytest.mark.parametrize("text", ["abc", "Elevenchars", "A & B.-_", "07123456789", "0-0"])
    def test_accepted(self, parts: Parts, text: str) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)
            assert add_sms_sender(session, service.id, text, is_default=False).sms_sender == text

    @pytest.mark.parametrize("text", ["", "ab", "Twelve chars", "Ünïcode", "a/b/c", "0044123", "abc\n"])
    def test_refused(self, parts: Parts, text: str) -> None:
        with parts.database.session() as session:
            service = a_service(session)
            with pytest.raises(InvalidSmsSenderError):
                add_sms_sender(session, service.id, text, is_default=False)

    def test_new_default_takes_the_place_of_the_old(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service, other = a_service(session), a_service(session)
            add_sms_sender(session, service.id, "Newer", is_default=True)
            assert queries.default_sms_sender(session, service.id) == "Newer"
            assert queries.default_sms_sender(session, other.id) == "testing"
            rows = session.scalars(select(SmsSender).where(SmsSender.service_id == service.id)).all()
            assert {(row.sms_sender, row.is_default) for row in rows} == {("testing", False), ("Newer", True)}

    def test_unknown_service(self, parts: Parts) -> None:
        with parts.database.session() as session, pytest.raises(NotFoundProblemError):
            add_sms_sender(session, new_id(), "Sender", is_default=True)

    def test_two_defaults_at_the_same_time_leave_one(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)

        def add(number: int) -> None:
            with parts.database.transaction() as session:
                add_sms_sender(session, service.id, f"Sender {number}", is_default=True)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(add, range(4)))
        with parts.database.session() as session:
            rows = session.scalars(select(SmsSender).where(SmsSender.service_id == service.id)).all()
        assert sorted(row.is_default for row in rows) == [False, False, False, False, True]


class TestReplyTos:
    def test_first_must_be_the_default(self, parts: Parts) -> None:
        with parts.database.session() as session:
            service = a_service(session)
            with pytest.raises(DefaultNeededError) as caught:
                add_reply_to(session, service.id, "a@example.com", is_default=False)
        assert caught.value.messages == ["You must have at least one reply to email address as the default."]

    def test_new_default_takes_the_place_of_the_old(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)
            add_reply_to(session, service.id, "a@example.com", is_default=True)
            add_reply_to(session, service.id, "b@example.com", is_default=True)
            assert queries.default_reply_to(session, service.id) == "b@example.com"

    def test_duplicate(self, parts: Parts) -> None:
        with parts.database.session() as session:
            service = a_service(session)
            add_reply_to(session, service.id, "a@example.com", is_default=True)
            with pytest.raises(DuplicateReplyToError) as caught:
                add_reply_to(session, service.id, "a@example.com", is_default=False)
        assert caught.value.status == 409
        assert caught.value.messages == ["‘a@example.com’ is already a reply-to email address for this service."]

    @pytest.mark.parametrize("address", ["", "nobody", "a@b", "a b@example.com", "a@example..com"])
    def test_not_an_address(self, parts: Parts, address: str) -> None:
        with parts.database.session() as session:
            service = a_service(session)
            with pytest.raises(InvalidReplyToError):
                add_reply_to(session, service.id, address, is_default=True)


class TestGuestList:
    def guests(self, session: Session, service: Service) -> list[str]:
        team = queries.allowed_recipients(session, a_service(session, user_id=service.created_by_id).id)
        return sorted(set(queries.allowed_recipients(session, service.id)) - set(team))

    def test_replaces_and_keeps_as_typed(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)
            set_guest_list(session, service.id, phone_numbers=["07700900222"], email_addresses=["a@example.com"])
            set_guest_list(
                session,
                service.id,
                phone_numbers=["+1 (202) 555-0104", "07700 900333"],
                email_addresses=["B@Example.com"],
            )
            assert self.guests(session, service) == ["+1 (202) 555-0104", "07700 900333", "B@Example.com"]
            set_guest_list(session, service.id, phone_numbers=[], email_addresses=[])
            assert self.guests(session, service) == []

    @pytest.mark.parametrize(
        ("phones", "addresses", "named"),
        [
            (["07700900222", "020 7946 0100"], [], "020 7946 0100"),
            (["a@example.com"], [], "a@example.com"),
            ([], ["a@example.com", "07700900222"], "07700900222"),
            (["1"], ["x"], "1"),
            ([""], [], ""),
        ],
    )
    def test_refused_and_the_old_list_stays(
        self, parts: Parts, phones: list[str], addresses: list[str], named: str
    ) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)
            set_guest_list(session, service.id, phone_numbers=[], email_addresses=["old@example.com"])
            with pytest.raises(InvalidGuestListError) as caught:
                set_guest_list(session, service.id, phone_numbers=phones, email_addresses=addresses)
            assert caught.value.messages == [
                f'Invalid guest list: "{named}" is not a valid email address or phone number'
            ]
            assert self.guests(session, service) == ["old@example.com"]


@pytest.mark.parametrize(
    "change",
    [
        lambda session, service_id: set_guest_list(session, service_id, phone_numbers=[], email_addresses=[]),
        lambda session, service_id: add_reply_to(session, service_id, "a@example.com", is_default=True),
    ],
)
def test_unknown_service(parts: Parts, change: Callable[[Session, UUID], object]) -> None:
    with parts.database.session() as session, pytest.raises(NotFoundProblemError):
        change(session, new_id())
