"""The description of the internal API (OpenAPI 3.1), derived from the declared endpoints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from flask import Response
from pydantic import TypeAdapter

from notify.infra.container import Container
from notify.infra.http import json_answer
from notify.internal.auth import Client
from notify.internal.routes import Endpoint, Routes
from notify.internal.schemas import Incoming

PATH: Final = "/openapi-internal.json"
_REF: Final = "#/components/schemas/{model}"
_PART: Final = re.compile(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>")
_NOTHING: Final = type(None)
_ERRORS: Final = {
    "Problem": {
        "description": "What is wrong: a text, texts by field, or texts by `token`.",
        "type": "object",
        "required": ["result", "message"],
        "properties": {"result": {"const": "error"}, "message": {"type": ["string", "object", "array"]}},
    },
    "BareProblem": {
        "description": "What is wrong, as a text alone.",
        "type": "object",
        "required": ["message"],
        "properties": {"message": {"type": "string"}},
        "additionalProperties": False,
    },
    "Problems": {
        "description": "What is wrong with a body or query.",
        "type": "object",
        "required": ["status_code", "errors"],
        "properties": {
            "status_code": {"type": "integer"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["error", "message"],
                    "properties": {"error": {"type": "string"}, "message": {"type": "string"}},
                },
            },
        },
    },
}

routes = Routes("openapi", client=None)


@routes.get(PATH)
def describe(container: Container) -> Response:
    """Describe the internal API."""
    settings = container.parts.settings
    return json_answer(document(settings.api_host_name_internal, legacy=settings.legacy_2020))


@cache
def document(server: str, *, legacy: bool = True) -> dict[str, Any]:
    """The description of every endpoint, for a server at this address. `legacy`: with those of 2020 as deprecated."""
    from notify.internal.blueprints import served_groups  # which imports every module of this room

    return describe_groups([group for group in served_groups(legacy=legacy) if group is not routes], server)


def describe_groups(groups: Sequence[Routes], server: str) -> dict[str, Any]:
    """The description of these groups of routes."""
    schemas, definitions = TypeAdapter.json_schemas(_models(groups), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for group in groups:
        for endpoint in group.endpoints:
            operation = _operation(group, endpoint, schemas, definitions.get("$defs", {}))
            paths.setdefault(_PART.sub(r"{\1}", endpoint.path), {})[endpoint.method.lower()] = operation
    clients = {group.client for group in groups if group.client is not None}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Notify internal API", "version": "1"},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": {**definitions.get("$defs", {}), **_ERRORS},
            "securitySchemes": {client.value: _scheme(client) for client in sorted(clients)},
        },
    }


def _models(groups: Iterable[Routes]) -> list[tuple[Any, Literal["validation", "serialization"], TypeAdapter[Any]]]:
    inputs: list[tuple[Any, Literal["validation", "serialization"], TypeAdapter[Any]]] = []
    for group in groups:
        for endpoint in group.endpoints:
            for model in endpoint.incoming.values():
                inputs.append((_key(endpoint, model), "validation", TypeAdapter(model)))
            if (answer := _described_answer(endpoint)) is not None:
                inputs.append((_key(endpoint, None), "serialization", TypeAdapter(answer)))
    return inputs


def _described_answer(endpoint: Endpoint) -> Any:
    """The type of the answer; None if there is nothing to describe. In a union, `Response` is left out: it is one of
    the other types that the view serialises itself, or one with another status.
    """
    answer = endpoint.answer
    if endpoint.is_streamed:
        return list[get_args(answer)[0]]  # type: ignore[misc]
    if get_origin(answer) in (Union, UnionType):
        answer = Union[tuple(part for part in get_args(answer) if part is not Response)]  # noqa: UP007
    return None if answer in (_NOTHING, Response) else answer


def _key(endpoint: Endpoint, model: type[Incoming] | None) -> str:
    return f"{endpoint.method} {endpoint.path} {model.__name__ if model else ''}"


def _operation(group: Routes, endpoint: Endpoint, schemas: Any, definitions: Any) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": f"{group.name}_{endpoint.name}",
        "summary": endpoint.summary,
        "tags": [group.name],
        "parameters": [_path_parameter(name, hint) for name, hint in endpoint.path_hints.items()],
        "responses": _responses(endpoint, schemas),
        "security": [] if group.client is None else [{group.client.value: []}],
    }
    if group.legacy:
        described["deprecated"] = True
    for model in endpoint.incoming.values():
        schema = schemas[_key(endpoint, model), "validation"]
        if model.source == "json":
            described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        else:
            described["parameters"] += _query_parameters(definitions[schema["$ref"].rsplit("/", 1)[1]])
    return described


def _responses(endpoint: Endpoint, schemas: Any) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done."}
    if _described_answer(endpoint) is not None:
        good["content"] = {"application/json": {"schema": schemas[_key(endpoint, None), "serialization"]}}
    problem = {"anyOf": [{"$ref": _REF.format(model=name)} for name in _ERRORS]}
    refused = {"description": "Refused.", "content": {"application/json": {"schema": problem}}}
    return {str(endpoint.status): good, "4XX": refused}


def _path_parameter(name: str, hint: type) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": TypeAdapter(hint).json_schema()}


def _query_parameters(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": part}
        for name, part in schema["properties"].items()
    ]


def _scheme(client: Client) -> dict[str, str]:
    return {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": f"HS256 with a secret of the client; `iss` is {client.value}, `iat` is now.",
    }
