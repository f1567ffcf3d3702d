"""Commands about a service's senders: text message senders, reply-to addresses, contact blocks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click

from notify.cli.common import find_service, json_option, open_session, pick, service_option, show, show_table
from notify.cli.text_file import TextFile
from notify.services.models import EmailReplyTo, LetterContact, SmsSender
from notify.services.senders import (
    add_letter_contact,
    add_reply_to,
    add_sms_sender,
    archive_letter_contact,
    archive_reply_to,
    archive_sms_sender,
    check_sms_sender,
    list_letter_contacts,
    list_reply_tos,
    list_sms_senders,
    update_letter_contact,
    update_reply_to,
    update_sms_sender,
)

_default = click.option("--default", "is_default", is_flag=True, help="Use it for messages that name no other.")
_becomes_default = click.option("--default", "becomes_default", is_flag=True, help="Make it the default.")


# -- text message senders


def _sms_values(row: SmsSender) -> dict[str, Any]:
    return {"id": row.id, "sms_sender": row.sms_sender, "is_default": row.is_default}


@click.command("add-sms-sender")
@service_option
@click.option("--sender", "text", required=True, help="3 to 11 letters, digits, blanks and & . - _")
@_default
@json_option
def add_sms_sender_command(which: str, text: str, is_default: bool, as_json: bool) -> None:
    """Add a text message sender to a service."""
    with open_session() as session:
        check_sms_sender(text)
        row = add_sms_sender(session, find_service(session, which).id, text, is_default=is_default)
        values = _sms_values(row)
    show(values, as_json)


@click.command("update-sms-sender")
@service_option
@click.option("--sender", "wanted", required=True, help="The sender, or its id.")
@click.option("--new", "text", help="The new value.")
@_becomes_default
@json_option
def update_sms_sender_command(which: str, wanted: str, text: str | None, becomes_default: bool, as_json: bool) -> None:
    """Change a text message sender, or make it the default."""
    with open_session() as session:
        if text is not None:
            check_sms_sender(text)
        service_id = find_service(session, which).id
        rows = {row.id: row for row in list_sms_senders(session, service_id)}
        row = rows[pick("text message sender", wanted, [(row.id, row.sms_sender) for row in rows.values()])]
        is_default = becomes_default or row.is_default
        row = update_sms_sender(session, service_id, row.id, text or row.sms_sender, is_default=is_default)
        values = _sms_values(row)
    show(values, as_json)


@click.command("archive-sms-sender")
@service_option
@click.option("--sender", "wanted", required=True, help="The sender, or its id.")
@json_option
def archive_sms_sender_command(which: str, wanted: str, as_json: bool) -> None:
    """Archive a text message sender: messages can no longer be sent from it."""
    with open_session() as session:
        service_id = find_service(session, which).id
        senders = [(row.id, row.sms_sender) for row in list_sms_senders(session, service_id)]
        row = archive_sms_sender(session, service_id, pick("text message sender", wanted, senders))
        values = {"id": row.id, "sms_sender": row.sms_sender, "archived": row.archived}
    show(values, as_json)


@click.command("list-sms-senders")
@service_option
@json_option
def list_sms_senders_command(which: str, as_json: bool) -> None:
    """List a service's text message senders, the default first."""
    with open_session() as session:
        rows = [_sms_values(row) for row in list_sms_senders(session, find_service(session, which).id)]
    show_table(rows, as_json)


# -- reply-to addresses


def _reply_to_values(row: EmailReplyTo) -> dict[str, Any]:
    return {"id": row.id, "email_address": row.email_address, "is_default": row.is_default}


@click.command("add-reply-to")
@service_option
@click.option("--email", "email_address", required=True, help="Address that recipients' replies go to.")
@_default
@json_option
def add_reply_to_command(which: str, email_address: str, is_default: bool, as_json: bool) -> None:
    """Add a reply-to address to a service. The first one becomes the default."""
    with open_session() as session:
        service_id = find_service(session, which).id
        is_default = is_default or not list_reply_tos(session, service_id)
        values = _reply_to_values(add_reply_to(session, service_id, email_address, is_default=is_default))
    show(values, as_json)


@click.command("update-reply-to")
@service_option
@click.option("--email", "wanted", required=True, help="The address, or its id.")
@click.option("--new", "email_address", help="The new value.")
@_becomes_default
@json_option
def update_reply_to_command(
    which: str, wanted: str, email_address: str | None, becomes_default: bool, as_json: bool
) -> None:
    """Change a reply-to address, or make it the default."""
    with open_session() as session:
        service_id = find_service(session, which).id
        rows = {row.id: row for row in list_reply_tos(session, service_id)}
        row = rows[pick("reply-to address", wanted, [(row.id, row.email_address) for row in rows.values()])]
        is_default = becomes_default or row.is_default
        row = update_reply_to(session, service_id, row.id, email_address or row.email_address, is_default=is_default)
        values = _reply_to_values(row)
    show(values, as_json)


