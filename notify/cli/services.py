"""Commands about services: create, change, archive and list them; their guest lists, retention and brandings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from sqlalchemy.orm import Session

from notify.branding.email_branding import list_email_brandings
from notify.branding.letter_branding import list_letter_brandings
from notify.cli.common import (
    author_id,
    find_service,
    find_user,
    json_option,
    open_parts,
    open_session,
    pick,
    service_option,
    show,
    show_table,
    user_option,
)
from notify.cli.text_file import TextFile
from notify.infra.times import utc_now
from notify.providers.settings import TextProviderSettings
from notify.services import queries
from notify.services.branding import set_email_branding, set_letter_branding
from notify.services.guest_list import get_guest_list, set_guest_list
from notify.services.limits import LIVE_LIMITS, MessageLimits
from notify.services.models import Service
from notify.services.permissions import DEFAULT_PERMISSIONS, set_permissions
from notify.services.retention import list_retentions, set_retention
from notify.services.service import ServiceChanges, archive_service, create_service, update_service
from notify.vocabulary import NOTIFICATION_TYPES, ORGANISATION_TYPES, SERVICE_PERMISSIONS

_permissions = click.option(
    "--permission",
    "permissions",
    multiple=True,
    type=click.Choice(SERVICE_PERMISSIONS),
    help=f"A permission of the service; repeat for more. [default: {', '.join(DEFAULT_PERMISSIONS)}]",
)


@click.command("create-service")
@click.option("--name", required=True, help="Name, also the sender name of its emails.")
@click.option("--user", "who", required=True, help="Email address or id of the user who becomes its first member.")
@click.option("--live/--trial", default=False, show_default=True, help="May send to anyone / only to its team.")
@_permissions
@click.option("--organisation-type", type=click.Choice(ORGANISATION_TYPES), help="Type of its organisation.")
@click.option("--sms-limit", type=click.IntRange(min=0), help="Text messages a day. [default: 250000 live, 50 trial]")
@click.option("--email-limit", type=click.IntRange(min=0), help="Emails a day. [default: 250000 live, 50 trial]")
@click.option("--letter-limit", type=click.IntRange(min=0), help="Letters a day. [default: 20000 live, 50 trial]")
@click.option("--contact-link", help="Where people can contact the service; needed to send files by email.")
@json_option
def create_service_command(
    *,
    name: str,
    who: str,
    live: bool,
    permissions: Sequence[str],
    organisation_type: str | None,
    sms_limit: int | None,
    email_limit: int | None,
    letter_limit: int | None,
    contact_link: str | None,
    as_json: bool,
) -> None:
    """Create a service: a sender of messages, with its own team, keys and templates."""
    usual = LIVE_LIMITS if live else MessageLimits()
    with open_parts() as parts, parts.database.transaction() as session:
        service = create_service(
            session,
            name=name,
            user_id=find_user(session, who).id,
            from_number=parts.settings.part(TextProviderSettings).from_number,
            restricted=not live,
            go_live_at=utc_now() if live else None,
            permissions=permissions or DEFAULT_PERMISSIONS,
            organisation_type=organisation_type,
            contact_link=contact_link,
            limits=MessageLimits(
                sms=usual.sms if sms_limit is None else sms_limit,
                email=usual.email if email_limit is None else email_limit,
                letter=usual.letter if letter_limit is None else letter_limit,
                international_sms=usual.international_sms,
            ),
        )
        made = {"id": service.id, "name": service.name, "mode": _mode(service)}
    show(made, as_json)


@click.command("update-service")
@service_option
@click.option("--name", help="Another name.")
@click.option("--live/--trial", default=None, help="Go live / back to trial mode, with its default daily limits.")
@click.option(
    "--permission",
    "permissions",
    multiple=True,
    type=click.Choice(SERVICE_PERMISSIONS),
    help="A permission of the service: replaces all earlier ones; repeat for more.",
)
@click.option("--sms-limit", type=click.IntRange(min=0), help="Text messages a day.")
@click.option("--international-sms-limit", type=click.IntRange(min=0), help="Text messages abroad a day.")
@click.option("--email-limit", type=click.IntRange(min=0), help="Emails a day.")
@click.option("--letter-limit", type=click.IntRange(min=0), help="Letters a day.")
@click.option("--rate-limit", type=click.IntRange(min=1), help="Requests a minute.")
@click.option("--contact-link", help="Where people can contact the service; '' for none.")
@click.option("--email-sender-name", help="Sender name of emails; '' for the service's name.")
@click.option("--prefix-sms/--no-prefix-sms", default=None, help="Put the name in front of text messages.")
@user_option
@json_option
def update_service_command(
    *,
    which: str,
    name: str | None,
    live: bool | None,
    permissions: Sequence[str],
    who: str | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Change the settings of a service."""
    with open_session() as session:
        service = find_service(session, which)
        changes = _changes(live, settings)
        if name is not None:
            changes["name"] = name
        if not changes and not permissions:
            raise click.UsageError("give at least one setting to change")
        if permissions:
            set_permissions(session, service.id, permissions)
        service = update_service(session, service.id, changed_by_id=author_id(session, who, service), **changes)
        values = {"id": service.id, "name": service.name, "mode": _mode(service), "version": service.version}
    show(values, as_json)


