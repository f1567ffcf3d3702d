"""Validates with Pydantic, and reports errors in the contract's two families of words.

- Schema words (public-api 4): a list of texts such as `name is a required property`, in a fixed order.
- Field words (internal-users 0, E-field): texts by field, such as `{"name": ["Missing data for required field."]}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Final, TypeVar, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError

from notify.content.uris import is_uri
from notify.infra.errors import FieldsProblemError, ValidationProblemError

Model = TypeVar("Model", bound=BaseModel)

LONGEST_SHOWN_VALUE: Final = 5000
OUR_ERROR: Final = "notify"
WHOLE: Final = "_schema"
"""The key of errors of a whole object, in field words."""

_TYPE_WORDS: Final = {
    "string_type": "string",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
    "list_type": "array",
    "int_type": "integer",
    "float_type": "number",
    "bool_type": "boolean",
}
_TYPE_OF_FIELD: Final = {
    "string": "string",
    "int": "integer",
    "float": "number",
    "decimal": "number",
    "bool": "boolean",
    "uuid": "UUID",
    "datetime": "datetime",
    "date": "date",
    "list": "list",
    "dict": "mapping type",
}
_QUOTED: Final = re.compile(r"'([^']*)'")


class InOrder:
    """Keeps the order of a `Literal`, in which errors list its values: `Annotated[Literal["b", "a"], InOrder()]`.

    Literals of the same values in another order are equal. `typing` keeps the unions that it has made, and gives the
    first of equal ones again, with the order of that. No two of these are equal.
    """


class Schema(BaseModel):
    """Base class of requests to the public API: nothing is coerced, nothing unknown is accepted."""

    model_config = ConfigDict(strict=True, extra="forbid")


def shown(value: object) -> str:
    """A value as error texts show it: Python's `repr` without apostrophes."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply; a whole number of thousands of digits
        return "value"
    text = text.replace("'", "")
    return text if len(text) <= LONGEST_SHOWN_VALUE else text[:LONGEST_SHOWN_VALUE] + "…"


def complain(text: str, field_text: str = "") -> PydanticCustomError:
    """An error whose text is exactly `text`; in schema words it comes after the name of the field. Field words have
    `field_text`, where it differs.
    """
    return PydanticCustomError(OUR_ERROR, "{text}", {"text": text, "field_text": field_text or text})


def parse_uuid(value: object) -> UUID:
    """A string in any form that Python's `UUID` accepts: upper case, without hyphens, with braces, with `urn:uuid:`."""
    if isinstance(value, UUID):
        return value
    try:
        if isinstance(value, str) and value == value.strip():
            return UUID(value)
    except ValueError:
        pass
    raise complain("is not a valid UUID", "Not a valid UUID.")


def _https_url(value: object) -> str:
    if isinstance(value, str) and is_uri(value, "https"):
        return value
    raise complain("is not a valid https url")


