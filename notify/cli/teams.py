"""Commands about the teams of services and about going live (contract: workers 17)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click
from sqlalchemy.orm import Session

from notify.cli.common import as_uuid, find_service, find_user, json_option, open_parts, open_session, show
from notify.cli.text_file import TextFile
from notify.content.email_addresses import InvalidEmailAddress, validate
from notify.infra.container import Container
from notify.messages.publish import DeliveryPublisher
from notify.services.service import update_service
from notify.teams.invitations import Invitations
from notify.teams.models import ServiceInvitation
from notify.vocabulary import AUTH_TYPES, USER_PERMISSIONS

USER_COLUMN, DATE_COLUMN = 6, 8


@click.command("bulk-invite-user-to-service")
@click.option(
    "--file_name", "--file-name", "-f", "text", required=True, type=TextFile(), help="File with one address per line."
)
@click.option("--service_id", "--service-id", "-s", "which", required=True, help="Id or name of the service.")
@click.option("--user_id", "--user-id", "-u", "who", required=True, help="Id or email address of the inviter.")
@click.option("--permissions", "-p", required=True, help="Their permissions, separated by commas.")
@click.option("--auth_type", "--auth-type", "-a", type=click.Choice(AUTH_TYPES), default="sms_auth", show_default=True)
@json_option
def bulk_invite_user_to_service_command(
    *, text: str, which: str, who: str, permissions: str, auth_type: str, as_json: bool
) -> None:
    """Invite many people to the team of a service. If an address is invalid, it invites no one."""
    wanted = _permissions(permissions)
    addresses = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    for address in addresses:
        _check(address)
    with open_parts() as parts:
        container = Container(parts)
        with parts.database.transaction() as session:
            service, inviter = find_service(session, which), find_user(session, who)
            for address in addresses:
                invitation = ServiceInvitation(
                    email_address=address,
                    user_id=inviter.id,
                    service_id=service.id,
                    permissions=wanted,
                    auth_type=auth_type,
                )
                container.get(Invitations).invite_to_service(session, invitation, admin_url=None)
        container.get(DeliveryPublisher).close()
    show({"invited": len(addresses)}, as_json)


@click.command("populate-go-live")
@click.option(
    "--file_name",
    "--file-name",
    "-f",
    "text",
    required=True,
    type=TextFile(),
    help="CSV file with the id of a service in a column, the address of who asked to go live in the seventh, and the "
    "day (dd/mm/yyyy) in the ninth.",
)
@json_option
def populate_go_live_command(text: str, as_json: bool) -> None:
    """Store who made services live, and when. The time is noon of the day in the file."""
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines())]
    changed = 0
    with open_session() as session:
        for row in rows:
            changed += _store_go_live(session, row)
    show({"changed": changed, "without_a_service": len(rows) - changed}, as_json)


def _permissions(text: str) -> str:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in USER_PERMISSIONS:
            raise click.UsageError(f"there is no permission {name}")
    return ",".join(names)


def _check(address: str) -> None:
    try:
        validate(address)
    except InvalidEmailAddress:
        raise click.ClickException(f"{address} is no email address") from None


def _store_go_live(session: Session, row: Sequence[str]) -> bool:
    """Store the values of a row; False for one without the id of a service, such as a header."""
    service_id = next((cell for cell in row if as_uuid(cell)), None)
    if service_id is None or len(row) <= DATE_COLUMN:
        return False
    service = find_service(session, service_id)
    user = find_user(session, row[USER_COLUMN])
    try:
        day = datetime.strptime(row[DATE_COLUMN], "%d/%m/%Y").replace(tzinfo=UTC)
    except ValueError as error:
        raise click.ClickException(f"{service_id}: {error}") from None
    update_service(session, service.id, go_live_user_id=user.id, go_live_at=day + timedelta(hours=12))
    return True


COMMANDS: list[click.Command] = [bulk_invite_user_to_service_command, populate_go_live_command]
