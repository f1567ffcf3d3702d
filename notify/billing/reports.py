"""Reports about the volumes and the money of all services, from the facts of billing (contract:
internal-jobs-billing-platform 7.2). Rows are read lazily: a report is never in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import CTE, Select, and_, case, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from notify.billing.allowances import financial_year
from notify.billing.charges import charges, integer
from notify.billing.models import AnnualBilling, BillingFact, LetterDespatchFact
from notify.organisations.models import Organisation
from notify.services.models import Service

ROWS_AT_A_TIME: Final = 500
_CLASSES: Final = ("economy", "second", "first", "international")
_ABROAD: Final = ("europe", "rest-of-world")


class BilledService(NamedTuple):
    """What a service has to pay for a period. Money is pounds. `sms_units` are units that its allowance did not cover;
    `letter_breakdown` has a line for each class of post and rate. The contacts for billing are the service's, else its
    organisation's.
    """

    organisation_id: UUID | None
    organisation_name: str | None
    service_id: UUID
    service_name: str
    sms_units: int
    sms_cost: Decimal
    total_letters: int
    letter_cost: Decimal
    letter_breakdown: str
    purchase_order_number: str | None
    contact_names: str | None
    contact_email_addresses: str | None
    billing_reference: str | None


class PrintedLetters(NamedTuple):
    """Letters of this many sheets that the print provider handed to the postal service on a day. Money is pounds."""

    date: date
    postage: str
    cost_threshold: str
    sheets: int
    rate: Decimal
    letters: int
    cost: Decimal


class DayVolumes(NamedTuple):
    """What all services sent on a day."""

    day: date
    sms_totals: int
    sms_fragment_totals: int
    sms_chargeable_units: int
    email_totals: int
    letter_totals: int
    letter_sheet_totals: int


class ProviderVolumes(NamedTuple):
    """What was sent through a text message provider on a day; `sms_cost` is pounds, without free allowances."""

    day: date
    provider: str
    sms_totals: int
    sms_fragment_totals: int
    sms_chargeable_units: int
    sms_cost: Decimal


class ServiceVolumes(NamedTuple):
    """What a live service sent in a period; `letter_cost` is pounds."""

    service_id: UUID
    service_name: str
    organisation_id: UUID | None
    organisation_name: str | None
    free_allowance: int
    sms_notifications: int
    sms_chargeable_units: int
    email_totals: int
    letter_totals: int
    letter_sheet_totals: int
    letter_cost: Decimal


def billed_services(
    session: Session, start: date, end: date, *, with_free_texts: bool = False
) -> Iterator[BilledService]:
    """What services have to pay for a period of local days, both ends included and in one financial year, ordered by
    the names of organisation (services without one last) and service. Services with nothing to pay and no letters are
    left out; `with_free_texts` includes those that only sent free text messages, as the report of 2020 does.
    """
    rows = session.execute(_billed(start, end, with_free_texts=with_free_texts), execution_options=_BY_AND_BY)
    for _, group in groupby(rows, key=attrgetter("service_id")):
        lines = list(group)
        first, letters = lines[0], [line for line in lines if line.letters]
        yield BilledService(
            organisation_id=first.organisation_id,
            organisation_name=first.organisation_name,
            service_id=first.service_id,
            service_name=first.service_name,
            sms_units=first.sms_units,
            sms_cost=first.sms_cost,
            total_letters=sum(line.letters for line in letters),
            letter_cost=sum((line.letter_cost for line in letters), Decimal(0)),
            letter_breakdown="".join(_line(line.letters, line.post_class, line.rate) for line in letters),
            purchase_order_number=first.purchase_order_number,
            contact_names=first.contact_names,
            contact_email_addresses=first.contact_email_addresses,
            billing_reference=first.billing_reference,
        )


def printed_letters(session: Session, start: date, end: date) -> Iterator[PrintedLetters]:
    """What the print provider handed to the postal service, by day, postage, sorted or not, rate and sheets."""
    fact = LetterDespatchFact
    letters = func.coalesce(fact.notifications_sent, 0)
    query = (
        select(
            fact.bst_date,
            fact.postage,
            fact.cost_threshold,
            fact.billable_units,
            fact.rate,
            letters,
            fact.rate * letters,
        )
        .where(fact.bst_date.between(start, end))
        .order_by(fact.bst_date, fact.postage, fact.cost_threshold, fact.rate, fact.billable_units)
    )
    return map(PrintedLetters._make, session.execute(query, execution_options=_BY_AND_BY))


def day_volumes(session: Session, start: date, end: date) -> Iterator[DayVolumes]:
    """What all services sent, by day; days without any messages are left out."""
    fact = BillingFact
    query = (
        select(
            fact.bst_date,
            _sum(fact.notifications_sent, "sms"),
            _sum(fact.billable_units, "sms"),
            _sum(fact.billable_units * fact.rate_multiplier, "sms"),
            _sum(fact.notifications_sent, "email"),
            _sum(fact.notifications_sent, "letter"),
            _sum(fact.billable_units, "letter"),
        )
        .where(fact.bst_date.between(start, end))
        .group_by(fact.bst_date)
        .order_by(fact.bst_date)
    )
    return map(DayVolumes._make, session.execute(query, execution_options=_BY_AND_BY))


def provider_volumes(session: Session, start: date, end: date) -> Iterator[ProviderVolumes]:
    """What was sent through text message providers, by day and provider."""
    fact = BillingFact
    units = fact.billable_units * fact.rate_multiplier
    query = (
        select(
            fact.bst_date,
            fact.provider,
            _sum(fact.notifications_sent, "sms"),
            _sum(fact.billable_units, "sms"),
            _sum(units, "sms"),
            func.coalesce(func.sum(units * fact.rate), 0),
        )
        .where(fact.bst_date.between(start, end), fact.notification_type == "sms")
        .group_by(fact.bst_date, fact.provider)
        .order_by(fact.bst_date, fact.provider)
    )
    return map(ProviderVolumes._make, session.execute(query, execution_options=_BY_AND_BY))


def service_volumes(session: Session, start: date, end: date) -> Iterator[ServiceVolumes]:
    """What live services sent, ordered by the names of organisation (services without one last) and service. The
    allowance is the newest of the year of the last day or earlier; services without one are left out.
    """
    fact = BillingFact
    allowance = (
        select(AnnualBilling.service_id, AnnualBilling.free_sms_fragment_limit.label("fragments"))
        .ext(distinct_on(AnnualBilling.service_id))
        .where(AnnualBilling.financial_year_start <= end.year)
        .order_by(AnnualBilling.service_id, AnnualBilling.financial_year_start.desc())
        .subquery()
    )
    letter_cost = func.sum(fact.notifications_sent * fact.rate).filter(fact.notification_type == "letter")
    volumes = {
        "texts": _sum(fact.notifications_sent, "sms"),
        "units": _sum(fact.billable_units * fact.rate_multiplier, "sms"),
        "emails": _sum(fact.notifications_sent, "email"),
        "letters": _sum(fact.notifications_sent, "letter"),
        "sheets": _sum(fact.billable_units, "letter"),
        "letter_cost": func.coalesce(letter_cost, 0),
    }
    sent = (
        select(fact.service_id, *(value.label(name) for name, value in volumes.items()))
        .where(fact.bst_date.between(start, end))
        .group_by(fact.service_id)
        .subquery()
    )
    query = (
        select(
            Service.id,
            Service.name,
            Organisation.id,
            Organisation.name,
            allowance.c.fragments,
            *(func.coalesce(sent.c[name], 0) for name in volumes),
        )
        .join(allowance, allowance.c.service_id == Service.id)
        .outerjoin(sent, sent.c.service_id == Service.id)
        .outerjoin(Organisation, Organisation.id == Service.organisation_id)
        .where(Service.active, ~Service.restricted, Service.count_as_live)
        .order_by(Organisation.name.asc().nulls_last(), Service.name, Service.id)
    )
    return map(ServiceVolumes._make, session.execute(query, execution_options=_BY_AND_BY))


_BY_AND_BY: Final = {"yield_per": ROWS_AT_A_TIME}


def _sum(amount: Any, notification_type: str) -> Any:
    of_type = BillingFact.notification_type == notification_type
    return func.coalesce(integer(func.sum(amount).filter(of_type)), 0)


def _billed(start: date, end: date, *, with_free_texts: bool) -> Select[*tuple[Any, ...]]:
    """A row for each class of post and rate of a service; one row if it has no letters."""
    used = _used(start, end)
    texts = (
        select(used.c.service_id, integer(func.sum(used.c.charged)).label("units"), func.sum(used.c.cost).label("cost"))
        .where(used.c.notification_type == "sms")
        .group_by(used.c.service_id)
        .cte("texts")
    )
    post_class = case((used.c.postage.in_(_ABROAD), "international"), else_=used.c.postage).label("post_class")
    letters = (
        select(
            used.c.service_id,
            post_class,
            used.c.rate,
            integer(func.sum(used.c.sent)).label("letters"),
            func.sum(used.c.cost).label("letter_cost"),
        )
        .where(used.c.notification_type == "letter")
        .group_by(used.c.service_id, post_class, used.c.rate)
        .cte("letters")
    )
    has_texts = texts.c.service_id.is_not(None) if with_free_texts else texts.c.cost > 0
    order = func.array_position(func.string_to_array(",".join(_CLASSES), ","), letters.c.post_class)
    details = ("purchase_order_number", "billing_contact_names", "billing_contact_email_addresses", "billing_reference")
    return (
        select(
            Organisation.id.label("organisation_id"),
            Organisation.name.label("organisation_name"),
            Service.id.label("service_id"),
            Service.name.label("service_name"),
            func.coalesce(texts.c.units, 0).label("sms_units"),
            func.coalesce(texts.c.cost, 0).label("sms_cost"),
            letters.c.post_class,
            letters.c.rate,
            letters.c.letters,
            letters.c.letter_cost,
            *(
                func.coalesce(
                    func.nullif(getattr(Service, name), ""), func.nullif(getattr(Organisation, name), "")
                ).label(name.removeprefix("billing_") if "contact" in name else name)
                for name in details
            ),
        )
        .outerjoin(texts, texts.c.service_id == Service.id)
        .outerjoin(letters, letters.c.service_id == Service.id)
        .outerjoin(Organisation, Organisation.id == Service.organisation_id)
        .where(or_(has_texts, letters.c.letters > 0))
        .order_by(Organisation.name.asc().nulls_last(), Service.name, Service.id, order, letters.c.rate)
    )


def _used(start: date, end: date) -> CTE:
    """What services used in the period. The allowance is used up from the first day of the year on."""
    year = financial_year(start)
    of_year = and_(AnnualBilling.service_id == Service.id, AnnualBilling.financial_year_start == year)
    limit = func.coalesce(AnnualBilling.free_sms_fragment_limit, 0).label("free")
    free = select(Service.id.label("service_id"), limit).outerjoin(AnnualBilling, of_year).cte("free")
    used = charges(free, year, until=end)
    return select(used).where(used.c.bst_date >= start).cte("of_days")


def _line(number: int, post_class: str, rate: Decimal) -> str:
    price = f"£{rate:,.2f}" if rate >= 1 else f"{rate * 100:.0f}p"
    kind = "international letters" if post_class == "international" else f"{post_class} class letters"
    return f"{number} {kind} at {price}\n"
