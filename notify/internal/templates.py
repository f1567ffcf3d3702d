"""Templates (contract: internal-users-orgs-templates 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Self
from uuid import UUID

from flask import Response
from pydantic import (
    MISSING,
    AfterValidator,
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    WithJsonSchema,
    model_validator,
)
from sqlalchemy.orm import Session

from notify.content.placeholders import TooMuchTextError
from notify.infra.errors import FieldProblemError, NotFoundProblemError
from notify.infra.validation import complain, shown
from notify.internal.fields import Moment, Uuid
from notify.internal.letter_attachments import AttachmentAnswer
from notify.internal.reading import Unread
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data, Query
from notify.messages.errors import too_much_text
from notify.templates import actions, details, rules
from notify.templates.errors import InvalidTemplateError, NameTooLongError
from notify.templates.rules import POSTAGES
from notify.vocabulary import LETTER_LANGUAGES, TEMPLATE_TYPES

routes = Routes("templates", "/service/<uuid:service_id>/template")


def _template_type(value: str) -> str:
    if value not in (*TEMPLATE_TYPES, "broadcast"):
        raise complain(f"{shown(value)} is not one of [{', '.join(TEMPLATE_TYPES)}]")
    return value


# error texts do not mention the type of emergency alerts
TemplateType = Annotated[
    str,
    AfterValidator(_template_type),
    WithJsonSchema({"type": "string", "enum": [*TEMPLATE_TYPES, "broadcast"], "examples": ["sms"]}),
]


class _Absent:
    """Represents a missing required subject."""


def _postage(value: str) -> str:
    if value not in POSTAGES:
        raise complain("invalid. It must be either first, second or economy.")
    return value


def _languages(value: str) -> str:
    if value not in LETTER_LANGUAGES:
        raise complain(f"{shown(value)} is not one of [{', '.join(LETTER_LANGUAGES)}]")
    return value


def _subject(value: object) -> object:
    if isinstance(value, _Absent):
        raise complain("is a required property")
    return value


Postage = Annotated[str, AfterValidator(_postage), Field(examples=["first"])]
Languages = Annotated[str, AfterValidator(_languages), Field(examples=["english"])]


class LetterTexts(Body):
    """A body that may have the languages of a letter, in valid combinations."""

    letter_languages: Languages | MISSING = MISSING
    letter_welsh_subject: str | MISSING | None = MISSING
    letter_welsh_content: str | MISSING | None = MISSING

    @model_validator(mode="wrap")
    @classmethod
    def _check_languages(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        body = handler(data)
        if not body.are_languages_right():
            raise complain(f"{shown(data)} is not valid under any of the given schemas")
        return body

    def are_languages_right(self) -> bool:
        """For English, no Welsh texts; for Welsh, both; without a language, both or neither."""
        welsh = [self.letter_welsh_subject, self.letter_welsh_content]
        are_texts = [isinstance(text, str) for text in welsh]
        if self.letter_languages == "english":
            return welsh == [None, None]
        if self.letter_languages == "welsh_then_english":
            return all(are_texts)
        return MISSING in welsh or are_texts[0] == are_texts[1]


class NewTemplate(LetterTexts):
    """A template to create."""

    name: str
    template_type: TemplateType
    service: Uuid
    content: str
    subject: Annotated[str | MISSING, BeforeValidator(_subject)] = MISSING
    parent_folder_id: Uuid | MISSING = MISSING
    created_by: Uuid
    postage: Postage | MISSING = MISSING
    reply_to: Uuid | MISSING | None = MISSING
    has_unsubscribe_link: bool | MISSING | None = MISSING

    @model_validator(mode="before")
    @classmethod
    def _need_subject(cls, data: Any) -> Any:
        if isinstance(data, dict) and "subject" not in data and data.get("template_type", "email") in _WITH_SUBJECT:
            return data | {"subject": _Absent()}
        return data


_WITH_SUBJECT: Final = ("email", "letter")


class TemplateChange(LetterTexts, extra="allow"):
    """The fields of a template to change. Unknown fields count as a change."""

    id: Uuid | MISSING = MISSING
    name: str | MISSING = MISSING
    template_type: TemplateType | MISSING = MISSING
    service: Uuid | MISSING = MISSING
    content: str | MISSING = MISSING
    subject: str | MISSING = MISSING
    postage: Postage | MISSING = MISSING
    reply_to: Uuid | MISSING | None = MISSING
    created_by: Uuid | MISSING = MISSING
    current_user: Uuid | MISSING = MISSING
    archived: bool | MISSING = MISSING
    archive_email_file_ids: list[Uuid] | MISSING = MISSING
    has_unsubscribe_link: bool | MISSING | None = MISSING
    redact_personalisation: Any = None


class Values(Query, extra="allow"):
    """The values of placeholders, by name."""


class TemplateFileAnswer(Answer):
    """A file of an email template."""

    id: UUID
    filename: str
    link_text: str | None
    retention_period: int
    validate_users_email: bool
    pending: bool


class AuthorAnswer(Answer):
    """The author of a version."""

    id: UUID
    name: str
    email_address: str


class _TemplateFields(Answer):
    id: UUID
    name: str
    template_type: str
    content: str
    subject: str | None
    service: UUID
    created_at: Moment
    updated_at: Moment | None
    version: int
    archived: bool
    hidden: bool
    postage: str | None
    reply_to: UUID | None
    reply_to_text: str | None
    service_letter_contact: UUID | None
    letter_attachment: AttachmentAnswer | None
    letter_languages: str | None
    letter_welsh_subject: str | None
    letter_welsh_content: str | None
    has_unsubscribe_link: bool
    is_precompiled_letter: bool
    template_redacted: UUID | None
    email_files: list[TemplateFileAnswer]


class TemplateAnswer(_TemplateFields):
    """A template as it is now."""

    created_by: UUID
    folder: UUID | None
    redact_personalisation: bool


class VersionAnswer(_TemplateFields):
    """A version of a template."""

    created_by: AuthorAnswer = Field(validation_alias="author")


class ListedTemplateAnswer(Answer):
    """A template in a list; with its content if it is for emergency alerts."""

    id: UUID
    name: str
    template_type: str
    folder: UUID | None
    content: str | MISSING = MISSING
    is_precompiled_letter: bool


_STORED: Final = (
    "name",
    "content",
    "subject",
    "postage",
    "archived",
    "letter_languages",
    "letter_welsh_subject",
    "letter_welsh_content",
    "has_unsubscribe_link",
)


@routes.post("", status=201)
def create_template(session: Session, service_id: UUID, body: Unread[NewTemplate]) -> Data[TemplateAnswer]:
    """Create a template."""
    rules.check_service(session, service_id)
    new = body.read()
    given = new.given()
    values = {name: given[name] for name in (*_STORED, "template_type") if name in given}
    values["has_unsubscribe_link"] = bool(given.get("has_unsubscribe_link"))
    if new.template_type == "letter":
        values.setdefault("letter_languages", "english")
    try:
        template = actions.create_template(
            session,
            service_id=service_id,
            created_by_id=new.created_by,
            folder_id=given.get("parent_folder_id"),
            service_letter_contact_id=given.get("reply_to"),
            **values,
        )
    except NameTooLongError:
        raise NotFoundProblemError from None
    return _current(session, service_id, template.id)


@routes.get("")
def list_templates(session: Session, service_id: UUID) -> Data[list[ListedTemplateAnswer]]:
    """List a service's templates."""
    listed = details.list_service_templates(session, service_id)
    return Data(data=[_listed(template) for template in listed])


