"""Queries of templates for sending and the public API."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.services.models import LetterContact
from notify.services.senders import add_reply_to, add_sms_sender
from notify.templates.models import Template, TemplateRedacted
from notify.templates.queries import list_templates, load_template
from tests.services.factory import a_service
from tests.templates.test_actions import a_template


def test_not_there(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, other = a_service(session), a_service(session)
        template = a_template(session, service)
        assert load_template(session, service.id, new_id()) is None
        assert load_template(session, other.id, template.id) is None
        assert load_template(session, service.id, template.id, 2) is None
        assert load_template(session, other.id, template.id, 1) is None


def test_version_0_is_the_current_one(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        template = a_template(session, service)
        assert load_template(session, service.id, template.id, 0) == load_template(session, service.id, template.id)


def test_hidden_only_when_asked_for(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        template = a_template(session, service, "letter")
        session.execute(update(Template).where(Template.id == template.id).values(hidden=True))
        assert load_template(session, service.id, template.id) is None
        assert list_templates(session, service.id) == []
        hidden = load_template(session, service.id, template.id, hidden=True)
        assert hidden is not None
        assert hidden.hidden


def test_sender_of_each_type(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        contact = LetterContact(id=new_id(), service_id=service.id, contact_block="1 High Street\nTown")
        session.add(contact)
        session.flush()
        email = a_template(session, service, "email")

        def sender(template: Template, version: int | None = None) -> str | None:
            loaded = load_template(session, service.id, template.id, version)
            assert loaded is not None
            assert loaded.contact_block == (loaded.default_sender_text if loaded.type == "letter" else None)
            return loaded.default_sender_text

        assert sender(a_template(session, service, "sms")) == "testing"
        assert sender(email) is None
        assert sender(a_template(session, service, "letter")) is None  # the service's default does not count
        assert sender(a_template(session, service, "letter", service_letter_contact_id=contact.id)) == (
            "1 High Street\nTown"
        )
        add_reply_to(session, service.id, "a@example.com", is_default=True)
        add_sms_sender(session, service.id, "Newer", is_default=True)
        assert sender(email) == "a@example.com"
        assert sender(email, 1) == "a@example.com"
        assert sender(a_template(session, service, "sms")) == "Newer"


@pytest.mark.parametrize("row", [True, False, None])
def test_redaction(parts: Parts, row: bool | None) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        template = a_template(session, service)
        redacted = session.get_one(TemplateRedacted, template.id)
        if row is None:
            session.delete(redacted)
        else:
            redacted.redact_personalisation = row
        session.flush()
        loaded = load_template(session, service.id, template.id)
        assert loaded is not None
        assert loaded.redact_personalisation is bool(row)


def test_list_is_by_name_then_type(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, other = a_service(session), a_service(session)
        for name, kind in (("b", "sms"), ("a", "letter"), ("a", "email"), ("a", "sms"), ("c", "email")):
            a_template(session, service, kind, name=name)
        a_template(session, other)
        rows = list_templates(session, service.id)
        assert [(row.name, row.type) for row in rows] == [
            ("a", "sms"),
            ("a", "email"),
            ("a", "letter"),
            ("b", "sms"),
            ("c", "email"),
        ]
        assert [(row.name, row.type) for row in list_templates(session, service.id, "email")] == [
            ("a", "email"),
            ("c", "email"),
        ]
        assert rows[0] == load_template(session, service.id, rows[0].id)