@click.command("archive-reply-to")
@service_option
@click.option("--email", "wanted", required=True, help="The address, or its id.")
@json_option
def archive_reply_to_command(which: str, wanted: str, as_json: bool) -> None:
    """Archive a reply-to address: emails can no longer be sent with it."""
    with open_session() as session:
        service_id = find_service(session, which).id
        addresses = [(row.id, row.email_address) for row in list_reply_tos(session, service_id)]
        row = archive_reply_to(session, service_id, pick("reply-to address", wanted, addresses))
        values = {"id": row.id, "email_address": row.email_address, "archived": row.archived}
    show(values, as_json)


@click.command("list-reply-tos")
@service_option
@json_option
def list_reply_tos_command(which: str, as_json: bool) -> None:
    """List a service's reply-to addresses, the default first."""
    with open_session() as session:
        rows = [_reply_to_values(row) for row in list_reply_tos(session, find_service(session, which).id)]
    show_table(rows, as_json)


# -- contact blocks of letters


def _contact_values(row: LetterContact) -> dict[str, Any]:
    return {"id": row.id, "contact_block": row.contact_block, "is_default": row.is_default}


def _block(text: str | None, content: str | None) -> str | None:
    if text is not None and content is not None:
        raise click.UsageError("give either --block or --block-file")
    # allow \n as two characters, so that an address fits on a command line
    return text.replace("\\n", "\n") if text is not None else content


_text = click.option("--block", "text", help=r"The address, with \n between its lines.")
_file = click.option("--block-file", "content", type=TextFile(), help="File with the address; - for standard input.")


@click.command("add-letter-contact")
@service_option
@_text
@_file
@_default
@json_option
def add_letter_contact_command(
    which: str, text: str | None, content: str | None, is_default: bool, as_json: bool
) -> None:
    """Add a contact block, the sender's address on letters, to a service."""
    block = _block(text, content)
    if block is None:
        raise click.UsageError("give --block or --block-file")
    with open_session() as session:
        service_id = find_service(session, which).id
        values = _contact_values(add_letter_contact(session, service_id, block.rstrip(), is_default=is_default))
    show(values, as_json)


@click.command("update-letter-contact")
@service_option
@click.option("--id", "contact_id", required=True, type=click.UUID, help="Id of the contact block.")
@_text
@_file
@click.option("--default/--no-default", "is_default", default=None, help="Make it the default, or no longer.")
@json_option
def update_letter_contact_command(
    *, which: str, contact_id: UUID, text: str | None, content: str | None, is_default: bool | None, as_json: bool
) -> None:
    """Change a contact block, and with it the letters of every template that uses it."""
    block = _block(text, content)
    with open_session() as session:
        service_id = find_service(session, which).id
        rows = {row.id: row for row in list_letter_contacts(session, service_id)}
        row = rows[pick("contact block", str(contact_id), [(row.id, "") for row in rows.values()])]
        row = update_letter_contact(
            session,
            service_id,
            row.id,
            row.contact_block if block is None else block.rstrip(),
            is_default=row.is_default if is_default is None else is_default,
        )
        values = _contact_values(row)
    show(values, as_json)


@click.command("archive-letter-contact")
@service_option
@click.option("--id", "contact_id", required=True, type=click.UUID, help="Id of the contact block.")
@json_option
def archive_letter_contact_command(which: str, contact_id: UUID, as_json: bool) -> None:
    """Archive a contact block, and remove it from templates that use it."""
    with open_session() as session:
        row = archive_letter_contact(session, find_service(session, which).id, contact_id)
        values = {"id": row.id, "contact_block": row.contact_block, "archived": row.archived}
    show(values, as_json)


@click.command("list-letter-contacts")
@service_option
@json_option
def list_letter_contacts_command(which: str, as_json: bool) -> None:
    """List a service's contact blocks, the default first."""
    with open_session() as session:
        rows = [_contact_values(row) for row in list_letter_contacts(session, find_service(session, which).id)]
    show_table(rows, as_json)


COMMANDS: list[click.Command] = [
    add_sms_sender_command,
    update_sms_sender_command,
    archive_sms_sender_command,
    list_sms_senders_command,
    add_reply_to_command,
    update_reply_to_command,
    archive_reply_to_command,
    list_reply_tos_command,
    add_letter_contact_command,
    update_letter_contact_command,
    archive_letter_contact_command,
    list_letter_contacts_command,
]
