from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event

from notify.infra.ids import new_id
from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory


def _of(listed: Any, service: Service) -> list[Any]:
    return [row for row in listed["data"] if row["id"] == str(service.id)]


def test_services_of_a_user_in_the_order_of_their_making(admin: AdminClient, factory: Factory) -> None:
    user = factory.user()
    services = [factory.service(user_id=user.id) for _ in range(3)]
    admin.post(f"/service/{services[0].id}/archive", status=204)
    listed = admin.get("/service", {"user_id": str(user.id)})["data"]
    assert [row["id"] for row in listed] == [str(service.id) for service in services]
    assert listed[1] == admin.get(f"/service/{services[1].id}")["data"]
    active = admin.get("/service", {"user_id": str(user.id), "only_active": "True"})["data"]
    assert active == listed[1:]
    assert admin.get("/service", {"user_id": str(uuid4())})["data"] == []
    assert admin.get("/service", {"user_id": "robin"}, status=404)["message"] == "No result found"


def test_all_services(admin: AdminClient, service: Service) -> None:
    assert _of(admin.get("/service"), service) == [admin.get(f"/service/{service.id}")["data"]]
    admin.post(f"/service/{service.id}/archive", status=204)
    assert _of(admin.get("/service", {"only_active": "True"}), service) == []
    assert len(_of(admin.get("/service", {"only_active": "true"}), service)) == 1


def test_a_list_takes_the_same_queries_however_long_it_is(admin: AdminClient, factory: Factory) -> None:
    user = factory.user()
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    def count() -> int:
        statements.clear()
        admin.get("/service", {"user_id": str(user.id)})
        return len(statements)

    factory.service(user_id=user.id)
    engine = admin.app.extensions["notify"].parts.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        alone = count()
        for _ in range(5):
            factory.service(user_id=user.id)
        assert count() == alone > 0
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_services_with_what_they_sent(admin: AdminClient, service: Service) -> None:
    zeros = {kind: {"requested": 0, "delivered": 0, "failed": 0} for kind in ("sms", "email", "letter")}
    (today,) = _of(admin.get("/service", {"detailed": "True"}), service)
    assert today == {
        "id": str(service.id),
        "name": service.name,
        "active": True,
        "restricted": True,
        "created_at": today["created_at"],
        "notification_type": None,
        "statistics": zeros,
    }
    assert today["created_at"].endswith("GMT")
    long_ago = {"detailed": "True", "start_date": "2020-01-01", "end_date": "2020-01-02"}
    assert admin.get("/service", long_ago)["data"] == []
    up_to_today = {"detailed": "True", "start_date": "2020-01-01"}
    assert _of(admin.get("/service", up_to_today), service) == [today]
    assert admin.get("/service", {"detailed": "True", "start_date": "soon"}, status=400)["message"] == {
        "start_date": ["Not a valid date."]
    }


@pytest.mark.parametrize("part", ["50%_BOX {unique}", "box {unique}", "%_box {unique}"])
def test_search_by_a_part_of_the_name(admin: AdminClient, factory: Factory, part: str) -> None:
    unique = str(new_id())
    service = factory.service(name=f"50%_Box {unique}")
    found = {"id": str(service.id), "name": service.name, "active": True, "restricted": True}
    query = {"service_name": part.format(unique=unique)}
    assert admin.get("/service/find-services-by-name", query)["data"] == [found]
    assert admin.get("/service/find-services-by-name", {"service_name": f"%{unique}"})["data"] == []


def test_a_search_for_nothing(admin: AdminClient) -> None:
    missing = {"service_name": ["Missing data for required field."]}
    assert admin.get("/service/find-services-by-name", status=400)["message"] == missing
    assert admin.get("/service/find-services-by-name", {"service_name": ""}, status=400)["message"] == missing
