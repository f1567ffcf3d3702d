"""The description of the public API (OpenAPI 3.1), made from the models that validate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from flask import Blueprint, Response, render_template
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from notify.infra.container import Container
from notify.infra.http import json_answer
from notify.public import schemas

VERSION: Final = "2.0.0"
_REF: Final = "#/components/schemas/{model}"


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a path: what it takes and what it answers. `errors` are statuses besides those all have."""

    method: Literal["get", "post"]
    path: str
    name: str
    summary: str
    answer: type[BaseModel] | None
    status: int = 200
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    errors: Sequence[int] = ()
    is_body_required: bool = True


_SEND: Final = (400, 429)
OPERATIONS: Final = (
    Operation(
        "post",
        "/v2/notifications/sms",
        "sendSms",
        "Send a text message",
        schemas.AcceptedSms,
        201,
        schemas.SmsRequest,
        errors=_SEND,
    ),
    Operation(
        "post",
        "/v2/notifications/email",
        "sendEmail",
        "Send an email",
        schemas.AcceptedEmail,
        201,
        schemas.EmailRequest,
        errors=_SEND,
    ),
    Operation(
        "post",
        "/v2/notifications/letter",
        "sendLetter",
        "Send a letter",
        schemas.AcceptedLetter,
        201,
        schemas.LetterRequest,
        errors=_SEND,
    ),
    Operation(
        "get",
        "/v2/notifications/{notification_id}",
        "getNotification",
        "Read a message and what became of it",
        schemas.NotificationAnswer,
        errors=(400, 404),
    ),
    Operation(
        "get",
        "/v2/notifications",
        "listNotifications",
        "Read messages, newest first",
        schemas.NotificationsAnswer,
        query=schemas.NotificationsQuery,
        errors=(400, 404),
    ),
    Operation(
        "get",
        "/v2/notifications/{notification_id}/pdf",
        "getLetterPdf",
        "Read a letter as it is printed",
        None,
        errors=(400, 404),
    ),
    Operation(
        "get", "/v2/template/{template_id}", "getTemplate", "Read a template", schemas.TemplateAnswer, errors=(400, 404)
    ),
    Operation(
        "get",
        "/v2/template/{template_id}/version/{version}",
        "getTemplateVersion",
        "Read a template as it was",
        schemas.TemplateAnswer,
        errors=(400, 404),
    ),
    Operation(
        "get",
        "/v2/templates",
        "listTemplates",
        "Read every template",
        schemas.TemplatesAnswer,
        query=schemas.TemplatesQuery,
        errors=(400,),
    ),
    Operation(
        "post",
        "/v2/template/{template_id}/preview",
        "previewTemplate",
        "Fill a template in, without sending",
        schemas.PreviewAnswer,
        body=schemas.PreviewRequest,
        errors=(400, 404),
        is_body_required=False,
    ),
    Operation(
        "get",
        "/v2/received-text-messages",
        "listReceivedTexts",
        "Read text messages that were sent to you, newest first",
        schemas.ReceivedTextsAnswer,
        query=schemas.ReceivedTextsQuery,
        errors=(400,),
    ),
)
"""Every operation of version 2."""

_ERROR_WORDS: Final = {
    400: "Something is wrong with the request",
    401: "There is no token",
    403: "The token, or what it asks for, is not accepted",
    404: "There is no such thing",
    413: "The request is too large",
    429: "A limit is used up",
}


@cache
def document(server: str) -> dict[str, Any]:
    """The whole description, for a server at this address."""
    models = {
        model
        for operation in OPERATIONS
        for model in (operation.body, operation.query, operation.answer, schemas.ErrorAnswer)
        if model is not None
    }
    inputs = {operation.body for operation in OPERATIONS} | {operation.query for operation in OPERATIONS}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, definitions = models_json_schema(
        [(model, "validation" if model in inputs else "serialization") for model in ordered], ref_template=_REF
    )
    components = {name: _without_absent(schema) for name, schema in definitions["$defs"].items()}
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, components)
    for operation in OPERATIONS:
        if operation.query is not None:
            components.pop(operation.query.__name__, None)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Notify",
            "version": VERSION,
            "summary": "Send text messages, emails and letters, and read what became of them.",
        },
        "servers": [{"url": server}],
        "security": [{"token": []}, {"key": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": (
                        "A JSON Web Token, HS256, signed with the secret of an API key (its last 36 characters). "
                        "Claims: `iss`, the id of the service (the 36 characters before), and `iat`, now."
                    ),
                },
                "key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`ApiKey-v1` and the whole API key, for tools that cannot make a token.",
                },
            },
        },
    }


def _without_absent(schema: dict[str, Any]) -> dict[str, Any]:
    """Optional fields may be left out, which Pydantic writes as a default of null; null itself is not accepted."""
    for field in schema.get("properties", {}).values():
        nullable = field.get("type") == "null" or any(one.get("type") == "null" for one in field.get("anyOf", ()))
        if field.get("default", "") is None and not nullable:
            del field["default"]
        field.pop("title", None)
    return schema


def _operation(operation: Operation, components: Mapping[str, Any]) -> dict[str, Any]:
    if operation.answer is None:
        content: dict[str, Any] = {"application/pdf": {}}
    else:
        content = _json(operation.answer)
    responses: dict[str, Any] = {str(operation.status): {"description": "Done", "content": content}}
    errors = {401, 403, *operation.errors} | ({413} if operation.body else set())
    for status in sorted(errors):
        responses[str(status)] = {"description": _ERROR_WORDS[status], "content": _json(schemas.ErrorAnswer)}
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": responses,
        "parameters": [*_path_parameters(operation.path), *_query_parameters(operation, components)],
    }
    if operation.body is not None:
        described["requestBody"] = {"required": operation.is_body_required, "content": _json(operation.body)}
    return described


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer", "minimum": 0} if name == "version" else {"type": "string", "format": "uuid"},
        }
        for name in names
    ]


def _query_parameters(operation: Operation, components: Mapping[str, Any]) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    fields: dict[str, Any] = components[operation.query.__name__]["properties"]
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in fields.items()]


def blueprint(container: Container) -> Blueprint:
    """`/openapi.json`, and the same for people at `/docs`."""
    server = container.parts.settings.api_host_name
    routes = Blueprint("openapi", __name__, template_folder="templates")

    @routes.get("/openapi.json")
    def description() -> Response:
        return json_answer(document(server))

    @routes.get("/docs")
    def page() -> str:
        return render_template("docs.html", api=document(server), server=server)

    return routes
