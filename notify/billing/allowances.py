"""Free text message fragments (contract: internal-services 13)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import Select, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from notify.billing.errors import NoAllowanceError
from notify.billing.models import AnnualBilling, BillingFact, DefaultAnnualAllowance
from notify.infra.database import Database
from notify.infra.errors import MalformedRequestError
from notify.infra.times import utc_now
from notify.services.models import Service
from notify.services.service import get_service

logger = structlog.get_logger(__name__)

FIRST_YEAR: Final = 2016
"""The first financial year with allowances."""

HIGH_VOLUME: Final = 300_000
"""A service that sent this many units of text messages in a financial year gets no free ones in the next."""


SERVICES_AT_A_TIME: Final = 500


class Allowance(NamedTuple):
    """Free fragments: whether they were set for the service itself, and whether there are none because the service
    sends so many.
    """

    limit: int
    is_custom: bool
    is_high_volume: bool


def financial_year(day: date) -> int:
    """The year in which the financial year of a local day began (on 1 April)."""
    return day.year if day.month >= 4 else day.year - 1


def default_allowance(session: Session, organisation_type: str | None, year: int) -> int | None:
    """The free fragments of a service in a financial year by its type of organisation: the newest allowance that was
    valid by then. No type, or one without an allowance, counts as `other`. None if the year has no allowances.
    """
    newest = (
        select(DefaultAnnualAllowance.allowance)
        .where(
            DefaultAnnualAllowance.notification_type == "sms",
            DefaultAnnualAllowance.valid_from_financial_year_start <= year,
        )
        .order_by(DefaultAnnualAllowance.valid_from_financial_year_start.desc())
        .limit(1)
    )
    own = session.scalar(newest.where(DefaultAnnualAllowance.organisation_type == organisation_type))
    if own is not None:
        return own
    return session.scalar(newest.where(DefaultAnnualAllowance.organisation_type == "other"))


def grant_default_allowance(session: Session, service: Service, day: date) -> None:
    """Give a new service its free fragments for the financial year of a local day. Raises `NoAllowanceError`."""
    year = financial_year(day)
    _grant(session, service, year, year)


def get_allowance(session: Session, service_id: UUID, year: int, *, this_year: int) -> AnnualBilling:
    """A service's free fragments of a financial year. If none were set, the default is stored and returned: those
    chosen for the year before, else those of its type of organisation (internal-jobs-billing-platform 5.1, 5.4).

    Raises `NotFoundProblemError` (no such service), `MalformedRequestError` (no allowances in that year yet, or ever),
    `NoAllowanceError`.
    """
    found = _allowance(session, service_id, year)
    if found is not None:
        return found
    if not FIRST_YEAR <= year <= this_year:
        raise MalformedRequestError
    return _grant(session, get_service(session, service_id), year, this_year)


def set_allowance(session: Session, service_id: UUID, year: int, fragments: int) -> None:
    """Choose a service's free fragments of a financial year. Raises `NotFoundProblemError`."""
    service = get_service(session, service_id)
    is_custom = fragments != default_allowance(session, service.organisation_type, year)
    values = {"free_sms_fragment_limit": fragments, "has_custom_allowance": is_custom}
    row = insert(AnnualBilling).values(service_id=service_id, financial_year_start=year, **values)
    session.execute(
        row.on_conflict_do_update(
            constraint="uix_service_id_financial_year_start", set_={**values, "updated_at": utc_now()}
        )
    )


def _allowance(session: Session, service_id: UUID, year: int) -> AnnualBilling | None:
    return session.scalar(
        select(AnnualBilling)
        .where(AnnualBilling.service_id == service_id, AnnualBilling.financial_year_start == year)
        .execution_options(populate_existing=True)
    )


def _grant(session: Session, service: Service, year: int, this_year: int) -> AnnualBilling:
    values = _values(session, service, year, this_year)
    row = insert(AnnualBilling).values(service_id=service.id, financial_year_start=year, **values)
    # two requests may get here at the same time
    session.execute(row.on_conflict_do_nothing(constraint="uix_service_id_financial_year_start"))
    granted = _allowance(session, service.id, year)
    if granted is None:
        raise NoAllowanceError(service.organisation_type or "other", year, service.id)
    return granted


def _values(session: Session, service: Service, year: int, this_year: int) -> dict[str, int | bool]:
    """The columns of a service's default allowance. Raises `NoAllowanceError`."""
    allowance = allowance_of(session, service, year, this_year=this_year)
    return {
        "free_sms_fragment_limit": allowance.limit,
        "has_custom_allowance": allowance.is_custom,
        "high_volume_service_last_year": allowance.is_high_volume,
    }


