from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import status_code_conformance

from notify.public import v1, v2
from notify.public.openapi import document
from tests.api import Api

schema = schemathesis.openapi.from_dict(document("http://localhost"))


def test_the_description_covers_every_route(api: Api) -> None:
    described = {
        (method.upper(), path.replace("{", "<").replace("}", ">"))
        for path, operations in document("http://localhost")["paths"].items()
        for method in operations
    }
    served = set()
    for rule in api.app.url_map.iter_rules():
        if rule.endpoint.startswith(("v1.", "v2.")):
            path = rule.rule.replace("<int:version>", "<version>").replace("<uuid:", "<")
            served |= {(method, path) for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}}
    assert served - described == {
        ("POST", "/v2/notifications/<string:notification_type>"),
        ("POST", "/notifications/<string:notification_type>"),
    }
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
    assert all(endpoint.summary in page.text for endpoint in (*v2.ENDPOINTS, *v1.ENDPOINTS))


def test_operations_have_the_names_of_the_field(api: Api) -> None:
    paths = api.call("GET", "/openapi.json", headers={}).get_json()["paths"]
    named = {operation["operationId"]: operation["summary"] for path in paths.values() for operation in path.values()}
    assert named == {
        "sendSms": "Send a text message",
        "sendEmail": "Send an email",
        "sendLetter": "Send a letter",
        "getNotification": "Get a message and its status",
        "cancelNotification": "Cancel a scheduled message before its time, or a letter before it is printed",
        "sendBulk": "Send to many recipients",
        "getBulk": "Get the progress of messages to many recipients",
        "cancelBulk": "Cancel scheduled messages to many recipients",
        "getLetterPdf": "Get the PDF of a letter",
        "listNotifications": "Get a list of messages, newest first",
        "getTemplate": "Get a template",
        "getTemplateVersion": "Get a template version",
        "listTemplates": "Get a list of templates",
        "previewTemplate": "Preview a template",
        "listReceivedTexts": "Get a list of received text messages, newest first",
        "sendLegacySms": "Send a text message, version 1",
        "sendLegacyEmail": "Send an email, version 1",
        "getLegacyNotification": "Get a message and its status, version 1",
        "listLegacyNotifications": "Get a list of messages, newest first, version 1",
    }


def test_what_sends_may_have_an_idempotency_key(api: Api) -> None:
    paths = api.call("GET", "/openapi.json", headers={}).get_json()["paths"]
    with_key = {
        path
        for path, operations in paths.items()
        for operation in operations.values()
        if "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}
    }
    assert with_key == {
        "/v2/notifications/sms",
        "/v2/notifications/email",
        "/v2/notifications/letter",
        "/v2/notifications/bulk",
        "/notifications/sms",
        "/notifications/email",
    }
    sms = paths["/v2/notifications/sms"]["post"]["responses"]
    assert set(sms["201"]["headers"]) == {"Idempotent-Replayed"}
    assert "409" in sms


def test_version_1_is_deprecated(api: Api) -> None:
    paths = api.call("GET", "/openapi.json", headers={}).get_json()["paths"]
    for path, operations in paths.items():
        for operation in operations.values():
            assert operation.get("deprecated", False) is not path.startswith("/v2/")
    assert "Deprecated." in api.call("GET", "/docs", headers={}).text


def test_the_page_shows_code_as_code(api: Api) -> None:
    page = api.call("GET", "/docs", headers={}).text
    assert "<code>ApiKey-v1</code> and the whole API key" in page
    assert "`" not in page


def test_optional_fields_have_no_default_and_enumerations_their_values() -> None:
    described = document("http://localhost")
    fields = described["components"]["schemas"]["EmailRequest"]["properties"]
    assert "default" not in fields["reference"]
    assert fields["scheduled_for"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    query = {field["name"]: field["schema"] for field in described["paths"]["/v2/notifications"]["get"]["parameters"]}
    assert query["template_type"]["items"]["enum"] == ["sms", "email", "letter"]
    assert query["include_jobs"]["enum"] == ["true", "True"]


@pytest.mark.usefixtures("api")
@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_ends_in_a_server_error_or_an_undocumented_status(case: Any, api: Api) -> None:
    api.execute("UPDATE services SET rate_limit = 60000 WHERE id = %s", api.service_id)
    response = case.call(app=api.app, base_url="http://localhost", headers={"Authorization": f"Bearer {api.token()}"})
    case.validate_response(response, checks=(not_a_server_error, status_code_conformance))
