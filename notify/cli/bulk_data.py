"""`notify generate-bulktest-data`: a large database to develop on (contract: workers 17)."""

from __future__ import annotations

from typing import Final

import click
from sqlalchemy.orm import Session

from notify.accounts.models import User
from notify.cli.common import find_user, json_option, open_parts, show
from notify.infra.ids import new_id
from notify.infra.times import utc_now
from notify.organisations.actions import create_organisation
from notify.reporting import bulk_data
from notify.reporting.bulk_data import Source
from notify.services.organisations import link_service
from notify.services.service import create_service
from notify.templates.actions import create_template

SERVICES: Final = 100
MESSAGES: Final = 5_000_000
HISTORY_SHARE: Final = 0.5
"""Share of the messages that are in the history."""
TYPES: Final = ("sms", "email")
TEMPLATES: Final = 4
"""Number of templates of each type, in each service."""


@click.command("generate-bulktest-data")
@click.option("-u", "--user-id", "--user_id", "who", required=True, help="Id or email address of the creator.")
@click.option("--services", "services", type=click.IntRange(1), default=SERVICES, show_default=True, help="Services.")
@click.option("--messages", type=click.IntRange(1), default=MESSAGES, show_default=True, help="Messages in all.")
@json_option
def generate_bulktest_data_command(who: str, services: int, messages: int, as_json: bool) -> None:
    """Fill a database with an organisation, its services and messages.

    Half of the messages are in the history, with their facts. In development and test only. The default takes some
    minutes.
    """
    with open_parts() as parts:
        if not parts.settings.is_safe_environment:
            raise click.ClickException(f"refused in environment {parts.settings.notify_environment!r}")
        with parts.database.transaction() as session:
            sources = make_services(session, find_user(session, who), services)
        old, now = int(messages * HISTORY_SHARE), utc_now()
        with click.progressbar(length=messages, label="messages", hidden=as_json) as bar:
            bulk_data.fill_live(parts, sources, messages - old, now, step=bar.update)
            for source, share in zip(sources, _shares(old, len(sources)), strict=True):
                bulk_data.fill_history(parts, source, share, bulk_data.end_of_history(now))
                bar.update(share)
        bulk_data.store_facts(parts, sources, now)
    show({"services": services, "messages": messages - old, "in_history": old}, as_json)


def make_services(session: Session, user: User, number: int) -> list[Source]:
    """Create an organisation and so many services of its, each with templates of both types."""
    name = f"Bulk test {new_id()}"
    organisation = create_organisation(session, name=name, organisation_type="central", crown=True)
    sources = []
    for count in range(number):
        service = create_service(
            session, name=f"{name} service {count}", user_id=user.id, from_number="bulktest", restricted=False
        )
        link_service(session, organisation.id, service.id)
        for type_ in TYPES:
            templates = [
                create_template(
                    session,
                    service_id=service.id,
                    template_type=type_,
                    name=f"Bulk {type_} {place}",
                    subject="Bulk test" if type_ == "email" else None,
                    content="Hello ((name))",
                    created_by_id=user.id,
                ).id
                for place in range(TEMPLATES)
            ]
            sources.append(Source(service.id, templates, type_, user.id))
    return sources


def _shares(total: int, parts: int) -> list[int]:
    """A number split into nearly equal parts."""
    return [total // parts + (place < total % parts) for place in range(parts)]
