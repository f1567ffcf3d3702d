"""Queries of services on the hot path."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from notify.accounts.actions import add_to_service
from notify.branding.models import EmailBranding, ServiceEmailBranding
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.infra.secrets import Encryptor, UndecipherableError
from notify.services import queries
from notify.services.api_keys import create_api_key
from notify.services.guest_list import set_guest_list
from notify.services.models import ApiKey, DataRetention, EmailReplyTo, SmsSender
from notify.services.senders import add_reply_to, add_sms_sender
from notify.services.service import archive_service
from tests.services.factory import a_service, a_user

NOW = datetime(2026, 3, 20, 15, 30, tzinfo=UTC)


def a_key(session: Session, parts: Parts, service_id: UUID, user_id: UUID, **fields: object) -> tuple[UUID, str]:
    made = create_api_key(
        session, parts.encryptor, service_id=service_id, name=str(new_id()), key_type="team", created_by_id=user_id
    )
    if fields:
        session.execute(update(ApiKey).where(ApiKey.id == made.key.id).values(**fields))
    return made.key.id, made.full[-36:]


def test_no_such_service(parts: Parts) -> None:
    with parts.database.session() as session:
        assert queries.load_service(session, new_id(), parts.encryptor) is None


def test_service_as_authentication_needs_it(parts: Parts) -> None:
    with parts.database.transaction() as session:
        user = a_user(session)
        service = a_service(
            session, user_id=user.id, name="Passports & Visas", contact_link="https://example.com", prefix_sms=True
        )
        key_id, secret = a_key(session, parts, service.id, user.id)
        loaded = queries.load_service(session, service.id, parts.encryptor)
    assert loaded is not None
    assert loaded.name == "Passports & Visas"
    assert loaded.email_sender_local_part == "passports.visas"
    assert (loaded.active, loaded.restricted, loaded.prefix_sms, loaded.rate_limit) == (True, True, True, 3000)
    assert loaded.contact_link == "https://example.com"
    assert (
        loaded.email_message_limit,
        loaded.sms_message_limit,
        loaded.letter_message_limit,
        loaded.international_sms_message_limit,
    ) == (50, 50, 50, 100)
    assert loaded.permissions == {"sms", "email", "letter", "international_sms", "international_letters"}
    assert loaded.email_branding is None
    (key,) = loaded.api_keys
    assert (key.id, key.secret, key.key_type, key.expiry_date, key.created_by_id) == (
        key_id,
        secret,
        "team",
        None,
        user.id,
    )
    assert secret not in repr(loaded)


def test_archived_service_is_loaded_as_inactive(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        archive_service(session, service.id)
        loaded = queries.load_service(session, service.id, parts.encryptor)
    assert loaded is not None
    assert not loaded.active


def test_email_branding(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        branding = EmailBranding(id=new_id(), name="Tax", brand_type="both", logo="t.png", text="Tax", colour="#fff")
        session.add(branding)
        session.flush()
        session.add(ServiceEmailBranding(service_id=service.id, email_branding_id=branding.id))
        session.flush()
        loaded = queries.load_service(session, service.id, parts.encryptor)
    assert loaded is not None
    assert loaded.email_branding == queries.CachedEmailBranding("both", "t.png", "Tax", None, "#fff")


@pytest.mark.parametrize(
    ("revoked", "known"),
    [
        # public-api 1.3: midnight of the expiry date > now - 7 days
        (timedelta(0), True),
        (timedelta(days=6, hours=15, minutes=29), True),  # 14 March 00:01
        (timedelta(days=6, hours=15, minutes=30), True),  # 14 March 00:00
        (timedelta(days=6, hours=15, minutes=31), False),  # 13 March 23:59, whose midnight is over 7 days ago
        (timedelta(days=8), False),
        (timedelta(days=-1), True),
    ],
)
def test_revoked_keys_are_known_for_a_week(parts: Parts, revoked: timedelta, known: bool) -> None:
    with parts.database.transaction() as session:
        user = a_user(session)
        service = a_service(session, user_id=user.id)
        a_key(session, parts, service.id, user.id, expiry_date=NOW - revoked)
        loaded = queries.load_service(session, service.id, parts.encryptor, now=NOW)
    assert loaded is not None
    assert [key.expiry_date for key in loaded.api_keys] == ([NOW - revoked] if known else [])


def test_keys_of_other_services_are_not_loaded(parts: Parts) -> None:
    with parts.database.transaction() as session:
        user = a_user(session)
        mine, other = a_service(session, user_id=user.id), a_service(session, user_id=user.id)
        a_key(session, parts, other.id, user.id)
        loaded = queries.load_service(session, mine.id, parts.encryptor)
    assert loaded is not None
    assert loaded.api_keys == ()


def test_key_of_a_lost_secret_is_an_error_and_not_a_wrong_secret(parts: Parts) -> None:
    with parts.database.transaction() as session:
        user = a_user(session)
        service = a_service(session, user_id=user.id)
        a_key(session, parts, service.id, user.id)
        with pytest.raises(UndecipherableError):
            queries.load_service(session, service.id, Encryptor(["another secret"]))


def test_senders(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, other = a_service(session), a_service(session)
        second = add_sms_sender(session, service.id, "Second", is_default=False)
        gone = SmsSender(id=new_id(), service_id=service.id, sms_sender="Gone", is_default=False, archived=True)
        session.add(gone)
        session.flush()
        assert queries.default_sms_sender(session, service.id) == "testing"
        assert queries.sms_sender(session, service.id, second.id) == "Second"
        assert queries.sms_sender(session, other.id, second.id) is None
        assert queries.sms_sender(session, service.id, gone.id) is None
        assert queries.sms_sender(session, service.id, new_id()) is None


def test_reply_tos(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, other = a_service(session), a_service(session)
        assert queries.default_reply_to(session, service.id) is None
        first = add_reply_to(session, service.id, "first@example.com", is_default=True)
        second = add_reply_to(session, service.id, "second@example.com", is_default=False)
        gone = EmailReplyTo(id=new_id(), service_id=service.id, email_address="x@y.zz", is_default=False, archived=True)
        session.add(gone)
        session.flush()
        assert queries.default_reply_to(session, service.id) == "first@example.com"
        assert queries.reply_to(session, service.id, first.id) == "first@example.com"
        assert queries.reply_to(session, service.id, second.id) == "second@example.com"
        assert queries.reply_to(session, other.id, second.id) is None
        assert queries.reply_to(session, service.id, gone.id) is None


def test_allowed_recipients_are_the_team_and_the_guests(parts: Parts) -> None:
    with parts.database.transaction() as session:
        owner = a_user(session, email_address="owner@example.com", mobile_number="07700900111")
        by_email = a_user(session, email_address="by.email@example.com", mobile_number=None, auth_type="email_auth")
        service = a_service(session, user_id=owner.id)
        add_to_service(session, by_email.id, service.id, [])
        set_guest_list(session, service.id, phone_numbers=["07700 900 222"], email_addresses=["Guest@example.com"])
        a_service(session)  # whose team is not ours
        assert sorted(queries.allowed_recipients(session, service.id)) == [
            "07700 900 222",
            "07700900111",
            "Guest@example.com",
            "by.email@example.com",
            "owner@example.com",
        ]


def test_retention(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        session.add(DataRetention(service_id=service.id, notification_type="email", days_of_retention=30))
        session.flush()
        assert queries.retention_days(session, service.id, "email") == 30
        assert queries.retention_days(session, service.id, "sms") == 7
