"""Commands about free allowances."""

from __future__ import annotations

import click

from notify.billing.allowances import FIRST_YEAR, copy_previous
from notify.cli.common import json_option, open_session, show


def _populate(year: int, as_json: bool) -> None:
    with open_session() as session:
        number = copy_previous(session, year)
    show({"year": year, "services": number}, as_json)


_year = click.option(
    "-y",
    "--year",
    required=True,
    type=click.IntRange(FIRST_YEAR, 9998),
    help="The year in which the financial year begins.",
)


@click.command("populate-annual-billing-with-the-previous-years-allowance")
@_year
@json_option
def populate_annual_billing_with_the_previous_years_allowance_command(*, year: int, as_json: bool) -> None:
    """Copy the newest free allowance of services that have none for a financial year."""
    _populate(year, as_json)


@click.command("populate-annual-billing")
@_year
@json_option
def populate_annual_billing_command(*, year: int, as_json: bool) -> None:
    """Copy the newest free allowance: the command's name in 2020."""
    _populate(year, as_json)
