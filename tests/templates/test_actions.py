"""Creating and changing templates."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.services import queries as services
from notify.services.api_keys import create_api_key
from notify.services.models import ApiKey, LetterContact, Service, ServiceHistory
from notify.services.permissions import set_permissions
from notify.services.senders import add_letter_contact, archive_letter_contact, list_letter_contacts
from notify.services.service import archive_service
from notify.templates.actions import (
    create_template,
    redact_template,
    set_letter_contact,
    update_template,
)
from notify.templates.errors import (
    ContentTooLongError,
    InvalidTemplateError,
    QrCodeTooLongError,
    TemplateTypeNotAllowedError,
    UnknownFolderError,
    UnknownLetterContactError,
)
from notify.templates.models import Template, TemplateFolder, TemplateFolderMap, TemplateHistory, TemplateRedacted
from notify.templates.queries import list_templates, load_template
from tests.services.factory import a_service, a_user

TEXTS: dict[str, dict[str, Any]] = {
    "sms": {"content": "Hello ((name))"},
    "email": {"content": "Hello ((name))", "subject": "For ((name))"},
    "letter": {"content": "Dear ((name))", "subject": "For ((name))"},
}


def a_template(session: Session, service: Service, template_type: str = "sms", **fields: Any) -> Template:
    values = {"name": "A template", **TEXTS[template_type], **fields}
    return create_template(
        session, service_id=service.id, template_type=template_type, created_by_id=service.created_by_id, **values
    )


def versions(session: Session, template: Template) -> list[TemplateHistory]:
    query = select(TemplateHistory).where(TemplateHistory.id == template.id).order_by(TemplateHistory.version)
    return list(session.scalars(query))


@pytest.mark.parametrize(
    ("kind", "postage", "languages"), [("sms", None, None), ("email", None, None), ("letter", "second", "english")]
)
def test_create(parts: Parts, kind: str, postage: str | None, languages: str | None) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        made = a_template(session, service, kind)
        template = load_template(session, service.id, made.id)
        (history,) = versions(session, made)
    assert template is not None
    assert (template.type, template.version, template.name) == (kind, 1, "A template")
    assert (template.content, template.subject) == (TEXTS[kind]["content"], TEXTS[kind].get("subject"))
    assert (template.postage, template.languages) == (postage, languages)
    assert (template.archived, template.hidden, template.redact_personalisation) == (False, False, False)
    assert (history.version, history.content, history.created_at) == (1, template.content, template.created_at)


def test_letter_in_two_languages(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        made = a_template(
            session, service, "letter", letter_welsh_subject="Pwnc", letter_welsh_content="Annwyl ((enw))"
        )
        template = load_template(session, service.id, made.id)
    assert template is not None
    assert (template.languages, template.welsh_subject, template.welsh_content) == (
        "welsh_then_english",
        "Pwnc",
        "Annwyl ((enw))",
    )


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("email", {"subject": None}, "Invalid template subject"),
        ("sms", {"name": "x" * 256}, "Longer than maximum length 255."),
        ("letter", {"postage": "europe"}, "postage europe is not one of [first, second, economy]"),
        ("letter", {"letter_welsh_subject": "x"}, "A letter in Welsh needs both a subject and a content in Welsh"),
        ("sms", {"letter_languages": "english"}, "Only a letter has languages"),
        ("sms", {"has_unsubscribe_link": True}, "Only an email can have an unsubscribe link"),
    ],
)
def test_refused(parts: Parts, kind: str, fields: dict[str, Any], message: str) -> None:
    with parts.database.session() as session:
        service = a_service(session)
        with pytest.raises(InvalidTemplateError) as caught:
            a_template(session, service, kind, **fields)
        assert caught.value.messages == [message]
        session.rollback()
        assert session.scalars(select(Template).where(Template.name == "A template")).all() == []


@pytest.mark.parametrize(
    ("content", "fits"),
    [
        ("a" * 918, True),
        ("a" * 919, False),
        ("  " + "a" * 918 + "\n\n", True),  # counted as sent
        ("((" + "a" * 914 + "))", True),  # placeholders count as typed
        ("((" + "a" * 915 + "))", False),
        ("“" * 918, True),
    ],
)
def test_length_of_a_text_message(parts: Parts, content: str, fits: bool) -> None:
    with parts.database.session() as session:
        service = a_service(session)
        if fits:
            assert a_template(session, service, content=content).content == content
            return
        with pytest.raises(ContentTooLongError) as caught:
            a_template(session, service, content=content)
        assert caught.value.messages == ["Content has a character count greater than the limit of 918"]


@pytest.mark.parametrize(("kind", "channel"), [("sms", "text message"), ("email", "email"), ("letter", "letter")])
def test_service_must_be_allowed_to_send_such_messages(parts: Parts, kind: str, channel: str) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        template = a_template(session, service, kind)
        set_permissions(session, service.id, [other for other in TEXTS if other != kind])
        with pytest.raises(TemplateTypeNotAllowedError) as creating:
            a_template(session, service, kind)
        with pytest.raises(TemplateTypeNotAllowedError) as updating:
            update_template(session, service.id, template.id, changed_by_id=service.created_by_id, content="New")
    for caught, doing in ((creating, "Creating"), (updating, "Updating")):
        assert caught.value.status == 403
        assert caught.value.field == "template_type"
        assert caught.value.messages == [f"{doing} {channel} templates is not allowed"]


def test_folder_and_contact_must_be_of_the_service(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, other = a_service(session), a_service(session)
        folder = TemplateFolder(id=new_id(), service_id=other.id, name="Theirs")
        contact = LetterContact(id=new_id(), service_id=other.id, contact_block="1 High Street")
        session.add_all([folder, contact])
        session.flush()
        for folder_id in (folder.id, new_id()):
            with pytest.raises(UnknownFolderError):
                a_template(session, service, folder_id=folder_id)
        for contact_id in (contact.id, new_id()):
            with pytest.raises(UnknownLetterContactError) as caught:
                a_template(session, service, "letter", service_letter_contact_id=contact_id)
            assert caught.value.messages == [
                f"letter_contact_id {contact_id} does not exist in database for service id {service.id}"
            ]


def test_update_makes_a_version(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, editor = a_service(session), a_user(session, email_address="editor@example.com")
        template = a_template(session, service)
        update_template(session, service.id, template.id, changed_by_id=editor.id, content="Goodbye ((name))")
        first, second = versions(session, template)
        assert (first.content, second.content) == ("Hello ((name))", "Goodbye ((name))")
        assert (first.updated_at, second.updated_at) == (None, template.updated_at)
        assert template.version == 2
        assert template.updated_at is not None

        old, new = (load_template(session, service.id, template.id, version) for version in (1, None))
        assert old is not None
        assert new is not None
        assert (old.version, old.content) == (1, "Hello ((name))")
        assert (new.version, new.content, new.created_by_email) == (2, "Goodbye ((name))", "editor@example.com")
        assert old.created_by_email != new.created_by_email


def test_update_that_changes_nothing_makes_no_version(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        template = a_template(session, service)
        update_template(
            session,
            service.id,
            template.id,
            changed_by_id=service.created_by_id,
            content="Hello ((name))",
            name="A template",
        )
        assert len(versions(session, template)) == 1


def test_refused_update_changes_nothing(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        template = a_template(session, service)
    with pytest.raises(ContentTooLongError), parts.database.transaction() as session:
        update_template(session, service.id, template.id, changed_by_id=service.created_by_id, content="x" * 919)
    with parts.database.session() as session:
        assert session.get_one(Template, template.id).content == "Hello ((name))"
        assert len(versions(session, template)) == 1


def test_update_of_what_is_not_there(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, other = a_service(session), a_service(session)
        template = a_template(session, other)
        hidden = a_template(session, service)
        hidden.hidden = True
        session.flush()
        for template_id in (template.id, hidden.id, new_id()):
            with pytest.raises(NotFoundProblemError):
                update_template(session, service.id, template_id, changed_by_id=service.created_by_id, name="x")


def test_archived_template_leaves_its_folder_and_the_list(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        folder = TemplateFolder(id=new_id(), service_id=service.id, name="Ours")
        session.add(folder)
        session.flush()
        template = a_template(session, service, folder_id=folder.id)
        assert session.get_one(TemplateFolderMap, template.id).template_folder_id == folder.id
        update_template(session, service.id, template.id, changed_by_id=service.created_by_id, archived=True)
        assert session.scalars(select(TemplateFolderMap)).all() == []
        assert list_templates(session, service.id) == []
        loaded = load_template(session, service.id, template.id)
        assert loaded is not None
        assert (loaded.archived, loaded.version) == (True, 2)


def test_edits_at_the_same_time_give_each_a_version(own_parts: Parts) -> None:
    with own_parts.database.transaction() as session:
        service = a_service(session)
        template = a_template(session, service)

    def edit(number: int) -> int:
        with own_parts.database.transaction() as session:
            return update_template(
                session, service.id, template.id, changed_by_id=service.created_by_id, content=f"Edit {number}"
            ).version

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(edit, range(4))) == [2, 3, 4, 5]
    with own_parts.database.session() as session:
        assert [row.version for row in versions(session, template)] == [1, 2, 3, 4, 5]


def test_archive_service(parts: Parts) -> None:
    now = datetime(2026, 7, 7, 12, 0, tzinfo=UTC)
    with parts.database.transaction() as session:
        service = a_service(session, name="Sample service")
        template = a_template(session, service)
        earlier = a_template(session, service)
        update_template(session, service.id, earlier.id, changed_by_id=service.created_by_id, archived=True)
        key = create_api_key(
            session,
            parts.encryptor,
            service_id=service.id,
            name="k",
            key_type="test",
            created_by_id=service.created_by_id,
        ).key
        archive_service(session, service.id, now=now)
        archive_service(session, service.id, now=now)  # the second time does nothing
    with parts.database.transaction() as session:
        archived = session.get_one(Service, service.id)
        assert (archived.active, archived.version) == (False, 2)
        assert archived.name == "_archived_2026-07-07-12:00:00_Sample service"
        assert archived.email_sender_local_part == "archived20260707120000sample.service"
        assert session.get_one(ServiceHistory, (service.id, 2)).name == archived.name
        assert [row.archived for row in versions(session, template)] == [False, True]
        assert len(versions(session, earlier)) == 2
        assert (session.get_one(ApiKey, key.id).expiry_date, session.get_one(ApiKey, key.id).version) == (now, 2)
        assert a_service(session, name="Sample service").id != service.id
        assert services.permissions(session, service.id) != []


def test_archive_of_no_service(parts: Parts) -> None:
    with parts.database.session() as session, pytest.raises(NotFoundProblemError):
        archive_service(session, new_id())


class TestLetterContacts:
    def letter(self, session: Session) -> tuple[Template, LetterContact]:
        service = a_service(session)
        contact = add_letter_contact(session, service.id, "1 High Street", is_default=True)
        template = create_template(
            session,
            service_id=service.id,
            template_type="letter",
            name="Letter",
            subject="Heading",
            content="Text",
            created_by_id=service.created_by_id,
        )
        return template, contact

    def test_choosing_the_same_one_again_is_a_version_all_the_same(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            template, contact = self.letter(session)
            for version in (2, 3):
                changed = set_letter_contact(session, template.service_id, template.id, contact.id)
                assert (changed.version, changed.service_letter_contact_id) == (version, contact.id)
            assert set_letter_contact(session, template.service_id, template.id, None).version == 4
        with parts.database.session() as session, pytest.raises(UnknownLetterContactError):
            set_letter_contact(session, template.service_id, template.id, new_id())

    def test_an_archived_one_leaves_its_templates_without_a_version(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            template, contact = self.letter(session)
            set_letter_contact(session, template.service_id, template.id, contact.id)
            for _ in range(2):
                assert archive_letter_contact(session, template.service_id, contact.id).archived
            session.refresh(template)
            assert (template.service_letter_contact_id, template.version) == (None, 2)
            assert list_letter_contacts(session, template.service_id) == []


def test_redaction_is_for_good_and_no_version(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, editor = a_service(session), a_user(session)
        template = create_template(
            session,
            service_id=service.id,
            template_type="sms",
            name="T",
            content="Hi ((name))",
            created_by_id=service.created_by_id,
        )
        for author in (editor.id, service.created_by_id):
            redact_template(session, service.id, template.id, changed_by_id=author)
        loaded = load_template(session, service.id, template.id)
        assert loaded is not None
        assert (loaded.redact_personalisation, loaded.version) == (True, 1)
        assert session.get_one(TemplateRedacted, template.id).updated_by_id == editor.id


@pytest.mark.parametrize(("size", "accepted"), [(504, True), (505, False)])
def test_a_qr_code_that_cannot_be_read_is_refused(parts: Parts, size: int, accepted: bool) -> None:
    with parts.database.session() as session:
        service = a_service(session)
        with nullcontext() if accepted else pytest.raises(QrCodeTooLongError, match="qr-code-too-long"):
            create_template(
                session,
                service_id=service.id,
                template_type="letter",
                name="Code",
                subject="Code",
                content="qr: " + "a" * size,
                created_by_id=service.created_by_id,
            )
