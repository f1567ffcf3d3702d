from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from notify.internal.openapi import document
from notify.services.models import Service
from tests.internal.admin import AdminClient

schema = schemathesis.openapi.from_dict(document("http://localhost"))


def test_the_description_is_served_to_everybody(admin: AdminClient) -> None:
    served = admin.call("GET", "/openapi-internal.json", headers={}).get_json()
    assert served["openapi"] == "3.1.0"
    created = served["paths"]["/service/{service_id}/data-retention"]["post"]
    assert created["summary"] == "Create a data retention"
    assert created["security"] == [{"notify-admin": []}]
    assert set(created["responses"]) == {"201", "4XX"}
    body = served["components"]["schemas"]["NewRetention"]
    assert body["required"] == ["days_of_retention", "notification_type"]


def test_every_operation_has_a_name_of_its_own() -> None:
    operations = [each for path in document("http://localhost")["paths"].values() for each in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(operation["summary"] for operation in operations)


@schema.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: Any, admin: AdminClient, service: Service) -> None:
    if "service_id" in case.path_parameters:
        case.path_parameters["service_id"] = str(service.id)
    answer = case.call(app=admin.app, base_url="http://localhost", headers={"Authorization": f"Bearer {admin.token()}"})
    case.validate_response(answer, checks=(not_a_server_error, status_code_conformance, response_schema_conformance))
