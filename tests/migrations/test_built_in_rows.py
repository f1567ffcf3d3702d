"""The rows that a fresh database has (contract: data-model 6)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select, text

from notify.accounts.models import User
from notify.accounts.passwords import is_password
from notify.billing.models import LetterRate, Rate
from notify.branding.models import EmailBranding, LetterBranding
from notify.infra.parts import Parts
from notify.organisations.models import Organisation
from notify.services.models import InboundNumber, Service, ServiceHistory
from notify.services.queries import default_reply_to, default_sms_sender, permissions
from notify.templates.models import TemplateHistory
from notify.templates.queries import list_templates, load_template

NOTIFY_USER = UUID("6af522d0-2915-4e52-83a3-3690455a5fe6")
NOTIFY_SERVICE = UUID("d6aa2c68-a2d9-4437-ab19-3ae8eb202553")

TEMPLATES = {
    "36fb0730-6259-4da1-8a80-c8de22ad4246": ("sms", "verify_code"),
    "299726d2-dba6-42b8-8209-30e1d66ea164": ("email", "name, url"),
    "ece42649-22a8-4d06-b87f-d52d5d3f0a27": ("email", "name, url"),
    "474e9242-823b-4f99-813d-ed392e7f1201": ("email", "user_name, url"),
    "0880fbb1-a0c6-46f0-9a8e-36c986381ceb": ("email", "signin_url, forgot_password_url, feedback_url"),
    "eb4d9930-87ab-4aef-9bce-786762687884": ("email", "name, url, feedback_url"),
    "c73f1d71-4049-46d5-a647-d013bdeca3f0": ("email", "name, servicemanagername, email address"),
    "8a31520f-4751-4789-8ea1-fe54496725eb": ("sms", "servicemanagername"),
    "4f46df42-f795-4cc4-83bb-65ca312f49cc": ("email", "user_name, service_name, url"),
    "203566f0-d835-47c5-aa06-932439c86573": ("email", "user_name, organisation_name, url"),
    "46152f7c-6901-41d5-8590-a5624d0d4359": ("email", "user_name, service_name, url"),
    "618185c6-3636-49cd-b7d2-6f6f5eb3bdde": ("email", "name, service name"),
    "a42f1d17-9404-46d5-a647-d013bdfca3e1": ("email", ""),
    "4fd2e43c-309b-4e50-8fb8-1955852d9d71": ("email", "mou_link, org_name, signed_by_name"),
    "522b6657-5ca5-4368-a294-6b527703bd0b": ("email", "mou_link, on_behalf_of_name, org_name, signed_by_name"),
    "c20206d5-bf03-4002-9a90-37d5032d9e84": ("email", "mou_link, on_behalf_of_name, org_name, signed_by_name"),
    "d0e66c4c-0c50-43f0-94f5-f85b613202d4": ("email", "org_dashboard_link, org_name, signed_by_name"),
    "5c7cfc0f-c3f4-4bd6-9a84-5a144aad5425": (
        "email",
        "name, service_name, organisation_name, requester_name, requester_email_address, make_service_live_link, support_page_link",
    ),
    "c7083bfe-1b9a-4ff9-bd5c-30508727df6e": (
        "email",
        "name, service_name, organisation_name, organisation_team_member_names",
    ),
    "62f12a62-742b-4458-9336-741521b131c7": ("email", "service_name, body"),
    "507d0796-9e23-4ad7-b83b-5efbd9496866": (
        "email",
        "name, service_name, organisation_name, reason, organisation_team_member_name, organisation_team_member_email",
    ),
    "77677459-f862-44ee-96d9-b8cb2323d407": (
        "email",
        "approver_name, requester_name, requester_email_address, service_name, reason_given, reason, url",
    ),
    "38bcd263-6ce8-431f-979d-8e637c1f0576": (
        "email",
        "requester_name, service_name, service_admin_names, url_ask_to_join_page",
    ),
    "4d8ee728-100e-4f0e-8793-5638cfa4ffa4": ("email", "requester_name, approver_name, service_name, dashboard_url"),
    "55bcb671-4924-46c5-a00d-1a9d48458008": ("email", "name"),
    "11fad854-fd38-4a7c-bd17-805fb13dfc12": (
        "email",
        "date, total_volume, first_class_volume, second_class_volume, economy_mail_volume, international_volume, "
        "total_sheets, first_class_sheets, second_class_sheets, economy_mail_sheets, international_sheets",
    ),
}


@pytest.mark.parametrize("template_id", TEMPLATES)
def test_template(parts: Parts, template_id: str) -> None:
    kind, names = TEMPLATES[template_id]
    with parts.database.session() as session:
        template = load_template(session, NOTIFY_SERVICE, UUID(template_id))
        assert template is not None
        assert load_template(session, NOTIFY_SERVICE, UUID(template_id), 1) == template
    assert (template.type, template.version, template.archived, template.hidden) == (kind, 1, False, False)
    assert bool(template.subject) == (kind == "email")
    found = re.findall(r"\(\(([^()?]+)(?:\?\?[^()]*)?\)\)", f"{template.subject} {template.content}")
    assert set(found) == {name for name in names.split(", ") if name}


def test_every_template_is_of_the_list(parts: Parts) -> None:
    with parts.database.session() as session:
        assert {str(template.id) for template in list_templates(session, NOTIFY_SERVICE)} == set(TEMPLATES)
        assert len(session.scalars(select(TemplateHistory)).all()) == len(TEMPLATES)


def test_notify_service(parts: Parts) -> None:
    with parts.database.session() as session:
        service = session.get_one(Service, NOTIFY_SERVICE)
        history = session.get_one(ServiceHistory, (NOTIFY_SERVICE, 1))
        assert (service.name, service.normalised_service_name, service.email_sender_local_part) == (
            "GOV.UK Notify",
            "gov.uk.notify",
            "gov.uk.notify",
        )
        assert (
            service.email_message_limit,
            service.sms_message_limit,
            service.international_sms_message_limit,
            service.letter_message_limit,
            service.rate_limit,
        ) == (1000, 1000, 100, 20000, 3000)
        assert (service.active, service.restricted, service.count_as_live, service.prefix_sms) == (
            True,
            False,
            True,
            False,
        )
        assert (history.name, history.created_at, history.rate_limit) == (service.name, service.created_at, 3000)
        assert permissions(session, NOTIFY_SERVICE) == ["email", "international_letters", "international_sms", "sms"]
        assert default_sms_sender(session, NOTIFY_SERVICE) == "GOVUK"
        assert default_reply_to(session, NOTIFY_SERVICE) is None
        number = session.scalars(select(InboundNumber)).one()
        assert (number.number, number.provider, number.active, number.service_id) == ("07984404008", "mmg", False, None)


def test_notify_user_cannot_sign_in(parts: Parts) -> None:
    with parts.database.session() as session:
        user = session.get_one(User, NOTIFY_USER)
    assert (user.email_address, user.mobile_number, user.state, user.platform_admin) == (
        "notify-service-user@digital.cabinet-office.gov.uk",
        "+441234123412",
        "active",
        False,
    )
    assert not any(is_password(user.password, guess) for guess in ("", "password", "notify"))


def test_providers(parts: Parts) -> None:
    query = "SELECT identifier, notification_type::text, priority, active, supports_international, version FROM "
    expected = {
        ("mmg", "sms", 10, True, True, 1),
        ("firetext", "sms", 20, True, False, 1),
        ("sandbox", "sms", 10, True, True, 1),
        ("ses", "email", 10, True, False, 1),
        ("smtp", "email", 5, True, False, 1),
        ("sandbox", "email", 10, True, False, 1),
        ("dvla", "letter", 50, True, False, 1),
    }
    with parts.database.session() as session:
        for table in ("provider_details", "provider_details_history"):
            assert {tuple(row) for row in session.execute(text(query + table))} == expected


def test_brandings_and_organisation(parts: Parts) -> None:
    with parts.database.session() as session:
        email = session.get_one(EmailBranding, UUID("a7dc4e56-660b-4db7-8cff-12c37b12b5ea"))
        letter = session.get_one(LetterBranding, UUID("2cd354bb-6b85-eda3-c0ad-6b613150459f"))
        organisation = session.get_one(Organisation, UUID("477f8870-af2b-4b81-9a2c-1fad12028919"))
    assert (email.name, email.brand_type, email.alt_text, email.text) == ("NHS", "org", "NHS", None)
    assert (letter.name, letter.filename) == ("NHS", "nhs")
    assert (organisation.name, organisation.organisation_type, organisation.crown) == (
        "NHS Notify",
        "nhs_notify",
        False,
    )


def test_prices(parts: Parts) -> None:
    with parts.database.session() as session:
        rates = session.scalars(select(Rate).order_by(Rate.valid_from)).all()
        letters = session.scalars(select(LetterRate)).all()
    assert [rate.rate for rate in rates] == [
        Decimal(price)
        for price in "0.0165 0.0158 0.016 0.0161 0.0172 0.0197 0.0227 0.0233 0.024".split()  # noqa: SIM905
    ]
    assert rates[-1].valid_from == datetime(2026, 3, 31, 23, tzinfo=UTC)
    current = {(row.post_class, row.sheet_count, row.crown): row.rate for row in letters if row.end_date is None}
    assert {key[:2]: rate for key, rate in current.items()} == {
        (post_class, sheets): Decimal(price)
        for post_class, prices in {
            "first": "1.56 1.61 1.66 1.71 1.76",
            "second": "0.73 0.77 0.82 0.87 0.91",
            "economy": "0.638 0.684 0.724 0.779 0.823",
            "europe": "1.80 1.84 1.88 1.92 1.96",
            "rest-of-world": "1.80 1.84 1.88 1.92 1.96",
        }.items()
        for sheets, price in enumerate(prices.split(), start=1)
    }
    assert len(current) == 50


def test_letter_prices_of_a_kind_follow_each_other_without_gap(parts: Parts) -> None:
    with parts.database.session() as session:
        rows = session.scalars(select(LetterRate).order_by(LetterRate.start_date)).all()
    for kind in {(row.post_class, row.sheet_count, row.crown) for row in rows}:
        series = [row for row in rows if (row.post_class, row.sheet_count, row.crown) == kind]
        assert [row.end_date for row in series] == [*(row.start_date for row in series[1:]), None]


def test_old_second_class_crown_price_of_one_sheet_ran_to_2019(parts: Parts) -> None:
    with parts.database.session() as session:
        row = session.scalars(
            select(LetterRate)
            .where(LetterRate.post_class == "second", LetterRate.sheet_count == 1, LetterRate.crown)
            .order_by(LetterRate.start_date)
            .limit(1)
        ).one()
    assert (row.rate, row.end_date) == (Decimal("0.30"), datetime(2019, 9, 30, 23, tzinfo=UTC))
