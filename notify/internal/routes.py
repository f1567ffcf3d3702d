"""Declares endpoints: typed functions whose annotations say what they need and what they return.

    routes = Routes("data_retention", "/service/<uuid:service_id>/data-retention")

    @routes.post("", status=201)
    def create_retention(session: Session, service_id: UUID, body: NewRetention) -> Result[RetentionAnswer]:
        "Keep messages of a type for so many days."

A parameter is, by its annotation:
- `Session`: a transaction that commits before the answer is sent; read-only for `GET` (unless `writes=True`);
- `BulkSession`: a read-only one on the replica, for endpoints that the contract marks (bulk); the view may be repeated;
- `Container`: the process's objects;
- a `Body`, `Fields`, `Query` or `FieldsQuery` (schemas.py): read and checked before the function runs; `Unread[X]`
  leaves that to the function, for endpoints where the contract checks something else first;
- anything else is the part of the path with that name: `UUID`, `int` or `str`. A malformed `<uuid:x>` is the router's
  404; a malformed `<x>` with the annotation `UUID` is a 404 `No result found`.

The result is sent as JSON; None is 204; a `Response` is sent unchanged. A view with a `BulkSession` may return an
`Iterator`: a list that is streamed while it is read. The docstring's first line is the operation's name in the
description (openapi.py).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, partial, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

import structlog
from flask import Blueprint, Response, g, request
from pydantic_core import to_jsonable_python
from sqlalchemy.orm import Session

from notify.events.changes import record_change
from notify.infra.container import Container
from notify.infra.errors import NotFoundProblemError
from notify.infra.json_values import dump_json
from notify.infra.replica import BulkSession, Replica
from notify.infra.request_gate import allow_large_body
from notify.infra.validation import parse_uuid
from notify.internal import errors
from notify.internal.auth import Client, InternalAuthenticator, acting_user
from notify.internal.errors import Envelope
from notify.internal.reading import Unread, incoming_model, read
from notify.internal.schemas import Incoming
from notify.internal.streaming import streamed
from notify.services.cache import ServiceCache
from notify.settings import Settings

Method = Literal["GET", "POST", "PUT", "DELETE"]
V = TypeVar("V", bound=Callable[..., Any])

_PART: Final = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")
_PATH_TYPES: Final = (UUID, int, str)
_NO_FIELD_TYPES: Final = (UUID, date, datetime)
_AUTHORS: Final = (
    "created_by",
    "created_by_id",
    "updated_by",
    "updated_by_id",
    "archived_by",
    "approved_by_id",
    "status_changed_by_id",
    "from_user",
    "invited_by",
    "requester_id",
    "current_user",
    "user_id",
)
"""Fields of bodies that name the user who acts."""


@dataclass(frozen=True)
class Endpoint:
    """A declared view. `path` is in Flask's syntax, with the prefix of its routes."""

    method: Method
    path: str
    view: Callable[..., Any]
    status: int
    writes: bool

    @property
    def name(self) -> str:
        """The view's name."""
        return self.view.__name__

    @property
    def summary(self) -> str:
        """The first line of its docstring, without the full stop."""
        return inspect.getdoc(self.view).split("\n")[0].rstrip(".")  # type: ignore[union-attr]

    @cached_property
    def hints(self) -> Mapping[str, Any]:
        """The annotations of its parameters, by name."""
        hints = get_type_hints(self.view, include_extras=True)
        return {name: hint for name, hint in hints.items() if name != "return"}

    @cached_property
    def answer(self) -> Any:
        """The annotation of its result, without a `Response` that it may return instead of a model."""
        hint = get_type_hints(self.view, include_extras=True)["return"]
        if get_origin(hint) is not UnionType:
            return hint
        return reduce(or_, (part for part in get_args(hint) if part is not Response))

    @cached_property
    def is_streamed(self) -> bool:
        """Whether its answer is a list that is streamed while it is read."""
        return get_origin(self.answer) is Iterator

    @cached_property
    def path_hints(self) -> Mapping[str, type]:
        """The types of the parts of the path, by name, in the path's order."""
        return {name: self.hints[name] for _, name in _PART.findall(self.path)}

    @cached_property
    def incoming(self) -> Mapping[str, type[Incoming]]:
        """The models that it needs, by parameter."""
        return {name: model for name, hint in self.hints.items() if (model := incoming_model(hint)) is not None}

    def check(self) -> None:
        """Raise `TypeError` for an invalid declaration: at import, not at the first request."""
        where = f"{self.view.__module__}.{self.name}"
        if not inspect.getdoc(self.view):
            raise TypeError(f"{where}: needs a docstring, which names the operation")
        if "return" not in get_type_hints(self.view):
            raise TypeError(f"{where}: needs a result annotation")
        parts = {name for _, name in _PART.findall(self.path)}
        given = (Session, BulkSession, Container)
        others = {name for name, hint in self.hints.items() if hint in given} | set(self.incoming)
        if parts != set(self.hints) - others:
            raise TypeError(f"{where}: parameters {sorted(set(self.hints) - others)}, path {sorted(parts)}")
        for name, hint in self.path_hints.items():
            if hint not in _PATH_TYPES:
                raise TypeError(f"{where}: {name} must be a UUID, an int or a str")
        if self.is_streamed and BulkSession not in self.hints.values():
            raise TypeError(f"{where}: what is streamed is read from a BulkSession")
        for model in self.incoming.values():
            _check_model(model, where)


