from __future__ import annotations

from collections.abc import Callable
from itertools import count
from uuid import uuid4

import pytest

from notify.services.models import InboundNumber, Service
from tests.internal.admin import AdminClient, Factory, schema_faults

_numbers = count(7_700_900_000)


@pytest.fixture
def number(factory: Factory) -> Callable[[], InboundNumber]:
    return lambda: factory.row(InboundNumber(number=f"0{next(_numbers)}", provider="mmg"))


def test_a_number_is_given_and_switched_off(
    admin: AdminClient, service: Service, number: Callable[[], InboundNumber]
) -> None:
    free = number()
    path = f"/inbound-number/service/{service.id}"
    assert admin.get(path) == {"data": {}}
    assert str(free.id) in {row["id"] for row in admin.get("/inbound-number/available")["data"]}
    sender = admin.post(path, {"inbound_number_id": str(free.id)}, status=201)
    assert (sender["sms_sender"], sender["is_default"]) == (free.number, True)
    given = admin.get(path)["data"]
    assert given["service"] == {"id": str(service.id), "name": service.name}
    assert str(free.id) not in {row["id"] for row in admin.get("/inbound-number/available")["data"]}
    assert admin.post(f"{path}/off", status=204) is None
    assert admin.get(path)["data"]["active"] is False
    assert admin.get(path)["data"] in admin.get("/inbound-number")["data"]


def test_any_free_number(admin: AdminClient, service: Service, number: Callable[[], InboundNumber]) -> None:
    number()
    assert admin.post(f"/inbound-number/service/{service.id}", {}, status=201)["service_id"] == str(service.id)


def test_numbers_that_cannot_be_given(
    admin: AdminClient, factory: Factory, service: Service, number: Callable[[], InboundNumber]
) -> None:
    path = f"/inbound-number/service/{service.id}"
    taken = number()
    admin.post(f"/inbound-number/service/{factory.service().id}", {"inbound_number_id": str(taken.id)}, status=201)
    admin.post(path, {"inbound_number_id": str(taken.id)}, status=400)
    refused = admin.post(path, {"inbound_number_id": "seven"}, status=400)
    assert schema_faults(refused) == ["inbound_number_id is not a valid UUID"]
    admin.post(f"{path}/off", status=400)
    admin.post(f"/inbound-number/service/{uuid4()}", {}, status=404)
