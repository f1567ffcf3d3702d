from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import status_code_conformance

from notify.public.openapi import OPERATIONS, document
from tests.api import Api

schema = schemathesis.openapi.from_dict(document("http://localhost"))


def test_the_description_covers_every_route_of_version_2(api: Api) -> None:
    described = {
        (operation.method.upper(), operation.path.replace("{", "<").replace("}", ">")) for operation in OPERATIONS
    }
    served = set()
    for rule in api.app.url_map.iter_rules():
        if rule.rule.startswith("/v2/"):
            path = rule.rule.replace("<int:version>", "<version>")
            served |= {(method, path) for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}}
    assert served - described == {("POST", "/v2/notifications/<string:notification_type>")}
    assert described <= served


def test_the_description_is_served_and_shown(api: Api) -> None:
    served = api.call("GET", "/openapi.json", headers={}).get_json()
    assert served["openapi"] == "3.1.0"
    assert served["paths"]["/v2/notifications/sms"]["post"]["requestBody"]["required"] is True
    sms = served["components"]["schemas"]["SmsRequest"]
    assert sms["required"] == ["phone_number", "template_id"]
    assert sms["additionalProperties"] is False
    assert "default" not in sms["properties"]["reference"]
    page = api.call("GET", "/docs", headers={})
    assert all(operation.summary in page.text for operation in OPERATIONS)


@pytest.mark.usefixtures("api")
@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_ends_in_a_server_error_or_an_undocumented_status(case: Any, api: Api) -> None:
    api.execute("UPDATE services SET rate_limit = 60000 WHERE id = %s", api.service_id)
    response = case.call(app=api.app, base_url="http://localhost", headers={"Authorization": f"Bearer {api.token()}"})
    case.validate_response(response, checks=(not_a_server_error, status_code_conformance))