class Routes:
    """A group of endpoints below one path, for one client.

    `client` None: open to everyone. `envelope` V2: every error has the v2 envelope. `legacy`: routes of 2020 that the
    original no longer has; they are served if `LEGACY_2020` is on, and described as deprecated. `is_served` decides by
    the settings whether the routes exist; without it they always do.
    """

    def __init__(
        self,
        name: str,
        prefix: str = "",
        *,
        client: Client | None = Client.ADMIN,
        envelope: Envelope = Envelope.STANDARD,
        is_served: Callable[[Settings], bool] | None = None,
        legacy: bool = False,
    ) -> None:
        self.name = name
        self.prefix = prefix
        self.client = client
        self.envelope = envelope
        self._is_served = is_served
        self.legacy = legacy
        self.endpoints: list[Endpoint] = []

    def is_served(self, settings: Settings) -> bool:
        """Whether a process with these settings serves the routes."""
        return self._is_served is None or self._is_served(settings)

    def get(self, path: str, *, status: int = 0, writes: bool = False) -> Callable[[V], V]:
        """Declare a view of `GET`."""
        return self._declare("GET", path, status, writes=writes)

    def post(self, path: str, *, status: int = 0, writes: bool = True) -> Callable[[V], V]:
        """Declare a view of `POST`. `writes` False: it only reads."""
        return self._declare("POST", path, status, writes=writes)

    def put(self, path: str, *, status: int = 0) -> Callable[[V], V]:
        """Declare a view of `PUT`."""
        return self._declare("PUT", path, status, writes=True)

    def delete(self, path: str, *, status: int = 0) -> Callable[[V], V]:
        """Declare a view of `DELETE`."""
        return self._declare("DELETE", path, status, writes=True)

    def _declare(self, method: Method, path: str, status: int, *, writes: bool) -> Callable[[V], V]:
        def declare(view: V) -> V:
            usual = 204 if get_type_hints(view).get("return") is type(None) else 200
            endpoint = Endpoint(method, self.prefix + path, view, status or usual, writes)
            endpoint.check()
            self.endpoints.append(endpoint)
            return view

        return declare

    def blueprint(self, container: Container) -> Blueprint:
        """The endpoints, for Flask to serve."""
        blueprint = Blueprint(f"internal_{self.name}", __name__)
        client = self.client

        if client is not None:

            @blueprint.before_request
            def authenticate() -> None:
                authenticator = container.get(InternalAuthenticator)
                authenticator.authenticate(request.headers.get("Authorization"), client)
                allow_large_body(request.environ)
                g.acting_user = acting_user(request.headers.get("X-Notify-User-Id"))
                if g.acting_user is not None:
                    structlog.contextvars.bind_contextvars(acting_user_id=str(g.acting_user))

        @blueprint.errorhandler(Exception)
        def failed(error: Exception) -> Response:
            return errors.answer(error, self.envelope)

        for endpoint in self.endpoints:
            name = f"{endpoint.name}_{endpoint.method.lower()}"
            blueprint.add_url_rule(endpoint.path, name, _serve(endpoint, container, client), methods=[endpoint.method])
        return blueprint


