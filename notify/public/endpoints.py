"""Endpoints of both versions: views are plain functions, and their annotations declare their input.

A view's first parameter is the `Call`. Then come the parts of its path, of which a `UUID` is parsed. A parameter `body`
or `query` annotated with a model is validated; `body: Any` is the unchanged JSON. The API's description is generated
from the same declarations (`notify.public.openapi`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from inspect import signature
from typing import Any, Final, Literal, NamedTuple, TypeVar, get_type_hints
from uuid import UUID

from flask import Blueprint, Request, Response, g, request
from pydantic import BaseModel

from notify.content.placeholders import TooMuchTextError
from notify.infra.container import Container
from notify.infra.errors import MalformedRequestError, ProblemError
from notify.infra.http import json_answer, read_json, read_json_value
from notify.infra.validation import validate, validate_fields
from notify.messages.accept.base import Caller
from notify.messages.errors import too_much_text
from notify.messages.scheduled import SchedulingServices
from notify.public.addresses import PublicAddress
from notify.public.fields import parse_id
from notify.public.idempotency import HEADER, RepeatedRequests
from notify.public.schemas import scheduled_time
from notify.services.limits import LimitExceededError, RateLimiter

View = TypeVar("View", bound=Callable[..., Any])
Kind = Literal["sms", "email", "letter"]

ID_NAMES: Final = {"template_id": "id"}
"""Names of path ids in error texts, if different."""


class Call(NamedTuple):
    """An authenticated request."""

    container: Container
    caller: Caller
    address: str
    """Address of this API for its client, with a slash at the end."""
    request: Request

    def scheduled_for(self, text: str | None) -> datetime | None:
        """The valid time of a request, if the service may schedule messages."""
        if text is None or not self.container.get(SchedulingServices).has(self.caller.service.id):
            return None
        return scheduled_time(text)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method of a path. `path` is below `prefix`, in Flask's syntax."""

    method: Literal["GET", "POST"]
    prefix: str
    path: str
    view: Callable[..., Any]
    status: int
    answer: type[BaseModel] | None
    """Model of the answer; `None`: a PDF."""
    errors: Sequence[int]
    """Statuses of errors, besides those of every endpoint."""
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    is_body_required: bool
    counts_as: Kind | None
    """Refused requests count towards the limits of this type of message."""
    most_bytes: int | None
    """Largest body in bytes, if less than `MAX_REQUEST_BYTES`."""
    show: Callable[[Any, Call], Any] | None = None
    """For what accepts messages: the JSON of what the view returns. It is safe to repeat by `Idempotency-Key`."""
    is_long: bool = False
    """Whether accepting may take seconds."""
    legacy: bool = False
    """Whether it belongs to version 1, which is deprecated, and has errors in field words."""

    @property
    def name(self) -> str:
        """Name of the operation, such as `sendSms`."""
        first, *others = self.view.__name__.split("_")
        return first + "".join(word.capitalize() for word in others)

    @property
    def summary(self) -> str:
        """First line of the view's docstring, without its full stop."""
        return (self.view.__doc__ or "").strip().splitlines()[0].removesuffix(".")


class Endpoints:
    """The endpoints of a module. `legacy`: of the first version."""

    def __init__(self, prefix: str = "/v2", *, legacy: bool = False) -> None:
        self._prefix = prefix
        self._legacy = legacy
        self._endpoints: list[Endpoint] = []

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._endpoints)

    def get(self, path: str, *, answer: type[BaseModel] | None, errors: Sequence[int] = ()) -> Callable[[View], View]:
        """Declare a view that reads."""

        def declare(view: View) -> View:
            query = _model(view, "query")
            self._endpoints.append(
                Endpoint(
                    "GET",
                    self._prefix,
                    path,
                    view,
                    200,
                    answer,
                    errors,
                    body=None,
                    query=query,
                    is_body_required=False,
                    counts_as=None,
                    most_bytes=None,
                    legacy=self._legacy,
                )
            )
            return view

        return declare

    def post(
        self,
        path: str,
        *,
        answer: type[BaseModel],
        errors: Sequence[int],
        status: int = 200,
        body: type[BaseModel] | None = None,
        is_body_required: bool = True,
        counts_as: Kind | None = None,
        most_bytes: int | None = None,
        show: Callable[[Any, Call], Any] | None = None,
        is_long: bool = False,
    ) -> Callable[[View], View]:
        """Declare a view with a body. `body` names its model if the view validates the JSON itself. With `show`, the
        view returns the accepted object, and stores `call.caller.kept` of it in the same transaction.
        """

        def declare(view: View) -> View:
            model = body or _model(view, "body")
            self._endpoints.append(
                Endpoint(
                    "POST",
                    self._prefix,
                    path,
                    view,
                    status,
                    answer,
                    errors,
                    body=model,
                    query=None,
                    is_body_required=is_body_required,
                    counts_as=counts_as,
                    most_bytes=most_bytes,
                    show=show,
                    is_long=is_long,
                    legacy=self._legacy,
                )
            )
            return view

        return declare

    def register(self, blueprint: Blueprint, container: Container) -> None:
        """Serve the endpoints below the blueprint."""
        for endpoint in self._endpoints:
            blueprint.add_url_rule(
                endpoint.path, endpoint.name, _served(endpoint, container), methods=[endpoint.method]
            )


