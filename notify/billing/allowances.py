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
_ONE_A_YEAR: Final = "uix_service_id_financial_year_start"


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
    reset_default_allowance(session, service, day)


def reset_default_allowance(session: Session, service: Service, day: date) -> None:
    """Give a service the free fragments that its type of organisation gets in the financial year of a local day, in
    place of those that it had. One that had an allowance of its own in the year before keeps that (contract: workers
    15.4). Raises `NoAllowanceError`.
    """
    _set(session, service.id, financial_year(day), *_due(session, service, financial_year(day)))


def get_allowance(session: Session, service_id: UUID, year: int, *, this_year: int) -> AnnualBilling:
    """A service's free fragments of a financial year. Where nothing was set, what is due by default is set for good
    (internal-jobs-billing-platform 5.1, 5.4).

    Raises `NotFoundProblemError` (no such service), `MalformedRequestError` (no allowances in that year yet, or ever),
    `NoAllowanceError`.
    """
    found = _allowance(session, service_id, year)
    if found is not None:
        return found
    if not FIRST_YEAR <= year <= this_year:
        raise MalformedRequestError
    service = get_service(session, service_id)
    fragments, is_custom = _due(session, service, year)
    # two may look at the same time: the first one's row stays
    row = insert(AnnualBilling).values(**_values(service_id, year, fragments, is_custom))
    session.execute(row.on_conflict_do_nothing(constraint=_ONE_A_YEAR))
    granted = _allowance(session, service_id, year)
    if granted is None:
        raise NoAllowanceError(service.organisation_type or "other", year, service_id)
    return granted


def set_allowance(session: Session, service_id: UUID, year: int, fragments: int) -> None:
    """Choose a service's free fragments of a financial year. Raises `NotFoundProblemError`."""
    service = get_service(session, service_id)
    is_custom = fragments != default_allowance(session, service.organisation_type, year)
    _set(session, service_id, year, fragments, is_custom)


def _due(session: Session, service: Service, year: int) -> tuple[int, bool]:
    """The fragments that are due by default, and whether they were chosen for the service: then they were in the year
    before. Raises `NoAllowanceError`.
    """
    before = _allowance(session, service.id, year - 1)
    if before is not None and before.has_custom_allowance:
        return before.free_sms_fragment_limit, True
    fragments = default_allowance(session, service.organisation_type, year)
    if fragments is None:
        raise NoAllowanceError(service.organisation_type or "other", year, service.id)
    return fragments, False


def _allowance(session: Session, service_id: UUID, year: int) -> AnnualBilling | None:
    query = select(AnnualBilling).where(
        AnnualBilling.service_id == service_id, AnnualBilling.financial_year_start == year
    )
    return session.scalar(query.execution_options(populate_existing=True))


def _values(service_id: UUID, year: int, fragments: int, is_custom: bool) -> dict[str, object]:
    return {
        "service_id": service_id,
        "financial_year_start": year,
        "free_sms_fragment_limit": fragments,
        "has_custom_allowance": is_custom,
    }


def _set(session: Session, service_id: UUID, year: int, fragments: int, is_custom: bool) -> None:
    row = insert(AnnualBilling).values(**_values(service_id, year, fragments, is_custom))
    changes = {"free_sms_fragment_limit": fragments, "has_custom_allowance": is_custom, "updated_at": utc_now()}
    session.execute(row.on_conflict_do_update(constraint=_ONE_A_YEAR, set_=changes))
