"""Commands about text messages that people send to services."""

from __future__ import annotations

from typing import TextIO

import click
from sqlalchemy import select

from notify.cli.create import demo_file, find_service, json_option, open_parts, show
from notify.inbound.actions import TextReceiver
from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.times import utc_now
from notify.providers.incoming import IncomingText
from notify.services import queries as services
from notify.services.actions import add_permission, assign_inbound_number, insert_inbound_numbers
from notify.services.models import InboundNumber
from notify.webhooks.outbox import Outbox


@click.command("insert-inbound-numbers")
@click.option(
    "--file_name", "-f", "file", required=True, type=click.File(encoding="utf-8"), help="One number (07...) a line."
)
@click.option("--provider", default="mmg", show_default=True, help="Whose numbers they are.")
@json_option
def insert_inbound_numbers_command(file: TextIO, provider: str, as_json: bool) -> None:
    """Add numbers that people can text. They are free to be given to services."""
    numbers = [line.strip() for line in file if line.strip()]
    with open_parts() as parts, parts.database.transaction() as session:
        inserted = insert_inbound_numbers(session, numbers, provider=provider)
    show({"inserted": inserted, "known_already": len(numbers) - inserted}, as_json)


@click.command("assign-inbound-number")
@click.option("--service", "which", required=True, help="Name or id of the service.")
@click.option("--number", help="The number (07...); it is added if it is not known. [default: any free one]")
@json_option
def assign_inbound_number_command(which: str, number: str | None, as_json: bool) -> None:
    """Give a service a number to receive texts on. It gets the permission to, as well."""
    with open_parts() as parts, parts.database.transaction() as session:
        service = find_service(session, which)
        number_id = None
        if number is not None:
            insert_inbound_numbers(session, [number])
            number_id = session.scalar(select(InboundNumber.id).where(InboundNumber.number == number))
        sender = assign_inbound_number(session, service.id, inbound_number_id=number_id)
        add_permission(session, service.id, "inbound_sms")
        values = {"service_id": service.id, "number": sender.sms_sender, "sms_sender_id": sender.id}
    show(values, as_json)


@click.command("receive-text")
@click.option("--to", "number", help="The service's number. [default: the demo service's]")
@click.option("--from", "sender", default="07900900123", show_default=True, help="Whom it comes from.")
@click.option("--content", required=True, help="What it says.")
@json_option
def receive_text_command(number: str | None, sender: str, content: str, as_json: bool) -> None:
    """Pretend that somebody texted a service. It is stored, and the service is told. In development and test only."""
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
