"""The worked example of the contract (examples-statistics 1): bills of the services of an organisation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import uuid4

from sqlalchemy import delete
from sqlalchemy.orm import Session

from notify.billing.models import AnnualBilling, BillingFact
from notify.billing.organisation_usage import ServiceUsage, usage_of_services
from notify.infra.parts import Parts
from notify.organisations.actions import create_organisation
from notify.services.models import Service
from notify.services.organisations import link_service
from tests.services.factory import a_service

FACTS = """
2024-04-10 Alder sms mmg 1 False 0.0227 60 40
2024-04-10 Alder sms firetext 1 False 0.0227 20 20
2024-05-02 Alder sms mmg 2 True 0.0227 15 15
2024-05-20 Alder sms mmg 1 False 0.0227 10 10
2025-03-31 Alder sms firetext 1 False 0.03 5 4
2024-04-10 Alder email ses 0 False 0 0 7
2024-06-01 Alder letter dvla 1 False 0.54 3 3
2024-06-02 Alder letter dvla 1 False 0.66 4 2
2024-06-02 Alder letter dvla 1 False 1.55 2 2
2024-06-03 Alder letter dvla 1 True 1.35 1 1
2024-06-04 Alder letter dvla 1 True 1.35 2 2
2024-04-01 Birch sms mmg 1 False 0.0227 7 7
2024-03-31 Birch sms mmg 1 False 0.0197 9 9
2024-04-01 Cedar sms mmg 1 False 0.0227 70 70
"""


def _add_facts(session: Session, services: dict[str, Service]) -> None:
    for line in FACTS.strip().splitlines():
        day, name, kind, provider, multiplier, international, rate, units, sent = line.split()
        session.add(
            BillingFact(
                bst_date=date.fromisoformat(day),
                template_id=uuid4(),
                service_id=services[name].id,
                notification_type=kind,
                provider=provider,
                rate_multiplier=int(multiplier),
                international=international == "True",
                rate=Decimal(rate),
                postage="second" if kind == "letter" else "none",
                billable_units=int(units),
                notifications_sent=int(sent),
            )
        )


def test_the_allowance_is_used_up_in_the_order_of_days(parts: Parts) -> None:
    with parts.database.transaction() as session:
        groves = create_organisation(session, name="Groves", organisation_type="local", crown=False).id
        services = {
            name: a_service(session, name=name, restricted=name == "Cedar") for name in ("Birch", "Alder", "Cedar")
        }
        for service in services.values():
            link_service(session, groves, service.id)
        session.execute(delete(AnnualBilling).where(AnnualBilling.service_id == services["Birch"].id))
        session.add_all(
            AnnualBilling(service_id=services[name].id, financial_year_start=2024, free_sms_fragment_limit=free)
            for name, free in (("Alder", 100), ("Birch", 0), ("Cedar", 50))
        )
        _add_facts(session, services)
        session.flush()
        alder, birch = services["Alder"].id, services["Birch"].id
        assert usage_of_services(session, groves, 2024) == [
            ServiceUsage(alder, "Alder", True, 100, 0, 125, 25, Decimal("0.604"), Decimal("10.09"), 7),
            ServiceUsage(birch, "Birch", True, 0, 0, 7, 7, Decimal("0.1589"), Decimal(0), 0),
        ]
        assert usage_of_services(session, groves, 2023) == [
            ServiceUsage(alder, "Alder", True, 0, 0, 0, 0, Decimal(0), Decimal(0), 0),
            ServiceUsage(birch, "Birch", True, 0, 0, 9, 9, Decimal("0.1773"), Decimal(0), 0),
        ]
        assert usage_of_services(session, uuid4(), 2024) == []
