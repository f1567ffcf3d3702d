"""The description of the public API (OpenAPI 3.1), derived from its endpoints and their models."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from flask import Blueprint, Response, render_template
from markupsafe import Markup, escape
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from notify.infra.container import Container
from notify.infra.http import json_answer
from notify.messages.idempotency import LONGEST_KEY
from notify.public import schemas, v1, v2
from notify.public.endpoints import Endpoint
from notify.public.examples import examples
from notify.public.idempotency import REPLAYED

VERSION: Final = "2.0.0"
SUMMARY: Final = "Send text messages, emails and letters, and get their status."
_REF: Final = "#/components/schemas/{model}"

_ERROR_WORDS: Final = {
    400: "The request is not valid",
    401: "The request has no token",
    403: "The token is not valid, or may not do this",
    404: "Not found",
    405: "Not found, because the id is malformed",
    409: "The idempotency key was used for another request, or its request is still being processed",
    413: "The request is too large",
    429: "A limit is exceeded",
}

_SECURITY_SCHEMES: Final = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": (
            "A JSON Web Token, signed with HS256 and the secret of an API key (its last 36 characters). "
            "Claims: `iss`, the id of the service (the 36 characters before the secret), and `iat`, the time now."
        ),
    },
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`ApiKey-v1` and the whole API key, for tools that cannot make a token.",
    },
}

_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"},
    "description": (
        "Makes the request safe to repeat: within 24 hours, the same key with the same body gives the first answer "
        "again, and nothing is sent twice. Use a random key, such as a UUID, for each message."
    ),
}
_REPLAYED: Final = {
    REPLAYED: {
        "description": "`true` if this is a stored answer to the same `Idempotency-Key`.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}

_CODE_SPAN: Final = re.compile(r"`([^`]+)`")
_SOURCE: Final = re.compile(r" \(public-api [^)]*\)")
_PATH_PART: Final = re.compile(r"<(?:(\w+):)?(\w+)>")


@cache
def document(server: str, *, legacy: bool = True) -> dict[str, Any]:
    """The whole description, for a server at this address. `legacy`: include version 1 as deprecated."""
    endpoints = (*v2.ENDPOINTS, *v1.ENDPOINTS) if legacy else v2.ENDPOINTS
    components = _components(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(path_of(endpoint), {})[endpoint.method.lower()] = _operation(endpoint, components)
    for endpoint in endpoints:
        if endpoint.query is not None:
            components.pop(endpoint.query.__name__, None)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Notify", "version": VERSION, "summary": SUMMARY},
        "servers": [{"url": server}],
        "security": [{name: []} for name in _SECURITY_SCHEMES],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SECURITY_SCHEMES},
    }


def path_of(endpoint: Endpoint) -> str:
    """The endpoint's path in OpenAPI's syntax."""
    return endpoint.prefix + _PATH_PART.sub(r"{\2}", endpoint.path)


def _components(endpoints: Sequence[Endpoint]) -> dict[str, dict[str, Any]]:
    """The schemas of all models, by name."""
    inputs = {model for endpoint in endpoints for model in (endpoint.body, endpoint.query) if model is not None}
    answers = {endpoint.answer for endpoint in endpoints if endpoint.answer is not None}
    errors = {_error_answer(endpoint) for endpoint in endpoints}
    ordered = sorted(inputs | answers | errors, key=lambda model: model.__name__)
    _, definitions = models_json_schema(
        [(model, "validation" if model in inputs else "serialization") for model in ordered], ref_template=_REF
    )
    components: dict[str, dict[str, Any]] = definitions["$defs"]
    for schema in components.values():
        if "description" in schema:
            schema["description"] = _SOURCE.sub("", schema["description"])
        for field in schema.get("properties", {}).values():
            field.pop("title", None)
    return components


def _error_answer(endpoint: Endpoint) -> type[BaseModel]:
    return v1.schemas.LegacyErrorAnswer if endpoint.legacy else schemas.ErrorAnswer


def _operation(endpoint: Endpoint, components: Mapping[str, Any]) -> dict[str, Any]:
    content = {"application/pdf": {}} if endpoint.answer is None else _json(endpoint.answer)
    responses: dict[str, Any] = {str(endpoint.status): {"description": "Done", "content": content}}
    for status in sorted({401, 403, *endpoint.errors} | ({413} if endpoint.body else set())):
        responses[str(status)] = {"description": _ERROR_WORDS[status], "content": _json(_error_answer(endpoint))}
    if endpoint.show is not None:
        responses[str(endpoint.status)]["headers"] = _REPLAYED
    described: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "responses": responses,
        "parameters": [
            *_path_parameters(endpoint),
            *_query_parameters(endpoint, components),
            *([_IDEMPOTENCY_KEY] if endpoint.show is not None else []),
        ],
    }
    if endpoint.legacy:
        described["deprecated"] = True
    if endpoint.body is not None:
        described["requestBody"] = {"required": endpoint.is_body_required, "content": _json(endpoint.body)}
    return described


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}}


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            "name": match[2],
            "in": "path",
            "required": True,
            "schema": {"type": "integer", "minimum": 0} if match[1] == "int" else {"type": "string", "format": "uuid"},
        }
        for match in _PATH_PART.finditer(endpoint.path)
    ]


def _query_parameters(endpoint: Endpoint, components: Mapping[str, Any]) -> list[dict[str, Any]]:
    if endpoint.query is None:
        return []
    fields: dict[str, Any] = components[endpoint.query.__name__]["properties"]
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in fields.items()]


def code_spans(text: str) -> Markup:
    """Text as HTML, with text in backticks as `code` elements."""
    return Markup(_CODE_SPAN.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just before


def blueprint(container: Container) -> Blueprint:
    """`/openapi.json`, and the same for people at `/docs`."""
    settings = container.parts.settings
    described = document(settings.api_host_name, legacy=settings.legacy_2020)
    routes = Blueprint("openapi", __name__, template_folder="templates")
    routes.add_app_template_filter(code_spans)

    @routes.get("/openapi.json")
    def description() -> Response:
        return json_answer(described)

    @routes.get("/docs")
    def page() -> str:
        shown = examples(settings.api_host_name)
        return render_template("docs.html", api=described, examples=shown)

    return routes
