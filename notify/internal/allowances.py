"""Free text messages of a service in a financial year (contract: internal-jobs-billing-platform 5.1)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Session

from notify.billing import allowances
from notify.infra.errors import NotFoundProblemError
from notify.infra.times import local_date, utc_now
from notify.internal.fields import WHOLE
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Query

routes = Routes("allowances", "/service/<uuid:service_id>/billing/free-sms-fragment-limit")


class YearQuery(Query):
    """The year in which the financial year begins; the current one if none is given."""

    financial_year_start: str = ""


class NewAllowance(Body, extra="allow"):
    """The free fragments of this financial year."""

    free_sms_fragment_limit: Annotated[int, Field(ge=0), WHOLE]


class AllowanceAnswer(Answer):
    """The fragments that are free in a financial year."""

    financial_year_start: int
    free_sms_fragment_limit: int


def _year(text: str, this_year: int) -> int:
    try:
        return int(text) if text else this_year
    except ValueError:
        raise NotFoundProblemError from None


@routes.get("", writes=True)
def get_allowance(session: Session, service_id: UUID, query: YearQuery) -> AllowanceAnswer:
    """Get the number of free text message fragments."""
    this_year = allowances.financial_year(local_date(utc_now()))
    year = _year(query.financial_year_start, this_year)
    return AllowanceAnswer.of(allowances.get_allowance(session, service_id, year, this_year=this_year))


@routes.post("", status=201)
def set_allowance(session: Session, service_id: UUID, body: NewAllowance) -> dict[str, Any]:
    """Set the number of free text message fragments of this financial year."""
    year = allowances.financial_year(local_date(utc_now()))
    allowances.set_allowance(session, service_id, year, body.free_sms_fragment_limit)
    return body.model_dump()