def _serve(endpoint: Endpoint, container: Container, client: Client | None) -> Callable[..., Response]:
    """The function that Flask calls: reads what the view needs, runs it, and serialises its result."""
    view, database = endpoint.view, container.parts.database
    sessions = [name for name, hint in endpoint.hints.items() if hint is Session]
    bulk_sessions = [name for name, hint in endpoint.hints.items() if hint is BulkSession]
    containers = {name: container for name, hint in endpoint.hints.items() if hint is Container}
    opened = database.transaction if endpoint.writes else database.reading
    changes = endpoint.writes and endpoint.method != "GET" and client is not None

    def log(session: Session, arguments: Mapping[str, Any]) -> None:
        record_change(
            session,
            client=client.value if client else "",
            user_id=g.acting_user or _author(arguments),
            method=endpoint.method,
            operation=endpoint.name,
            subject={name: arguments[name] for name in endpoint.path_hints},
        )

    def serve(**parts: Any) -> Response:
        arguments = {name: _path_part(parts[name], hint) for name, hint in endpoint.path_hints.items()}
        for name, model in endpoint.incoming.items():
            unread = get_origin(endpoint.hints[name]) is Unread
            arguments[name] = Unread(model) if unread else read(model)
        arguments |= containers
        if bulk_sessions:
            replica = container.get(Replica)
            call = partial(_with_session, view, arguments, bulk_sessions)
            if endpoint.is_streamed:
                return streamed(replica.read_rows(call), endpoint.status)
            return _response(replica.read(call), endpoint.status)
        if not sessions:
            response = _response(view(**arguments), endpoint.status)
            if changes and response.status_code < 400:
                with opened() as session:
                    log(session, arguments)
            return response
        with opened() as session:  # commits before the answer is sent
            response = _response(view(**arguments, **dict.fromkeys(sessions, session)), endpoint.status)
            if changes and response.status_code < 400:
                log(session, arguments)
        if endpoint.writes and (service_id := arguments.get("service_id")) is not None:
            # this process sees the change at once, others within two seconds
            container.get(ServiceCache).forget(service_id)
        return response

    return serve


def _author(arguments: Mapping[str, Any]) -> UUID | None:
    """The user named in a body as the author of a change, for requests without `X-Notify-User-Id`."""
    for value in arguments.values():
        body = value.result if isinstance(value, Unread) else value
        if isinstance(body, Incoming):
            for field in _AUTHORS:
                if (author := acting_user(str(getattr(body, field, "")))) is not None:
                    return author
    return None


def _with_session(view: Callable[..., Any], arguments: Mapping[str, Any], names: list[str], session: Session) -> Any:
    return view(**arguments, **dict.fromkeys(names, session))


def _response(result: Any, status: int) -> Response:
    if isinstance(result, Response):
        return result
    if status == 204:
        return Response(status=204)
    return Response(dump_json(to_jsonable_python(result), sort_keys=True), status, content_type="application/json")


def _path_part(value: Any, hint: type) -> Any:
    if isinstance(value, hint):
        return value
    try:
        return parse_uuid(value) if hint is UUID else hint(value)
    except ValueError:
        raise NotFoundProblemError from None


def _check_model(model: type[Incoming], where: str) -> None:
    for name, field in model.model_fields.items():
        if not field.metadata and _has_plain_type(field.annotation):
            raise TypeError(f"{where}: {model.__name__}.{name}: take Uuid, IsoDate or IsoDateTime of fields.py")


def _has_plain_type(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return False
    return any(hint is kind for kind in _NO_FIELD_TYPES) or any(_has_plain_type(part) for part in get_args(hint))