def _model(view: Callable[..., Any], parameter: str) -> type[BaseModel] | None:
    hint = get_type_hints(view).get(parameter)
    return hint if isinstance(hint, type) and issubclass(hint, BaseModel) else None


def _served(endpoint: Endpoint, container: Container) -> Callable[..., Response]:
    """The function that Flask calls."""
    hints = get_type_hints(endpoint.view)
    ids = [(name, ID_NAMES.get(name, name)) for name, hint in hints.items() if hint is UUID]
    readers = [(name, reader) for name, reader in _READERS if name in signature(endpoint.view).parameters]
    models = {"body": _model(endpoint.view, "body"), "query": endpoint.query}
    addresses, repeated = container.get(PublicAddress), container.get(RepeatedRequests)
    scheduling = container.get(SchedulingServices)
    is_scheduled = endpoint.body is not None and "scheduled_for" in endpoint.body.model_fields

    def check(call: Call, model: type[BaseModel], data: Any) -> BaseModel:
        if endpoint.legacy:
            return validate_fields(model, data)
        return validate(model, data, context=is_scheduled and scheduling.has(call.caller.service.id))

    def view(call: Call, given: Mapping[str, Any], inputs: Mapping[str, Any]) -> Any:
        for name, data in inputs.items():
            model = models[name]
            given = {**given, name: data if model is None else check(call, model, data)}
        return endpoint.view(call, **given)

    def serve(**given: Any) -> Response:
        call = Call(container, g.caller, addresses.of(request.environ), request)
        try:
            if endpoint.most_bytes is not None:
                request.max_content_length = min(request.max_content_length or endpoint.most_bytes, endpoint.most_bytes)
            for name, shown_name in ids:
                given[name] = parse_id(shown_name, given[name])
            inputs = {name: read(endpoint) for name, read in readers}
            show = endpoint.show
            if show is None:
                answer = view(call, given, inputs)
                return answer if isinstance(answer, Response) else json_answer(answer, endpoint.status)
            key = request.environ.get(HEADER)
            if key is None:
                return json_answer(show(view(call, given, inputs), call), endpoint.status)
            return repeated.answer(
                key,
                call.caller,
                address=endpoint.prefix + endpoint.path,
                body=inputs["body"],
                status=endpoint.status,
                show=lambda accepted: show(accepted, call),
                is_long=endpoint.is_long,
                make=lambda keep: view(call._replace(caller=replace(call.caller, keep=keep)), given, inputs),
            )
        except LimitExceededError:
            raise
        except (ProblemError, TooMuchTextError) as problem:
            if endpoint.counts_as is None:
                raise
            raise _refused(call, endpoint.counts_as, problem) from None

    return serve


def _read_body(endpoint: Endpoint) -> Any:
    if endpoint.legacy:
        return _read_legacy_body()
    is_there = endpoint.is_body_required or request.content_length or request.headers.get("Transfer-Encoding")
    return read_json(request) if is_there else {}


def _read_legacy_body() -> Any:
    try:
        return read_json_value(request)
    except ProblemError:
        raise MalformedRequestError from None


def _read_query(endpoint: Endpoint) -> Mapping[str, Any]:
    return {} if endpoint.query is None else query_of(request, endpoint.query)


_READERS: Final[tuple[tuple[str, Callable[[Endpoint], Any]], ...]] = (("body", _read_body), ("query", _read_query))


def query_of(request: Request, model: type[BaseModel]) -> dict[str, Any]:
    """The query: all values of the model's list fields, and the first value of any other."""
    return {
        name: values if name in model.model_fields and model.model_fields[name].default_factory is list else values[0]
        for name, values in request.args.lists()
    }


def _refused(call: Call, kind: Kind, problem: ProblemError | TooMuchTextError) -> ProblemError:
    """The refusal of a message. An exceeded limit comes first, and the request counts towards it (5.1): raises
    `LimitExceededError` then.
    """
    limits = call.container.get(RateLimiter)
    limits.check(limits.request(call.caller.service, call.caller.key.key_type, kind))
    return too_much_text(kind, problem.length) if isinstance(problem, TooMuchTextError) else problem
