"""Free fragments of services whose type of organisation is set."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.billing.allowances import reset_default_allowance
from notify.billing.models import AnnualBilling, BillingFact
from notify.infra.parts import Parts
from notify.services.models import Service
from tests.services.factory import a_service

DAY = date(2025, 6, 1)


def _row(session: Session, service: Service, year: int = 2025) -> tuple[int, bool, bool] | None:
    session.expire_all()
    row = session.scalar(
        select(AnnualBilling).where(AnnualBilling.service_id == service.id, AnnualBilling.financial_year_start == year)
    )
    if row is None:
        return None
    return (row.free_sms_fragment_limit, row.has_custom_allowance, row.high_volume_service_last_year)


def test_the_type_decides(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session, organisation_type="local")
        service.organisation_type = "central"
        for _ in range(2):
            reset_default_allowance(session, service, DAY)
            assert _row(session, service) == (30_000, False, False)


def test_what_was_set_for_the_service_last_year_stays(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session, organisation_type="local")
        session.add(
            AnnualBilling(
                service_id=service.id, financial_year_start=2024, free_sms_fragment_limit=7, has_custom_allowance=True
            )
        )
        reset_default_allowance(session, service, DAY)
        assert _row(session, service) == (7, True, False)


@pytest.mark.parametrize(("units", "expected"), [(149_999, (10_000, False, False)), (150_000, (0, False, True))])
def test_a_service_of_very_many_texts_gets_none(parts: Parts, units: int, expected: tuple[int, bool, bool]) -> None:
    with parts.database.transaction() as session:
        service = a_service(session, organisation_type="local")
        session.add(
            BillingFact(
                bst_date=date(2025, 3, 31),
                template_id=uuid4(),
                service_id=service.id,
                notification_type="sms",
                provider="mmg",
                rate_multiplier=2,
                international=True,
                rate=Decimal("0.02"),
                postage="none",
                billable_units=units,
                notifications_sent=units,
            )
        )
        reset_default_allowance(session, service, DAY)
        assert _row(session, service) == expected