Uuid = Annotated[UUID, PlainValidator(parse_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
HttpsUrl = Annotated[
    str, PlainValidator(_https_url), WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https"})
]


def validate(model: type[Model], data: object, context: object = None) -> Model:
    """`data` (parsed JSON, or a query as a mapping) as `model`. Validators of the model may ask for `context`.

    Raises `ValidationProblemError` with every distinct fault in schema words.
    """
    try:
        return model.model_validate(data, context=context)
    except ValidationError as error:
        raise ValidationProblemError(messages_of(model, error.errors(include_url=False))) from None


def validate_fields(model: type[Model], data: object) -> Model:
    """`data` as `model`. Raises `FieldsProblemError` with every fault in field words."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise FieldsProblemError(fields_of(error.errors(include_url=False))) from None


def messages_of(model: type[BaseModel], errors: Sequence[ErrorDetails]) -> list[str]:
    """Pydantic's errors in schema words, without repetitions: faults of the whole, faults of the fields in the order of
    the model, then the missing fields in that order, then one text for the unknown ones.
    """
    ranks = {name: rank for rank, name in enumerate(_fields(model))}
    faults: list[tuple[int, str]] = []
    missing: list[tuple[int, str]] = []
    unknown: dict[tuple[int | str, ...], list[str]] = {}
    for error in errors:
        path = error["loc"]
        rank = ranks.get(str(path[0]), 0) if path else -1
        if not path:
            faults.append((rank, _text(model, path, error)))
        elif error["type"] == "missing":
            (missing if len(path) == 1 else faults).append(
                (rank, f"{_prefix(path[:-1])}{path[-1]} is a required property")
            )
        elif error["type"] == "extra_forbidden":
            unknown.setdefault(path[:-1], []).append(str(path[-1]))
        else:
            faults.append((rank, f"{_prefix(path)}{_text(model, path, error)}"))
    for parent, names in unknown.items():
        if parent:
            faults.append((ranks.get(str(parent[0]), 0), f"{_prefix(parent)}{unexpected(names)}"))
    texts = [text for _, text in sorted(faults, key=_rank)] + [text for _, text in sorted(missing, key=_rank)]
    if () in unknown:
        texts.append(unexpected(unknown[()]))
    return list(dict.fromkeys(texts))


def unexpected(names: list[str]) -> str:
    """The text about fields that should not be there."""
    names = sorted(shown(name) for name in names)
    verb = "was" if len(names) == 1 else "were"
    return f"Additional properties are not allowed ({', '.join(names)} {verb} unexpected)"


def too_few(data: Mapping[str, Any], least: int) -> str:
    """The text about an object that has fewer properties than that."""
    return f"{shown(data)} should be non-empty" if least == 1 else f"{shown(data)} does not have enough properties"


def fields_of(errors: Sequence[ErrorDetails]) -> dict[str, Any]:
    """Pydantic's errors in field words, by field; faults inside a list or an object are nested by index or name."""
    fields: dict[str, Any] = {}
    for error in errors:
        path = [str(part) for part in error["loc"]]
        text = field_text(error)
        if error["type"] == "extra_forbidden":
            path[-1] = WHOLE
        elif error["type"] in ("model_type", "model_attributes_type"):
            path.append(WHOLE)
        path = path or [WHOLE]
        place = fields
        for part in path[:-1]:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):  # the whole was refused already
                break
            place = inner
        else:
            texts = place.setdefault(path[-1], [])
            if isinstance(texts, list) and text not in texts:
                texts.append(text)
    return fields


def field_text(error: ErrorDetails) -> str:
    """One error in field words."""
    kind = error["type"]
    context: Mapping[str, Any] = error.get("ctx", {})
    if kind == "missing":
        return "Missing data for required field."
    if kind == "extra_forbidden":
        return f"Unknown field name {error['loc'][-1]}"
    if error["input"] is None and error["loc"]:
        return "Field may not be null."
    if kind == OUR_ERROR:
        return str(context["field_text"])
    if kind == "value_error":
        return str(context["error"])
    if kind in ("model_type", "model_attributes_type"):
        return "Invalid input type."
    if kind == "literal_error":
        return f"Must be one of: {', '.join(_choices(context))}."
    if kind in ("string_too_long", "too_long"):
        return f"Longer than maximum length {context['max_length']}."
    if kind in ("string_too_short", "too_short"):
        return f"Shorter than minimum length {context['min_length']}."
    if kind == "greater_than_equal":
        return f"Must be greater than or equal to {context['ge']}."
    if kind == "less_than_equal":
        return f"Must be less than or equal to {context['le']}."
    word = _TYPE_OF_FIELD.get(kind.split("_")[0])
    return f"Not a valid {word}." if word else "Invalid value."


def _prefix(path: tuple[int | str, ...]) -> str:
    return f"{path[0]} " if path else ""


def _rank(entry: tuple[int, str]) -> int:
    return entry[0]


@cache
def _fields(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


@cache
def _is_nullable(model: type[BaseModel], name: str) -> bool:
    fields = (field for known, field in model.model_fields.items() if name in (known, field.alias))
    return any(type(None) in get_args(field.annotation) for field in fields)


def _choices(context: Mapping[str, Any]) -> list[str]:
    return _QUOTED.findall(str(context["expected"]))


def _text(model: type[BaseModel], path: tuple[int | str, ...], error: ErrorDetails) -> str:
    kind, value = error["type"], shown(error["input"])
    context: Mapping[str, Any] = error.get("ctx", {})
    if kind == OUR_ERROR:
        return str(context["text"])
    if kind == "value_error":
        return str(context["error"])
    if kind in _TYPE_WORDS:
        null = ", null" if len(path) == 1 and _is_nullable(model, str(path[0])) else ""
        return f"{value} is not of type {_TYPE_WORDS[kind]}{null}"
    if kind == "literal_error":
        return f"{value} is not one of [{', '.join(_choices(context))}]"
    if kind in ("string_too_long", "too_long"):
        return f"{value} is too long"
    if kind in ("string_too_short", "too_short"):
        return f"{value} should be non-empty" if context["min_length"] == 1 else f"{value} is too short"
    if kind == "string_pattern_mismatch":
        return f"{value} does not match {context['pattern']}"
    if kind == "greater_than_equal":
        return f"{value} is less than the minimum of {context['ge']}"
    if kind == "less_than_equal":
        return f"{value} is greater than the maximum of {context['le']}"
    return f"{value} is not valid"