@routes.get("/precompiled", writes=True)
def get_precompiled_template(session: Session, service_id: UUID) -> TemplateAnswer:
    """Get the hidden template of uploaded letters."""
    template_id = actions.precompiled_template(session, service_id)
    return TemplateAnswer.of(details.template_details(session, service_id, template_id, hidden=True))


@routes.get("/<uuid:template_id>")
def get_template(session: Session, service_id: UUID, template_id: UUID) -> Data[TemplateAnswer]:
    """Get a template."""
    return _current(session, service_id, template_id)


@routes.post("/<uuid:template_id>")
def change_template(
    session: Session, service_id: UUID, template_id: UUID, body: Unread[TemplateChange]
) -> Data[TemplateAnswer] | Response:
    """Change a template."""
    template = actions.lock_template(session, service_id, template_id)
    change = body.read()
    given = change.given() | (change.model_extra or {})
    if given.get("redact_personalisation") is True:
        if "created_by" not in given:
            raise FieldProblemError("created_by", "Field is required")
        actions.redact_template(session, service_id, template_id, changed_by_id=given["created_by"])
        return Response("null", content_type="text/html; charset=utf-8")
    if "reply_to" in given:
        actions.set_letter_contact(session, service_id, template_id, given["reply_to"])
        return _current(session, service_id, template_id)
    if given.get("has_unsubscribe_link", False) is None:
        given["has_unsubscribe_link"] = False
    current = _current(session, service_id, template_id)
    if not _differs(current.data, given):
        return current
    if given.get("template_type", template.template_type) != template.template_type:
        raise InvalidTemplateError("template_type", "The type of a template cannot be changed")
    actions.change_template(
        session,
        template,
        {name: given[name] for name in _STORED if name in given},
        changed_by_id=given.get("created_by"),
        archived_file_ids=given.get("archive_email_file_ids", ()),
    )
    return _current(session, service_id, template_id)


@routes.get("/<uuid:template_id>/versions")
def list_versions(session: Session, service_id: UUID, template_id: UUID) -> Data[list[VersionAnswer]]:
    """List the versions of a template."""
    return Data(data=VersionAnswer.of_each(details.list_versions(session, service_id, template_id)))


@routes.get("/<uuid:template_id>/version/<int:version>")
def get_version(session: Session, service_id: UUID, template_id: UUID, version: int) -> Data[VersionAnswer]:
    """Get a version of a template."""
    return Data(data=VersionAnswer.of(details.version_details(session, service_id, template_id, version)))


@routes.get("/<uuid:template_id>/preview")
def preview_template(session: Session, service_id: UUID, template_id: UUID, query: Values) -> TemplateAnswer:
    """Preview a template with values."""
    template = details.template_details(session, service_id, template_id)
    try:
        filled = details.fill(template, query.model_extra or {})
    except TooMuchTextError as error:
        raise too_much_text(template.template_type, error.length) from None
    return TemplateAnswer.of(template).model_copy(update=filled._asdict())


def _listed(template: details.ListedTemplate) -> ListedTemplateAnswer:
    content = {} if template.content is None else {"content": template.content}
    return ListedTemplateAnswer(**(template._asdict() | {"content": MISSING} | content))


def _current(session: Session, service_id: UUID, template_id: UUID) -> Data[TemplateAnswer]:
    return Data(data=TemplateAnswer.of(details.template_details(session, service_id, template_id)))


def _differs(current: TemplateAnswer, given: Mapping[str, Any]) -> bool:
    """Whether any value that the caller sent, known or not, differs from the current one."""
    shown_now = current.model_dump(mode="json")
    as_json = {name: str(value) if isinstance(value, UUID) else value for name, value in given.items()}
    return any(name not in shown_now or shown_now[name] != value for name, value in as_json.items())