def allowance_of(session: Session, service: Service, year: int, *, this_year: int) -> Allowance:
    """The free fragments of a service in a financial year if none are set (contract: internal-jobs-billing-platform
    5.4): none if it sent very many in the year before this one; else those that were set for it for the year before
    `year`; else those of its type of organisation. Raises `NoAllowanceError`.
    """
    if _units_sent(session, service.id, this_year - 1) >= HIGH_VOLUME:
        return Allowance(0, is_custom=False, is_high_volume=True)
    custom = session.scalar(
        select(AnnualBilling.free_sms_fragment_limit).where(
            AnnualBilling.service_id == service.id,
            AnnualBilling.financial_year_start == year - 1,
            AnnualBilling.has_custom_allowance,
        )
    )
    if custom is not None:
        return Allowance(custom, is_custom=True, is_high_volume=False)
    limit = default_allowance(session, service.organisation_type, year)
    if limit is None:
        raise NoAllowanceError(service.organisation_type or "other", year, service.id)
    return Allowance(limit, is_custom=False, is_high_volume=False)


def reset_default_allowance(session: Session, service: Service, day: date) -> None:
    """Replace a service's free fragments for the financial year of a local day by those of `allowance_of`. Raises
    `NoAllowanceError`.
    """
    year = financial_year(day)
    values = _values(session, service, year, year)
    row = insert(AnnualBilling).values(service_id=service.id, financial_year_start=year, **values)
    session.execute(
        row.on_conflict_do_update(
            constraint="uix_service_id_financial_year_start", set_={**values, "updated_at": utc_now()}
        )
    )


def grant_missing(database: Database, year: int) -> Iterator[int]:
    """Give every active service without free fragments for a financial year its default, in batches of one transaction
    each; yields the number of services per batch. Skips, and logs, services without a default. Safe to run again.
    """
    after = UUID(int=0)
    while True:
        with database.transaction() as session:
            services = list(
                session.scalars(_without(year).where(Service.active, Service.id > after).limit(SERVICES_AT_A_TIME))
            )
            granted = sum(_try_to_grant(session, service, year) for service in services)
        yield granted
        if len(services) < SERVICES_AT_A_TIME:
            break
        after = services[-1].id
    with database.autocommit() as connection:
        connection.execute("ANALYZE annual_billing")


def copy_previous(session: Session, year: int) -> int:
    """Give every service without free fragments for a financial year those of its newest earlier year. Returns the
    number of services; skips those that never had any.
    """
    newest = (
        select(AnnualBilling.service_id, AnnualBilling.free_sms_fragment_limit, AnnualBilling.has_custom_allowance)
        .ext(distinct_on(AnnualBilling.service_id))
        .where(AnnualBilling.financial_year_start < year)
        .order_by(AnnualBilling.service_id, AnnualBilling.financial_year_start.desc())
    ).subquery()
    copied = select(
        func.gen_random_uuid(),
        newest.c.service_id,
        literal(year),
        newest.c.free_sms_fragment_limit,
        newest.c.has_custom_allowance,
        literal(utc_now()),
    )
    row = insert(AnnualBilling).from_select(
        ["id", "service_id", "financial_year_start", "free_sms_fragment_limit", "has_custom_allowance", "created_at"],
        copied,
    )
    row = row.on_conflict_do_nothing(constraint="uix_service_id_financial_year_start")
    return len(session.execute(row.returning(AnnualBilling.service_id)).all())


def _without(year: int) -> Select[Service]:
    has_one = select(AnnualBilling.id).where(
        AnnualBilling.service_id == Service.id, AnnualBilling.financial_year_start == year
    )
    return select(Service).where(~has_one.exists()).order_by(Service.id)


def _try_to_grant(session: Session, service: Service, year: int) -> bool:
    try:
        _grant(session, service, year, year)
    except NoAllowanceError as error:
        logger.error("service without an allowance", service=service.id, year=year, reason=str(error))
        return False
    return True


def _units_sent(session: Session, service_id: UUID, year: int) -> int:
    units = session.scalar(
        select(func.sum(BillingFact.billable_units * BillingFact.rate_multiplier)).where(
            BillingFact.service_id == service_id,
            BillingFact.notification_type == "sms",
            BillingFact.bst_date >= date(year, 4, 1),
            BillingFact.bst_date < date(year + 1, 4, 1),
        )
    )
    return units or 0