def _changes(live: bool | None, settings: dict[str, Any]) -> ServiceChanges:
    """The changes that the options ask for. Going live, or back, changes limits as the admin app does
    (internal-services 2.4).
    """
    changes: ServiceChanges = {}
    if live is not None:
        usual = LIVE_LIMITS if live else MessageLimits()
        changes = {
            "restricted": not live,
            "go_live_at": utc_now() if live else None,
            "has_active_go_live_request": False,
            "email_message_limit": usual.email,
            "sms_message_limit": usual.sms,
            "letter_message_limit": usual.letter,
        }
    names = {
        "sms_limit": "sms_message_limit",
        "international_sms_limit": "international_sms_message_limit",
        "email_limit": "email_message_limit",
        "letter_limit": "letter_message_limit",
        "email_sender_name": "custom_email_sender_name",
    }
    for option, value in settings.items():
        if value is not None:
            changes[names.get(option, option)] = value if value != "" else None  # type: ignore[literal-required]
    return changes


@click.command("archive-service")
@service_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def archive_service_command(which: str, yes: bool, as_json: bool) -> None:
    """Archive a service with its templates and API keys: it can no longer send."""
    with open_session() as session:
        service = find_service(session, which)
        if not yes:
            click.confirm(f"Archive {service.name}?", abort=True, err=True)
        archive_service(session, service.id)
        values = {"id": service.id, "name": service.name, "mode": _mode(service)}
    show(values, as_json)


@click.command("list-services")
@json_option
def list_services_command(as_json: bool) -> None:
    """List every service, oldest first."""
    with open_session() as session:
        rows = [
            {"id": service.id, "mode": _mode(service), "name": service.name}
            for service in queries.list_services(session)
        ]
    show_table(rows, as_json)


def _mode(service: Service) -> str:
    if not service.active:
        return "archived"
    return "trial" if service.restricted else "live"


@click.command("set-guest-list")
@service_option
@click.option("--phone", "phone_numbers", multiple=True, help="Mobile number; repeat for more.")
@click.option("--email", "email_addresses", multiple=True, help="Email address; repeat for more.")
@click.option(
    "--file", "lines", type=TextFile(), help="File of numbers or addresses, one per line; - for standard input."
)
@json_option
def set_guest_list_command(
    which: str, phone_numbers: Sequence[str], email_addresses: Sequence[str], lines: str | None, as_json: bool
) -> None:
    """Replace the guest list of a service; without entries it becomes empty."""
    entries = [line.strip() for line in (lines or "").splitlines() if line.strip()]
    with open_session() as session:
        service = find_service(session, which)
        set_guest_list(
            session,
            service.id,
            phone_numbers=[*phone_numbers, *(entry for entry in entries if "@" not in entry)],
            email_addresses=[*email_addresses, *(entry for entry in entries if "@" in entry)],
        )
        _show_guests(session, service, as_json)


