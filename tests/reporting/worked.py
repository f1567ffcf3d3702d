"""Parses the tables of worked examples."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy.orm import Session

from notify.billing.models import BillingFact
from notify.reporting.models import NO_JOB, StatusFact


def named(name: str) -> UUID:
    """The id that a name of the examples stands for."""
    return NO_JOB if name == "nil" else uuid5(NAMESPACE_URL, name)


def cells(table: str) -> list[list[str]]:
    """The cells of the lines of a table whose columns are separated by `|`."""
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]


def add_billing_facts(session: Session, table: str, ids: Mapping[str, UUID]) -> None:
    """Day, template, service, type, provider, multiplier, international, rate, units, sent, postage."""
    for day, template, service, kind, provider, multiplier, international, rate, units, sent, postage in cells(table):
        session.add(
            BillingFact(
                bst_date=date.fromisoformat(day),
                template_id=ids[template],
                service_id=ids[service],
                notification_type=kind,
                provider=provider,
                rate_multiplier=int(multiplier),
                international=international == "True",
                rate=Decimal(rate),
                billable_units=int(units),
                notifications_sent=int(sent),
                postage=postage,
            )
        )
    session.flush()


def add_status_facts(session: Session, table: str, ids: Mapping[str, UUID], days: Mapping[str, date]) -> None:
    """Day, template, service, job, type, key type, status, count."""
    for day, template, service, job, kind, key_type, status, number in cells(table):
        session.add(
            StatusFact(
                bst_date=days.get(day) or date.fromisoformat(day),
                template_id=ids[template],
                service_id=ids[service],
                job_id=ids.get(job, named(job)),
                notification_type=kind,
                key_type=key_type,
                notification_status=status,
                notification_count=int(number),
            )
        )
    session.flush()
