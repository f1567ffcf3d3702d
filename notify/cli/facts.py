"""Commands that rebuild the facts of past days (contract: workers 17, 20). Each can be stopped, and run again."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import click

from notify.billing.queries import NoRateError
from notify.cli.common import find_service, json_option, open_parts, show
from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.messages.billable_units import BillableUnits
from notify.reporting.billing_facts import store_billing_of_day
from notify.reporting.days import check_messages_are_kept, days_between
from notify.reporting.models import StatusFact
from notify.reporting.platform import forget_all_time_totals
from notify.reporting.processing_time import store_processing_time
from notify.reporting.status_facts import DAYS_BACK, store_statuses_of_day

CHUNKS_BETWEEN_REPORTS: Final = 20

_DAY: Final = click.DateTime(["%Y-%m-%d"])
_period: Final = (
    click.option("-s", "--start_date", "--start-date", "start", required=True, type=_DAY, help="First local day."),
    click.option("-e", "--end_date", "--end-date", "end", required=True, type=_DAY, help="Last local day."),
)


def _of_period(function: Any) -> Any:
    for option in reversed(_period):
        function = option(function)
    return function


def _days(start: datetime, end: datetime) -> list[date]:
    if end < start:
        raise click.ClickException("the last day is before the first")
    return list(days_between(start.date(), end.date()))


def _run(what: str, chunks: Iterable[int]) -> int:
    """The sum of the chunks. Reports progress from time to time."""
    total = 0
    try:
        for number, changed in enumerate(chunks, 1):
            total += changed
            if number % CHUNKS_BETWEEN_REPORTS == 0:
                click.echo(f"{what}: {total} facts so far", err=True)
    except NoRateError as error:
        raise click.ClickException(str(error)) from None
    return total


@click.command("rebuild-ft-billing-for-day")
@click.option("-d", "--day", "day", required=True, type=_DAY, help="Local day, such as 2026-11-27.")
@click.option("-s", "--service_id", "--service-id", "which", help="Only this service, by its id or name.")
@json_option
def rebuild_ft_billing_for_day_command(*, day: datetime, which: str | None, as_json: bool) -> None:
    """Rebuild the billing facts of a local day, of all services or of one.

    Its facts are deleted first, a few services at a time. A day whose messages are archived is left unchanged.
    """
    with open_parts() as parts:
        service_id = _service(parts, which)
        chunks = store_billing_of_day(parts.database, day.date(), service_id=service_id, rebuild=True)
        number = _run(str(day.date()), chunks)
    show({"day": str(day.date()), "facts": number}, as_json)


@click.command("migrate-data-to-ft-billing")
@_of_period
@json_option
def migrate_data_to_ft_billing_command(*, start: datetime, end: datetime, as_json: bool) -> None:
    """Update the billing facts of a period from stored messages.

    Facts without stored messages stay.
    """
    total = 0
    with open_parts() as parts:
        for day in _days(start, end):
            number = _run(str(day), store_billing_of_day(parts.database, day))
            click.echo(f"{day}: {number} facts new or changed", err=True)
            total += number
    show({"facts": total}, as_json)


@click.command("migrate-data-to-ft-notification-status")
@_of_period
@click.option(
    "-t",
    "--notification-type",
    "--notification_type",
    "notification_type",
    type=click.Choice(list(DAYS_BACK)),
    help="Only messages of this type.",
)
@json_option
def migrate_data_to_ft_notification_status_command(
    *, start: datetime, end: datetime, notification_type: str | None, as_json: bool
) -> None:
    """Update the status facts of a period from stored messages."""
    total = 0
    kinds = [notification_type] if notification_type else list(DAYS_BACK)
    with open_parts() as parts:
        for day in _days(start, end):
            check_messages_are_kept(parts.database, day, StatusFact)
            number = sum(_run(f"{day} {kind}", store_statuses_of_day(parts.database, day, kind)) for kind in kinds)
            click.echo(f"{day}: {number} facts new or changed", err=True)
            total += number
        forget_all_time_totals(parts.cache)
    show({"facts": total}, as_json)


@click.command("backfill-processing-time")
@_of_period
@json_option
def backfill_processing_time_command(*, start: datetime, end: datetime, as_json: bool) -> None:
    """Store how quickly the messages of a period were handed to providers."""
    days = _days(start, end)
    with open_parts() as parts:
        for day in days:
            time = store_processing_time(parts.database, day)
            click.echo(f"{day}: {time.quick} of {time.total} within ten seconds", err=True)
    show({"days": len(days)}, as_json)


@click.command("fix-billable-units")
@json_option
def fix_billable_units_command(*, as_json: bool) -> None:
    """Count the fragments of text messages that were sent without being counted."""
    seen = fixed = 0
    with open_parts() as parts, closing(Container(parts)) as container:
        for counted in container.get(BillableUnits).fix():
            seen, fixed = seen + counted.seen, fixed + counted.fixed
            click.echo(f"{fixed} of {seen} messages so far", err=True)
    show({"seen": seen, "fixed": fixed}, as_json)


def _service(parts: Parts, which: str | None) -> UUID | None:
    if which is None:
        return None
    with parts.database.reading() as session:
        return find_service(session, which).id