@click.command("show-guest-list")
@service_option
@json_option
def show_guest_list_command(which: str, as_json: bool) -> None:
    """Show the guest list of a service: the recipients besides its team in trial mode."""
    with open_session() as session:
        _show_guests(session, find_service(session, which), as_json)


def _show_guests(session: Session, service: Service, as_json: bool) -> None:
    guests = get_guest_list(session, service.id)
    if as_json:
        show(guests._asdict(), as_json)
        return
    for entry in [*guests.phone_numbers, *guests.email_addresses]:
        click.echo(entry)


@click.command("set-retention")
@service_option
@click.option("--type", "notification_type", required=True, type=click.Choice(NOTIFICATION_TYPES), help="Of which.")
@click.option("--days", required=True, type=click.IntRange(3, 90), help="For how many days messages are kept.")
@json_option
def set_retention_command(which: str, notification_type: str, days: int, as_json: bool) -> None:
    """Set for how many days a service's messages of a type are kept. The default is 7."""
    with open_session() as session:
        service = find_service(session, which)
        set_retention(session, service.id, notification_type, days)
        rows = [
            {"type": retention.notification_type, "days": retention.days_of_retention}
            for retention in list_retentions(session, service.id)
        ]
    show_table(rows, as_json)


@click.command("set-branding")
@service_option
@click.option("--email", help="Name or id of the email branding; '' for none.")
@click.option("--letter", help="Name or id of the letter branding; '' for none.")
@json_option
def set_branding_command(which: str, email: str | None, letter: str | None, as_json: bool) -> None:
    """Choose the branding of a service's emails or letters."""
    if email is None and letter is None:
        raise click.UsageError("give --email or --letter")
    with open_session() as session:
        service = find_service(session, which)
        if email is not None:
            brandings = [(row.id, row.name) for row in list_email_brandings(session)]
            set_email_branding(session, service.id, pick("email branding", email, brandings) if email else None)
        if letter is not None:
            brandings = [(row.id, row.name) for row in list_letter_brandings(session)]
            set_letter_branding(session, service.id, pick("letter branding", letter, brandings) if letter else None)
        values = {"service_id": service.id} | {
            kind: name or "none"
            for kind, name in (("email_branding", email), ("letter_branding", letter))
            if name is not None
        }
    show(values, as_json)


@click.command("populate-service-volume-intentions")
@click.option(
    "--file_name",
    "-f",
    "text",
    required=True,
    type=TextFile(),
    help="File with one line per service: its id, and how many texts, emails and letters it intends to send a year.",
)
@json_option
def populate_service_volume_intentions_command(text: str, as_json: bool) -> None:
    """Store how many messages services intend to send. Nothing is stored if a line is wrong."""
    lines = [line for line in text.splitlines() if line.strip()]
    with open_session() as session:
        for line in lines:
            service_id, volumes = _volumes(line)
            update_service(session, find_service(session, service_id).id, **volumes)
    show({"changed": len(lines)}, as_json)


def _volumes(line: str) -> tuple[str, ServiceChanges]:
    """The id of a service, and the numbers it intends to send: empty is unknown."""
    try:
        service_id, sms, email, letter = (cell.strip() for cell in line.split(","))
        numbers = [int(cell) if cell else None for cell in (sms, email, letter)]
    except ValueError:
        raise click.ClickException(f"{line!r} is not an id and three numbers, separated by commas") from None
    return service_id, {"volume_sms": numbers[0], "volume_email": numbers[1], "volume_letter": numbers[2]}


COMMANDS: list[click.Command] = [
    create_service_command,
    update_service_command,
    archive_service_command,
    list_services_command,
    set_guest_list_command,
    show_guest_list_command,
    set_retention_command,
    set_branding_command,
    populate_service_volume_intentions_command,
]
