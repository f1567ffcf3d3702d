"""Commands about organisations (contract: workers 17)."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import click
from sqlalchemy.orm import Session

from notify.branding.email_branding import list_email_brandings
from notify.branding.letter_branding import list_letter_brandings
from notify.cli.common import as_uuid, json_option, need_uuid, open_session, pick, show
from notify.cli.text_file import TextFile
from notify.organisations.actions import create_organisation, set_columns
from notify.organisations.errors import DuplicateDomainError, DuplicateOrganisationError
from notify.services.domain_links import link_services
from notify.services.organisations import lock_organisation
from notify.vocabulary import ORGANISATION_TYPES

_TRUTHS = {"true": True, "t": True, "yes": True, "1": True, "false": False, "f": False, "no": False, "0": False}


class _Line(NamedTuple):
    """A line of the file of organisations."""

    name: str
    organisation_type: str
    crown: bool | None
    agreement_signed: bool | None
    domains: list[str]
    email_branding: str
    letter_branding: str


@click.command("populate-organisations-from-file")
@click.option(
    "--file_name",
    "--file-name",
    "-f",
    "text",
    required=True,
    type=TextFile(),
    help="File of lines `name|type|crown|agreement|domains|email branding|letter branding` below a header line; "
    "domains are separated by commas.",
)
@json_option
def populate_organisations_from_file_command(text: str, as_json: bool) -> None:
    """Create the organisations listed in a file. Skips those whose name or domain is taken."""
    lines = [line for line in text.splitlines()[1:] if line.strip()]
    made = 0
    with open_session() as session:
        for number, line in enumerate(lines, start=2):
            made += _make(session, _read_line(line, number))
    show({"made": made, "known_already": len(lines) - made}, as_json)


@click.command("populate-organisation-agreement-details-from-file")
@click.option(
    "--file_name",
    "--file-name",
    "-f",
    "text",
    required=True,
    type=TextFile(),
    help="CSV file of organisation id, version of the agreement, name of the person on whose behalf, and day "
    "(dd/mm/yyyy) of the signature.",
)
@json_option
def populate_organisation_agreement_details_from_file_command(text: str, as_json: bool) -> None:
    """Store who signed agreements, and when."""
    rows = [row for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)]
    if rows and as_uuid(rows[0][0].strip()) is None:  # a header line
        rows = rows[1:]
    with open_session() as session:
        for row in rows:
            _store_agreement(session, [cell.strip() for cell in row])
    show({"changed": len(rows)}, as_json)


@click.command("associate-services-to-organisations")
@json_option
def associate_services_to_organisations_command(as_json: bool) -> None:
    """Link services without an organisation to that of their creator. It is found by the creator's email domain."""
    with open_session() as session:
        linked = link_services(session)
    show({"linked": linked}, as_json)


def _read_line(line: str, number: int) -> _Line:
    cells = [cell.strip() for cell in line.split("|")]
    if len(cells) != 7:
        raise click.ClickException(f"line {number}: has {len(cells)} columns, not 7")
    name, organisation_type, crown, agreement, domains, email_branding, letter_branding = cells
    if not name:
        raise click.ClickException(f"line {number}: has no name")
    if organisation_type not in ORGANISATION_TYPES:
        raise click.ClickException(f"line {number}: {organisation_type} is no type of organisation")
    return _Line(
        name,
        organisation_type,
        _truth(crown, number),
        _truth(agreement, number),
        [domain.strip() for domain in domains.split(",") if domain.strip()],
        email_branding,
        letter_branding,
    )


def _truth(cell: str, number: int) -> bool | None:
    if not cell:
        return None
    if cell.lower() not in _TRUTHS:
        raise click.ClickException(f"line {number}: {cell} is neither TRUE nor FALSE")
    return _TRUTHS[cell.lower()]


def _make(session: Session, line: _Line) -> bool:
    """Create an organisation; False if its name or a domain is taken."""
    email = _branding_id(line.email_branding, [(row.id, row.name) for row in list_email_brandings(session)])
    letter = _branding_id(line.letter_branding, [(row.id, row.name) for row in list_letter_brandings(session)])
    try:
        with session.begin_nested():
            create_organisation(
                session,
                name=line.name,
                organisation_type=line.organisation_type,
                crown=line.crown,
                agreement_signed=line.agreement_signed,
                domains=line.domains,
                email_branding_id=email,
                letter_branding_id=letter,
            )
    except (DuplicateOrganisationError, DuplicateDomainError):
        return False
    return True


def _branding_id(name: str, rows: list[tuple[UUID, str]]) -> UUID | None:
    return pick("branding", name, rows) if name else None


def _store_agreement(session: Session, row: list[str]) -> None:
    if len(row) != 4:
        raise click.ClickException(f"a line has {len(row)} columns, not 4: {','.join(row)}")
    organisation_id, version, on_behalf_of, day = row
    organisation = lock_organisation(session, need_uuid(organisation_id, "organisation"))
    try:
        signed_at = datetime.strptime(day, "%d/%m/%Y").replace(tzinfo=UTC)
        signed_version = float(version)
    except ValueError as error:
        raise click.ClickException(f"{organisation_id}: {error}") from None
    set_columns(
        session,
        organisation,
        {
            "agreement_signed_version": signed_version,
            "agreement_signed_on_behalf_of_name": on_behalf_of or None,
            "agreement_signed_at": signed_at,
        },
    )


COMMANDS: list[click.Command] = [
    populate_organisations_from_file_command,
    populate_organisation_agreement_details_from_file_command,
    associate_services_to_organisations_command,
]
