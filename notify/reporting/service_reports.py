"""Reports about all live services, from the nightly facts (contract: internal-services 2.1). Live are those that are
active, out of trial mode and counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, String, cast, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from notify.accounts.models import User
from notify.billing.models import AnnualBilling, BillingFact
from notify.organisations.models import Organisation
from notify.reporting.models import StatusFact
from notify.services.models import Service

ROWS_AT_A_TIME: Final = 500

_LIVE: Final = (Service.active, ~Service.restricted, Service.count_as_live)


class LiveService(NamedTuple):
    """A live service. The contact is the user who requested to go live; intents are messages a year, as stated by the
    service; totals are messages sent in the financial year; `free_sms_fragment_limit` is that of its newest year.
    """

    service_id: UUID
    service_name: str
    organisation_name: str | None
    organisation_type: str | None
    consent_to_research: bool | None
    contact_name: str | None
    contact_email: str | None
    contact_mobile: str | None
    live_date: datetime | None
    sms_volume_intent: int | None
    email_volume_intent: int | None
    letter_volume_intent: int | None
    sms_totals: int
    email_totals: int
    letter_totals: int
    free_sms_fragment_limit: int


class MonthOfService(NamedTuple):
    """Counts by status of a live service's messages of a type in a month, which is named by its first day."""

    month: date
    service_id: UUID
    service_name: str
    notification_type: str
    sending: int
    delivered: int
    technical_failure: int
    temporary_failure: int
    permanent_failure: int
    sent: int


def list_live_services(session: Session, year_start: date) -> list[LiveService]:
    """Live services with free allowances, with their counts since a local day; in the order of going live."""
    kinds = ("sms", "email", "letter")
    sums = [
        func.sum(BillingFact.notifications_sent).filter(cast(BillingFact.notification_type, String) == kind).label(kind)
        for kind in kinds
    ]
    sent = (
        select(BillingFact.service_id, *sums)
        .where(BillingFact.bst_date >= year_start)
        .group_by(BillingFact.service_id)
        .subquery()
    )
    allowance = (
        select(AnnualBilling.service_id, AnnualBilling.free_sms_fragment_limit.label("fragments"))
        .ext(distinct_on(AnnualBilling.service_id))
        .order_by(AnnualBilling.service_id, AnnualBilling.financial_year_start.desc())
        .subquery()
    )
    query = (
        select(
            Service.id,
            Service.name,
            Organisation.name,
            Organisation.organisation_type,
            Service.consent_to_research,
            User.name,
            User.email_address,
            User.mobile_number,
            Service.go_live_at,
            Service.volume_sms,
            Service.volume_email,
            Service.volume_letter,
            *(func.coalesce(sent.c[kind], 0) for kind in kinds),
            allowance.c.fragments,
        )
        .join(allowance, allowance.c.service_id == Service.id)
        .outerjoin(Organisation, Organisation.id == Service.organisation_id)
        .outerjoin(User, User.id == Service.go_live_user_id)
        .outerjoin(sent, sent.c.service_id == Service.id)
        .where(*_LIVE)
        .order_by(Service.go_live_at, Service.id)
    )
    return [LiveService._make(row) for row in session.execute(query)]


def list_months(session: Session, start: date, end: date) -> Iterator[MonthOfService]:
    """Counts of live services' messages in a period of days, both ends included, by month, service and type. Messages
    of test keys, and those not yet sent, are left out. Rows are read lazily.
    """

    def count(*statuses: str) -> ColumnElement[int]:
        wanted = StatusFact.notification_status.in_(statuses)
        return func.coalesce(func.sum(StatusFact.notification_count).filter(wanted), 0)

    month = cast(func.date_trunc("month", StatusFact.bst_date), StatusFact.bst_date.type)
    query = (
        select(
            month,
            Service.id,
            Service.name,
            StatusFact.notification_type,
            count("sending", "pending"),
            count("delivered"),
            count("technical-failure", "failed"),
            count("temporary-failure"),
            count("permanent-failure"),
            count("sent"),
        )
        .join(Service, Service.id == StatusFact.service_id)
        .where(
            StatusFact.bst_date.between(start, end),
            StatusFact.key_type != "test",
            StatusFact.notification_status != "created",
            *_LIVE,
        )
        .group_by(month, Service.id, Service.name, StatusFact.notification_type)
        .order_by(month, Service.id, StatusFact.notification_type)
    )
    return map(MonthOfService._make, session.execute(query, execution_options={"yield_per": ROWS_AT_A_TIME}))
