"""Reads bodies and queries as the models of schemas.py."""

from __future__ import annotations

from functools import cache
from types import UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from flask import request

from notify.infra.errors import MalformedRequestError, ProblemError, ValidationProblemError
from notify.infra.http import read_json_value
from notify.infra.validation import too_few, validate, validate_fields
from notify.internal.schemas import Incoming

M = TypeVar("M", bound=Incoming)


class Unread(Generic[M]):
    """A body or query that is read and checked when the view asks for it."""

    def __init__(self, model: type[M]) -> None:
        self._model = model
        self.result: M | None = None
        """The model, once it was read."""

    def read(self) -> M:
        """The model. Raises the problem in the model's words."""
        self.result = read(self._model)
        return self.result


def incoming_model(hint: Any) -> type[Incoming] | None:
    """The model in a parameter's annotation, plain or within `Unread`; None for other annotations."""
    model = get_args(hint)[0] if get_origin(hint) is Unread else hint
    return model if isinstance(model, type) and issubclass(model, Incoming) else None


def read(model: type[M]) -> M:
    """The body or query of the request as `model`. Raises the problem in the model's words, and
    `MalformedRequestError` if the body is not JSON.
    """
    data = _body() if model.source == "json" else _query(model)
    if model.words == "field":
        return validate_fields(model, data)
    if model.min_properties and isinstance(data, dict) and len(data) < model.min_properties:
        return _refuse_too_few(model, data)
    return validate(model, data)


def _refuse_too_few(model: type[M], data: dict[str, Any]) -> M:
    texts = []
    try:
        validate(model, data)
    except ValidationProblemError as problem:
        texts = problem.messages
    raise ValidationProblemError([*texts, too_few(data, model.min_properties)])


def _body() -> Any:
    try:
        return read_json_value(request)
    except ProblemError:
        raise MalformedRequestError from None


def _query(model: type[Incoming]) -> dict[str, Any]:
    lists = _lists(model)
    return {name: values if name in lists else values[0] for name, values in request.args.lists()}


@cache
def _lists(model: type[Incoming]) -> frozenset[str]:
    fields = model.model_fields.items()
    return frozenset(field.alias or name for name, field in fields if _is_list(field.annotation))


def _is_list(hint: Any) -> bool:
    return get_origin(hint) is list or hint is list or any(_is_list(part) for part in _alternatives(hint))


def _alternatives(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is Annotated:
        return get_args(hint)[:1]
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else ()
