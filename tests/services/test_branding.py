"""Brandings of services."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from notify.branding.email_branding import create_email_branding, list_email_brandings
from notify.branding.errors import EmailBrandingInUseError
from notify.branding.letter_branding import create_letter_branding
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.organisations.models import Organisation
from notify.services.branding import (
    archive_email_branding,
    email_branding_users,
    letter_branding_users,
    set_email_branding,
    set_letter_branding,
)
from notify.services.queries import load_service
from tests.services.factory import a_service

MOMENT = datetime(2026, 7, 7, 12, tzinfo=UTC)


def test_a_branding_is_shown_replaced_and_taken_away(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        for name in ("Oak", "Elm"):
            branding = create_email_branding(session, name=name, text=name)
            set_email_branding(session, service.id, branding.id)
            loaded = load_service(session, service.id, parts.encryptor)
            assert loaded is not None
            assert loaded.email_branding is not None
            assert loaded.email_branding.text == name
        set_email_branding(session, service.id, None)
        loaded = load_service(session, service.id, parts.encryptor)
        assert loaded is not None
        assert loaded.email_branding is None


def test_unknown_branding(parts: Parts) -> None:
    with parts.database.session() as session:
        service = a_service(session)
        for change in (set_email_branding, set_letter_branding):
            with pytest.raises(NotFoundProblemError):
                change(session, service.id, new_id())


def test_who_uses_a_branding(parts: Parts) -> None:
    with parts.database.transaction() as session:
        email = create_email_branding(session, name="Bay", text="Bay")
        letter = create_letter_branding(session, name="Bay", filename="bay")
        second, first, closed = (a_service(session, name=name) for name in ("B", "A", "C"))
        closed.active = False
        for service in (first, second, closed):
            set_email_branding(session, service.id, email.id)
            set_letter_branding(session, service.id, letter.id)
        session.add(Organisation(name="Parks", email_branding_id=email.id, letter_branding_id=letter.id))
        session.flush()
        for users in (email_branding_users(session, email.id), letter_branding_users(session, letter.id)):
            assert users.services == [(first.id, "A"), (second.id, "B")]
            assert [organisation.name for organisation in users.organisations] == ["Parks"]


def test_a_branding_in_use_cannot_be_archived(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        branding = create_email_branding(session, name="Bay", text="Bay")
        set_email_branding(session, service.id, branding.id)
        with pytest.raises(EmailBrandingInUseError):
            archive_email_branding(session, branding.id)
        set_email_branding(session, service.id, None)
        for _ in range(2):
            assert archive_email_branding(session, branding.id, now=MOMENT).name == "_archived_2026-07-07-12:00:00_Bay"
        assert branding.id not in [row.id for row in list_email_brandings(session)]
        create_email_branding(session, name="Bay", text="Bay")
