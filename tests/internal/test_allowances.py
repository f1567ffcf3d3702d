from __future__ import annotations

from uuid import uuid4

import pytest

from notify.billing.allowances import financial_year
from notify.infra.times import local_date, utc_now
from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory, schema_faults

THIS_YEAR = financial_year(local_date(utc_now()))


@pytest.fixture
def path(factory: Factory) -> str:
    service = factory.service(organisation_type="local")
    return f"/service/{service.id}/billing/free-sms-fragment-limit"


def test_the_allowance_of_this_year_is_changed(admin: AdminClient, path: str) -> None:
    before = admin.get(path)
    assert before["financial_year_start"] == THIS_YEAR
    body = {"free_sms_fragment_limit": 12345, "colour": "green"}
    assert admin.post(path, body, status=201) == body
    assert admin.get(path, {"financial_year_start": THIS_YEAR}) == {**before, "free_sms_fragment_limit": 12345}


@pytest.mark.parametrize(("year", "fragments"), [(2016, 25_000), (2021, 25_000), (2022, 20_000), (2024, 10_000)])
def test_earlier_years_have_the_default_of_their_time(admin: AdminClient, path: str, year: int, fragments: int) -> None:
    expected = {"financial_year_start": year, "free_sms_fragment_limit": fragments}
    assert admin.get(path, {"financial_year_start": year}) == expected
    assert admin.get(path, {"financial_year_start": year}) == expected


@pytest.mark.parametrize(("year", "status"), [("2015", 400), ("2090", 400), ("now", 404)])
def test_years_without_allowances(admin: AdminClient, path: str, year: str, status: int) -> None:
    admin.get(path, {"financial_year_start": year}, status=status)


def test_wrong_allowances(admin: AdminClient, path: str) -> None:
    assert schema_faults(admin.post(path, {"free_sms_fragment_limit": -1}, status=400)) == [
        "free_sms_fragment_limit -1 is less than the minimum of 0"
    ]
    assert schema_faults(admin.post(path, {}, status=400)) == ["free_sms_fragment_limit is a required property"]
    unknown = f"/service/{uuid4()}/billing/free-sms-fragment-limit"
    assert admin.post(unknown, {"free_sms_fragment_limit": 7}, status=404)["message"] == "No result found"
    assert admin.get(unknown, status=404)["message"] == "No result found"


def test_a_new_service_has_an_allowance(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/billing/free-sms-fragment-limit"
    assert admin.get(path)["free_sms_fragment_limit"] > 0
