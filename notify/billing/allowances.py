"""Free text message fragments (contract: internal-services 13)."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from notify.billing.errors import NoAllowanceError
from notify.billing.models import AnnualBilling, DefaultAnnualAllowance
from notify.infra.errors import MalformedRequestError
from notify.infra.times import utc_now
from notify.services.models import Service
from notify.services.service import get_service

FIRST_YEAR: Final = 2016
"""The first financial year with allowances."""


def financial_year(day: date) -> int:
    """The year in which the financial year of a local day began: it begins on 1 April."""
    return day.year if day.month >= 4 else day.year - 1


def default_allowance(session: Session, organisation_type: str | None, year: int) -> int | None:
    """The fragments that a service of such an organisation gets for free in a financial year: the newest allowance
    that was valid by then. No type, or one without an allowance of its own, counts as `other`. None when nothing is
    known of the year.
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
    _grant(session, service, financial_year(day))


def get_allowance(session: Session, service_id: UUID, year: int, *, this_year: int) -> AnnualBilling:
    """A service's free fragments of a financial year. Where nothing was set, it is the default from now on: what was
    chosen for the year before, else what services of its kind get (internal-jobs-billing-platform 5.1, 5.4).

    Raises `NotFoundProblemError` (no such service), `MalformedRequestError` (no allowances in that year yet, or ever),
    `NoAllowanceError`.
    """
    found = _allowance(session, service_id, year)
    if found is not None:
        return found
    if not FIRST_YEAR <= year <= this_year:
        raise MalformedRequestError
    return _grant(session, get_service(session, service_id), year)


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


def _grant(session: Session, service: Service, year: int) -> AnnualBilling:
    before = _allowance(session, service.id, year - 1)
    if before is not None and before.has_custom_allowance:
        fragments: int | None = before.free_sms_fragment_limit
    else:
        fragments = default_allowance(session, service.organisation_type, year)
    if fragments is None:
        raise NoAllowanceError(service.organisation_type or "other", year, service.id)
    row = insert(AnnualBilling).values(
        service_id=service.id,
        financial_year_start=year,
        free_sms_fragment_limit=fragments,
        has_custom_allowance=before is not None and before.has_custom_allowance,
    )
    # two may look at the same time
    session.execute(row.on_conflict_do_nothing(constraint="uix_service_id_financial_year_start"))
    granted = _allowance(session, service.id, year)
    if granted is None:
        raise NoAllowanceError(service.organisation_type or "other", year, service.id)
    return granted


def reset_default_allowance(session: Session, service: Service, day: date) -> None:
    """Give a service the free fragments that its type of organisation gets in the financial year of a local day, in
    place of those that it had. One that had an allowance of its own in the year before keeps that (contract: workers
    15.4). Raises `NoAllowanceError`.
    """
    year = financial_year(day)
    before = session.scalar(
        select(AnnualBilling.free_sms_fragment_limit).where(
            AnnualBilling.service_id == service.id,
            AnnualBilling.financial_year_start == year - 1,
            AnnualBilling.has_custom_allowance,
        )
    )
    allowance = default_allowance(session, service.organisation_type, year) if before is None else before
    if allowance is None:
        raise NoAllowanceError(service.organisation_type or "other", year, service.id)
    values = {"free_sms_fragment_limit": allowance, "has_custom_allowance": before is not None}
    row = insert(AnnualBilling).values(service_id=service.id, financial_year_start=year, **values)
    session.execute(
        row.on_conflict_do_update(
            constraint="uix_service_id_financial_year_start", set_={**values, "updated_at": utc_now()}
        )
    )
