"""Commands about templates."""

from __future__ import annotations

from uuid import UUID

import click
from sqlalchemy.orm import Session

from notify.cli.common import (
    author_id,
    find_service,
    json_option,
    need_uuid,
    open_session,
    pick,
    service_option,
    show,
    show_table,
    user_option,
)
from notify.cli.text_file import TextFile
from notify.services.models import Service
from notify.services.senders import get_letter_contact
from notify.templates.actions import TemplateChanges, create_template, redact_template, update_template
from notify.templates.queries import CachedTemplate, list_templates, load_template
from notify.templates.rules import POSTAGES
from notify.vocabulary import TEMPLATE_TYPES

_template = click.option("--template", "wanted", required=True, help="Name or id of the template.")
_file = click.option("--content-file", type=TextFile(), help="File with the text; - for standard input.")


def _find(session: Session, service: Service, wanted: str) -> UUID:
    return pick("template", wanted, [(row.id, row.name) for row in list_templates(session, service.id)])


@click.command("create-template")
@service_option
@click.option("--type", "template_type", required=True, type=click.Choice(TEMPLATE_TYPES), help="What it makes.")
@click.option("--name", required=True, help="Name, shown to the team only.")
@click.option("--subject", help="Subject of an email, heading of a letter.")
@click.option("--content", help="Text, with placeholders like ((name)).")
@_file
@click.option("--postage", type=click.Choice(POSTAGES), help="Class of post of a letter. [default: second]")
@click.option("--letter-contact", type=click.UUID, help="Id of the contact block of a letter. [default: none]")
@click.option("--unsubscribe-link", is_flag=True, help="Put a one-click unsubscribe link into the email.")
@user_option
@json_option
def create_template_command(
    *,
    which: str,
    template_type: str,
    name: str,
    subject: str | None,
    content: str | None,
    content_file: str | None,
    postage: str | None,
    letter_contact: UUID | None,
    unsubscribe_link: bool,
    who: str | None,
    as_json: bool,
) -> None:
    """Create a template that messages are sent from."""
    text = _content(content, content_file)
    if text is None:
        raise click.UsageError("give either --content or --content-file")
    with open_session() as session:
        service = find_service(session, which)
        template = create_template(
            session,
            service_id=service.id,
            template_type=template_type,
            name=name,
            subject=subject,
            content=text,
            postage=postage,
            service_letter_contact_id=letter_contact,
            has_unsubscribe_link=unsubscribe_link,
            created_by_id=author_id(session, who, service),
        )
        values = {"id": template.id, "type": template_type, "name": name, "version": template.version}
    show(values, as_json)


def _content(content: str | None, content_file: str | None) -> str | None:
    if content is not None and content_file is not None:
        raise click.UsageError("give either --content or --content-file")
    return content if content_file is None else content_file


@click.command("update-template")
@service_option
@_template
@click.option("--name", help="Another name.")
@click.option("--subject", help="New subject or heading.")
@click.option("--content", help="Another text.")
@_file
@click.option("--postage", type=click.Choice(POSTAGES), help="New class of post.")
@click.option("--letter-contact", help="Id of the new contact block; '' for none.")
@click.option("--unsubscribe-link/--no-unsubscribe-link", default=None, help="With or without a link to unsubscribe.")
@user_option
@json_option
def update_template_command(
    *,
    which: str,
    wanted: str,
    name: str | None,
    subject: str | None,
    content: str | None,
    content_file: str | None,
    postage: str | None,
    letter_contact: str | None,
    unsubscribe_link: bool | None,
    who: str | None,
    as_json: bool,
) -> None:
    """Change a template: it becomes a new version, unless nothing differs. Earlier messages keep their version."""
    changes: TemplateChanges = {}
    if name is not None:
        changes["name"] = name
    if subject is not None:
        changes["subject"] = subject
    if (text := _content(content, content_file)) is not None:
        changes["content"] = text
    if postage is not None:
        changes["postage"] = postage
    if unsubscribe_link is not None:
        changes["has_unsubscribe_link"] = unsubscribe_link
    with open_session() as session:
        service = find_service(session, which)
        if letter_contact is not None:
            changes["service_letter_contact_id"] = _contact(session, service, letter_contact)
        if not changes:
            raise click.UsageError("give at least one thing to change")
        template_id = _find(session, service, wanted)
        template = update_template(
            session, service.id, template_id, changed_by_id=author_id(session, who, service), **changes
        )
        values = {"id": template.id, "name": template.name, "version": template.version}
    show(values, as_json)


def _contact(session: Session, service: Service, wanted: str) -> UUID | None:
    if not wanted:
        return None
    return get_letter_contact(session, service.id, need_uuid(wanted, "contact block")).id


@click.command("archive-template")
@service_option
@_template
@user_option
@json_option
def archive_template_command(which: str, wanted: str, who: str | None, as_json: bool) -> None:
    """Archive a template: nothing can be sent from it any more."""
    with open_session() as session:
        service = find_service(session, which)
        template = update_template(
            session,
            service.id,
            _find(session, service, wanted),
            changed_by_id=author_id(session, who, service),
            archived=True,
        )
        values = {"id": template.id, "name": template.name, "version": template.version, "archived": template.archived}
    show(values, as_json)


@click.command("redact-template")
@service_option
@_template
@user_option
@json_option
def redact_template_command(which: str, wanted: str, who: str | None, as_json: bool) -> None:
    """Hide the personalisation of a template's sent messages, for good."""
    with open_session() as session:
        service = find_service(session, which)
        template_id = _find(session, service, wanted)
        redact_template(session, service.id, template_id, changed_by_id=author_id(session, who, service))
        values = {"id": template_id, "redact_personalisation": True}
    show(values, as_json)


@click.command("list-templates")
@service_option
@click.option("--type", "template_type", type=click.Choice(TEMPLATE_TYPES), help="Only these. [default: all]")
@json_option
def list_templates_command(which: str, template_type: str | None, as_json: bool) -> None:
    """List a service's templates by name."""
    with open_session() as session:
        rows = [
            {"id": row.id, "type": row.type, "version": row.version, "name": row.name}
            for row in list_templates(session, find_service(session, which).id, template_type)
        ]
    show_table(rows, as_json)


@click.command("show-template")
@service_option
@_template
@click.option("--version", type=click.IntRange(min=1), help="An earlier version. [default: the current one]")
@json_option
def show_template_command(which: str, wanted: str, version: int | None, as_json: bool) -> None:
    """Show a template, or an earlier version of it."""
    with open_session() as session:
        service = find_service(session, which)
        template = load_template(session, service.id, _find(session, service, wanted), version)
    if template is None:
        raise click.ClickException(f"the template has no version {version}")
    if as_json:
        show(_values(template) | {"content": template.content}, as_json)
    else:
        show({name: value for name, value in _values(template).items() if value is not None}, as_json)
        click.echo(f"\n{template.content}")


def _values(template: CachedTemplate) -> dict[str, object]:
    return {
        "id": template.id,
        "type": template.type,
        "name": template.name,
        "version": template.version,
        "created_by": template.created_by_email,
        "postage": template.postage,
        "subject": template.subject,
    }


COMMANDS: list[click.Command] = [
    create_template_command,
    update_template_command,
    archive_template_command,
    redact_template_command,
    list_templates_command,
    show_template_command,
]
