from __future__ import annotations

from uuid import uuid4

import pytest

from notify.infra.ids import new_id
from notify.infra.times import utc_now
from notify.messages.models import Notification
from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory


def test_messages_of_today_are_counted(admin: AdminClient, factory: Factory, service: Service) -> None:
    template = factory.template(service)
    path = f"/service/{service.id}/template-statistics"
    assert admin.get(f"{path}/last-used/{template.id}") == {"last_date_used": None}
    factory.row(
        Notification(
            id=new_id(),
            service_id=service.id,
            template_id=template.id,
            template_version=1,
            key_type="normal",
            notification_type="sms",
            created_at=utc_now(),
            to=b"x",
        )
    )
    count = {
        "count": 1,
        "is_precompiled_letter": False,
        "status": "created",
        "template_id": str(template.id),
        "template_name": template.name,
        "template_type": "sms",
    }
    for query in ({"whole_days": "0"}, {"limit_days": " 7 "}, {"whole_days": "1", "limit_days": "x"}):
        assert admin.get(path, query) == {"data": [count]}
    assert admin.get(f"{path}/last-used/{template.id}")["last_date_used"].endswith("Z")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, " is not an integer"),
        ({"whole_days": "1.5"}, "1.5 is not an integer"),
        ({"whole_days": "", "limit_days": "1"}, " is not an integer"),
        ({"whole_days": "1_0"}, "1_0 is not an integer"),
        ({"limit_days": "-1"}, "whole_days must be between 0 and 7"),
        ({"whole_days": "8"}, "whole_days must be between 0 and 7"),
    ],
)
def test_numbers_that_are_none(admin: AdminClient, service: Service, query: dict[str, str], message: str) -> None:
    answer = admin.get(f"/service/{service.id}/template-statistics", query, status=400)
    assert answer["message"] == {"whole_days": [message]}


def test_what_is_not_there(admin: AdminClient, factory: Factory, service: Service) -> None:
    template = factory.template(service)
    assert admin.get(f"/service/{uuid4()}/template-statistics", {"whole_days": "1"}) == {"data": []}
    for path in (
        f"/service/{service.id}/template-statistics/last-used/{uuid4()}",
        f"/service/{uuid4()}/template-statistics/last-used/{template.id}",
    ):
        assert admin.get(path, status=404)["message"] == "No result found"
