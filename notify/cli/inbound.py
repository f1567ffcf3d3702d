"""Commands about inbound numbers and the text messages that people send to them."""

from __future__ import annotations

import click

from notify.cli.common import find_service, json_option, open_parts, open_session, service_option, show, show_table
from notify.cli.send import demo_file
from notify.cli.text_file import TextFile
from notify.inbound.actions import TextReceiver
from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.times import utc_now
from notify.providers.incoming import IncomingText
from notify.providers.settings import TextProviderSettings
from notify.services import queries as services
from notify.services.inbound_numbers import (
    assign_inbound_number,
    insert_inbound_numbers,
    list_free_numbers,
    list_inbound_numbers,
    remove_inbound_number,
)
from notify.services.permissions import add_permission
from notify.webhooks.outbox import Outbox


@click.command("insert-inbound-numbers")
@click.option(
    "--file_name", "-f", "text", required=True, type=TextFile(), help="File of numbers (07...), one per line."
)
@click.option("--provider", default="mmg", show_default=True, help="Provider of the numbers.")
@json_option
def insert_inbound_numbers_command(text: str, provider: str, as_json: bool) -> None:
    """Add inbound numbers, which can then be given to services."""
    numbers = [line.strip() for line in text.splitlines() if line.strip()]
    with open_session() as session:
        inserted = insert_inbound_numbers(session, numbers, provider=provider)
    show({"inserted": inserted, "known_already": len(numbers) - inserted}, as_json)


@click.command("assign-inbound-number")
@service_option
@click.option("--number", help="The number (07...); it is added if it is not known. [default: any free one]")
@json_option
def assign_inbound_number_command(which: str, number: str | None, as_json: bool) -> None:
    """Give a service an inbound number, and the permission to receive text messages."""
    with open_session() as session:
        service = find_service(session, which)
        number_id = None
        if number is not None:
            insert_inbound_numbers(session, [number])
            free = {row.number: row.id for row in list_free_numbers(session)}
            number_id = free.get(number)
            if number_id is None:
                raise click.ClickException(f"{number} is not free: see notify list-inbound-numbers")
        sender = assign_inbound_number(session, service.id, inbound_number_id=number_id)
        add_permission(session, service.id, "inbound_sms")
        values = {"service_id": service.id, "number": sender.sms_sender, "sms_sender_id": sender.id}
    show(values, as_json)


@click.command("remove-inbound-number")
@service_option
@click.option("--archive", is_flag=True, help="Keep the number from being given to another service.")
@json_option
def remove_inbound_number_command(which: str, archive: bool, as_json: bool) -> None:
    """Remove a service's inbound number and its permission to receive texts."""
    with open_parts() as parts, parts.database.transaction() as session:
        service = find_service(session, which)
        remove_inbound_number(
            session, service.id, archive=archive, from_number=parts.settings.part(TextProviderSettings).from_number
        )
        values = {"service_id": service.id, "default_sender": services.default_sms_sender(session, service.id)}
    show(values, as_json)


@click.command("list-inbound-numbers")
@json_option
def list_inbound_numbers_command(as_json: bool) -> None:
    """List every inbound number and the service that has it."""
    with open_session() as session:
        rows = [
            {"number": row.number.number, "active": row.number.active, "service": row.service_name}
            for row in list_inbound_numbers(session)
        ]
    show_table(rows, as_json)


@click.command("receive-text")
@click.option("--to", "number", help="The service's number. [default: the demo service's]")
@click.option("--from", "sender", default="07900900123", show_default=True, help="Number that it is from.")
@click.option("--content", required=True, help="What it says.")
@json_option
def receive_text_command(number: str | None, sender: str, content: str, as_json: bool) -> None:
    """Simulate a text message to a service, which gets its callback. In development and test only."""
    with open_parts() as parts:
        if not parts.settings.is_safe_environment:
            raise click.ClickException(f"refused in environment {parts.settings.notify_environment!r}")
        if number is None:
            service_id = demo_file().get("service_id")
            if service_id is None:
                raise click.UsageError("give --to: there is no dev.json of a demo service here")
            with parts.database.session() as session:
                number = services.inbound_number(session, find_service(session, service_id).id)
            if number is None:
                raise click.ClickException("the demo service has no number: see notify assign-inbound-number")
        container = Container(parts)
        text = IncomingText(
            provider="sandbox", to=number, sender=sender, content=content, reference=str(new_id()), sent_at=utc_now()
        )
        id_ = container.get(TextReceiver).receive(text)
        container.get(Outbox).close()
    if id_ is None:
        raise click.ClickException(f"no service receives texts on {number}: see notify assign-inbound-number")
    show({"id": id_, "received_on": number, "from": sender}, as_json)


COMMANDS: list[click.Command] = [
    insert_inbound_numbers_command,
    assign_inbound_number_command,
    remove_inbound_number_command,
    list_inbound_numbers_command,
    receive_text_command,
]
