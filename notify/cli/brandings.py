"""Commands about brandings."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click
from sqlalchemy.orm import Session

from notify.branding.email_branding import create_email_branding, list_email_brandings, update_email_branding
from notify.branding.letter_branding import create_letter_branding, list_letter_brandings, update_letter_branding
from notify.branding.models import BRAND_TYPES, EmailBranding, LetterBranding
from notify.cli.common import find_user, json_option, open_session, pick, show, show_table
from notify.services.branding import archive_email_branding

_user = click.option("--user", "who", help="Email address or id of the author. [default: nobody]")


def _author(session: Session, who: str | None) -> UUID | None:
    return find_user(session, who).id if who else None


def _email_values(row: EmailBranding) -> dict[str, Any]:
    names = ("id", "name", "brand_type", "colour", "logo", "text", "alt_text")
    return {name: getattr(row, name) for name in names}


def _letter_values(row: LetterBranding) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "filename": row.filename}


@click.command("create-email-branding")
@click.option("--name", required=True, help="Name shown in the list of brandings.")
@click.option("--text", help="Text beside the logo. Give this or --alt-text.")
@click.option("--alt-text", help="Text of the logo, for people who cannot see it.")
@click.option("--logo", help="File name of the logo in the bucket of logos.")
@click.option("--colour", help="Colour of the banner, such as #1d70b8.")
@click.option("--type", "brand_type", type=click.Choice(BRAND_TYPES), default="org", show_default=True, help="Layout.")
@_user
@json_option
def create_email_branding_command(
    *,
    name: str,
    text: str | None,
    alt_text: str | None,
    logo: str | None,
    colour: str | None,
    brand_type: str,
    who: str | None,
    as_json: bool,
) -> None:
    """Create an email branding: logo, colour and text at the top of emails."""
    with open_session() as session:
        row = create_email_branding(
            session,
            name=name,
            text=text,
            alt_text=alt_text,
            logo=logo,
            colour=colour,
            brand_type=brand_type,
            created_by_id=_author(session, who),
        )
        values = _email_values(row)
    show(values, as_json)


def _email_id(session: Session, wanted: str) -> UUID:
    return pick("email branding", wanted, [(row.id, row.name) for row in list_email_brandings(session)])


_email = click.option("--branding", "wanted", required=True, help="Name or id of the email branding.")


@click.command("update-email-branding")
@_email
@click.option("--name", help="Another name.")
@click.option("--text", help="New text beside the logo; '' for none.")
@click.option("--alt-text", help="New text of the logo; '' for none.")
@click.option("--logo", help="File name of the new logo; '' for none.")
@click.option("--colour", help="New colour; '' for none.")
@click.option("--type", "brand_type", type=click.Choice(BRAND_TYPES), help="Another layout.")
@_user
@json_option
def update_email_branding_command(wanted: str, who: str | None, as_json: bool, **options: str | None) -> None:
    """Change an email branding."""
    changes = {name: value for name, value in options.items() if value is not None}
    if not changes:
        raise click.UsageError("give at least one thing to change")
    with open_session() as session:
        row = update_email_branding(
            session,
            _email_id(session, wanted),
            updated_by_id=_author(session, who),
            **changes,
        )
        values = _email_values(row)
    show(values, as_json)


@click.command("archive-email-branding")
@_email
@json_option
def archive_email_branding_command(wanted: str, as_json: bool) -> None:
    """Archive an email branding that no service and no organisation uses."""
    with open_session() as session:
        row = archive_email_branding(session, _email_id(session, wanted))
        values = {"id": row.id, "name": row.name, "archived": not row.active}
    show(values, as_json)


@click.command("create-letter-branding")
@click.option("--name", required=True, help="Name shown in the list of brandings.")
@click.option("--filename", required=True, help="File name of the logo, without extension.")
@_user
@json_option
def create_letter_branding_command(name: str, filename: str, who: str | None, as_json: bool) -> None:
    """Create a letter branding: the logo of letters."""
    with open_session() as session:
        row = create_letter_branding(session, name=name, filename=filename, created_by_id=_author(session, who))
        values = _letter_values(row)
    show(values, as_json)


@click.command("update-letter-branding")
@click.option("--branding", "wanted", required=True, help="Name or id of the letter branding.")
@click.option("--name", help="Another name.")
@click.option("--filename", help="File name of the new logo, without extension.")
@_user
@json_option
def update_letter_branding_command(
    wanted: str, name: str | None, filename: str | None, who: str | None, as_json: bool
) -> None:
    """Change a letter branding."""
    if name is None and filename is None:
        raise click.UsageError("give at least one thing to change")
    with open_session() as session:
        rows = {row.id: row for row in list_letter_brandings(session)}
        row = rows[pick("letter branding", wanted, [(row.id, row.name) for row in rows.values()])]
        row = update_letter_branding(
            session,
            row.id,
            name=name or row.name,
            filename=filename or row.filename,
            updated_by_id=_author(session, who),
        )
        values = _letter_values(row)
    show(values, as_json)


@click.command("list-brandings")
@json_option
def list_brandings_command(as_json: bool) -> None:
    """List the email and letter brandings by name."""
    with open_session() as session:
        rows = [
            *({"kind": "email", "id": row.id, "name": row.name} for row in list_email_brandings(session)),
            *({"kind": "letter", "id": row.id, "name": row.name} for row in list_letter_brandings(session)),
        ]
    show_table(rows, as_json)


COMMANDS: list[click.Command] = [
    create_email_branding_command,
    update_email_branding_command,
    archive_email_branding_command,
    create_letter_branding_command,
    update_letter_branding_command,
    list_brandings_command,
]
