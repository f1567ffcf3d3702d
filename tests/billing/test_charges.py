"""Money is exact, whatever is sent: the rules of allowances and prices, by example and for any facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from notify.billing.allowances import copy_previous, financial_year, get_allowance, grant_missing
from notify.billing.charges import year_bounds
from notify.billing.models import AnnualBilling, BillingFact
from notify.billing.organisation_usage import usage_of_services
from notify.billing.reports import billed_services
from notify.billing.usage import monthly_units, monthly_usage, yearly_units, yearly_usage
from notify.infra.parts import Parts
from notify.organisations.actions import create_organisation
from notify.services.models import Service
from notify.services.organisations import link_service
from tests.services.factory import a_service

FIRST, LAST = year_bounds(2024)


class Sent(NamedTuple):
    """Messages of a day, of a type, at a price."""

    day: date
    kind: str
    units: int
    multiplier: int
    rate: Decimal


days = st.dates(FIRST - timedelta(days=3), LAST + timedelta(days=3))
rates = st.sampled_from([Decimal("0.0227"), Decimal("0.03"), Decimal("0.1")])
sent = st.lists(
    st.builds(Sent, days, st.sampled_from(["sms", "email", "letter"]), st.integers(0, 40), st.integers(1, 4), rates),
    max_size=12,
)


@contextmanager
def _rolled_back(engine: Engine) -> Iterator[Session]:
    """A session for one example, rolled back at its end."""
    with Session(engine, expire_on_commit=False) as session:
        yield session
        session.rollback()


def add(session: Session, service: Service, facts: list[Sent]) -> None:
    for fact in facts:
        session.add(
            BillingFact(
                bst_date=fact.day,
                template_id=uuid4(),
                service_id=service.id,
                notification_type=fact.kind,
                provider="mmg",
                rate_multiplier=0 if fact.kind == "email" else fact.multiplier if fact.kind == "sms" else 1,
                international=False,
                rate=0 if fact.kind == "email" else fact.rate,
                postage="second" if fact.kind == "letter" else "none",
                billable_units=0 if fact.kind == "email" else fact.units,
                notifications_sent=fact.units,
            )
        )
    session.flush()


def allow(session: Session, service: Service, fragments: int, year: int = 2024, *, custom: bool = False) -> None:
    session.execute(delete(AnnualBilling).where(AnnualBilling.service_id == service.id))
    session.add(
        AnnualBilling(
            service_id=service.id,
            financial_year_start=year,
            free_sms_fragment_limit=fragments,
            has_custom_allowance=custom,
        )
    )
    session.flush()


def used_of_texts(facts: list[Sent]) -> dict[tuple[date, Decimal], int]:
    """Units of text messages by day and rate, in the order in which the allowance is used up."""
    units: dict[tuple[date, Decimal], int] = defaultdict(int)
    for fact in facts:
        if fact.kind == "sms" and FIRST <= fact.day <= LAST:
            units[fact.day, fact.rate] += fact.units * fact.multiplier
    return dict(sorted(units.items()))


@settings(max_examples=40)
@given(facts=sent, free=st.integers(0, 300))
def test_an_allowance_is_used_up_day_by_day_and_the_rest_is_paid(
    shared_engine: Engine, facts: list[Sent], free: int
) -> None:
    with _rolled_back(shared_engine) as session:
        service = a_service(session, restricted=False)
        add(session, service, facts)
        allow(session, service, free)
        left, charged, cost = free, 0, Decimal(0)
        for (_day, rate), units in used_of_texts(facts).items():
            paid = max(units - left, 0)
            left, charged, cost = max(left - units, 0), charged + paid, cost + paid * rate
        months = [row for row in monthly_usage(session, service.id, 2024) if row.notification_type == "sms"]
        years = [row for row in yearly_usage(session, service.id, 2024) if row.notification_type == "sms"]
        for rows in (months, years):
            assert sum(row.charged_units for row in rows) == charged
            assert sum(row.cost for row in rows) == cost
            assert sum(row.free_allowance_used for row in rows) == free - left
            assert all(row.charged_units + row.free_allowance_used == row.chargeable_units for row in rows)
        assert [row.month for row in months] == sorted(row.month for row in months)
        # the same money in every view
        organisation = create_organisation(session, name=f"Groves {uuid4()}", organisation_type="local", crown=False)
        link_service(session, organisation.id, service.id)
        allow(session, service, free)
        (usage,) = usage_of_services(session, organisation.id, 2024)
        assert (usage.sms_cost, usage.chargeable_billable_sms, usage.sms_remainder) == (cost, charged, left)
        report = {row.service_id: row for row in billed_services(session, FIRST, LAST)}
        letters = sum((fact.units * fact.rate for fact in facts if _is_letter(fact)), Decimal(0))
        if cost or any(fact.units for fact in facts if _is_letter(fact)):
            assert (report[service.id].sms_cost, report[service.id].letter_cost) == (cost, letters)
        else:
            assert service.id not in report


@settings(max_examples=25)
@given(facts=sent, free=st.integers(0, 300), cut=st.dates(FIRST, LAST - timedelta(days=1)))
def test_a_year_costs_what_its_parts_cost(shared_engine: Engine, facts: list[Sent], free: int, cut: date) -> None:
    with _rolled_back(shared_engine) as session:
        service = a_service(session)
        add(session, service, facts)
        allow(session, service, free)

        def cost(start: date, end: date) -> Decimal:
            rows = [row for row in billed_services(session, start, end) if row.service_id == service.id]
            return sum((row.sms_cost + row.letter_cost for row in rows), Decimal(0))

        assert cost(FIRST, LAST) == cost(FIRST, cut) + cost(cut + timedelta(days=1), LAST)


@settings(max_examples=15)
@given(facts=sent)
def test_the_units_of_2020_are_those_of_today(shared_engine: Engine, facts: list[Sent]) -> None:
    with _rolled_back(shared_engine) as session:
        service = a_service(session)
        add(session, service, facts)
        allow(session, service, 0)
        units = {
            (row.month, row.rate, row.postage): row.billing_units for row in monthly_units(session, service.id, 2024)
        }
        assert units == {
            (row.month, row.rate, row.postage): row.chargeable_units for row in monthly_usage(session, service.id, 2024)
        }
        years = yearly_units(session, service.id, 2024)
        emails = sum(fact.units for fact in facts if fact.kind == "email" and FIRST <= fact.day <= LAST)
        assert sum(row.billing_units for row in years if row.notification_type == "email") == emails


@given(day=st.dates(date(2016, 1, 1), date(2100, 1, 1)))
def test_every_day_is_in_one_financial_year(day: date) -> None:
    first, last = year_bounds(financial_year(day))
    assert first <= day <= last
    assert financial_year(last + timedelta(days=1)) == financial_year(day) + 1


def _is_letter(fact: Sent) -> bool:
    return fact.kind == "letter" and FIRST <= fact.day <= LAST


def test_default_allowances(parts: Parts) -> None:
    """The worked example of the contract (examples-statistics 2)."""
    with parts.database.transaction() as session:
        names = ("Hazel", "Ilex", "Juniper", "Kapok")
        services = {name: a_service(session, name=name, organisation_type="local") for name in names}
        for service in services.values():
            session.execute(delete(AnnualBilling).where(AnnualBilling.service_id == service.id))
        text = Sent(date(2025, 12, 1), "sms", 299_999, 1, Decimal("0.0233"))
        add(session, services["Hazel"], [text, text._replace(day=date(2025, 12, 2), units=1)])
        add(session, services["Ilex"], [text._replace(units=99_999, multiplier=3)])
        allow(session, services["Juniper"], 777, 2025, custom=True)
        allow(session, services["Kapok"], 777, 2025)
        found = {}
        for name, service in services.items():
            row = get_allowance(session, service.id, 2026, this_year=2026)
            found[name] = (row.free_sms_fragment_limit, row.high_volume_service_last_year, row.has_custom_allowance)
        assert found == {
            "Hazel": (0, True, False),
            "Ilex": (10_000, False, False),
            "Juniper": (777, False, True),
            "Kapok": (10_000, False, False),
        }
        # the volume of the year before this one decides, for other years, too
        assert get_allowance(session, services["Hazel"].id, 2025, this_year=2026).free_sms_fragment_limit == 0


def test_services_without_an_allowance_get_one(parts: Parts) -> None:
    with parts.database.transaction() as session:
        local, gone = a_service(session, organisation_type="local"), a_service(session)
        gone.active = False
        custom = a_service(session)
        allow(session, custom, 777, 2023, custom=True)
        for service in (local, gone):
            session.execute(delete(AnnualBilling).where(AnnualBilling.service_id == service.id))

    def limit(service: Service) -> int | None:
        with parts.database.session() as session:
            return session.scalar(
                select(AnnualBilling.free_sms_fragment_limit).where(
                    AnnualBilling.service_id == service.id, AnnualBilling.financial_year_start == 2024
                )
            )

    assert sum(grant_missing(parts.database, 2024)) >= 2
    assert sum(grant_missing(parts.database, 2024)) == 0
    assert [limit(service) for service in (local, gone, custom)] == [10_000, None, 777]


def test_the_newest_allowance_is_copied(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, other = a_service(session), a_service(session)
        allow(session, service, 5, 2020)
        session.add(AnnualBilling(service_id=service.id, financial_year_start=2021, free_sms_fragment_limit=6))
        allow(session, other, 7, 2023)
        session.flush()
        assert copy_previous(session, 2023) >= 1
        assert copy_previous(session, 2023) == 0
        query = select(AnnualBilling.free_sms_fragment_limit).where(AnnualBilling.financial_year_start == 2023)
        assert session.scalar(query.where(AnnualBilling.service_id == service.id)) == 6
        assert session.scalar(query.where(AnnualBilling.service_id == other.id)) == 7
