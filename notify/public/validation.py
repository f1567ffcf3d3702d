"""Validating bodies and queries with Pydantic, and saying what is wrong in the contract's words (public-api 4)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError

from notify.content.uris import is_uri
from notify.infra.errors import ValidationProblemError

Model = TypeVar("Model", bound=BaseModel)

LONGEST_SHOWN_VALUE: Final = 5000
OUR_ERROR: Final = "notify"

_TYPE_WORDS: Final = {
    "string_type": "string",
    "dict_type": "object",
    "model_type": "object",
    "list_type": "array",
    "int_type": "integer",
    "bool_type": "boolean",
}


class Schema(BaseModel):
    """Parent of what callers send: nothing is coerced, nothing unknown is accepted."""

    model_config = ConfigDict(strict=True, extra="forbid")


def shown(value: object) -> str:
    """A value as error texts show it: Python's `repr` without apostrophes."""
    try:
        text = repr(value)
    except RecursionError:
        return "value"
    text = text.replace("'", "")
    return text if len(text) <= LONGEST_SHOWN_VALUE else text[:LONGEST_SHOWN_VALUE] + "…"


def complain(text: str) -> PydanticCustomError:
    """An error whose text, after the name of the field, is exactly `text`."""
    return PydanticCustomError(OUR_ERROR, "{text}", {"text": text})


def parse_uuid(value: object) -> UUID:
    """What Python's `UUID` takes from a string: upper case, no hyphens, braces and `urn:uuid:` as well."""
    if isinstance(value, UUID):
        return value
    try:
        if isinstance(value, str) and value == value.strip():
            return UUID(value)
    except ValueError:
        pass
    raise complain("is not a valid UUID")


def _https_url(value: object) -> str:
    if isinstance(value, str) and is_uri(value, "https"):
        return value
    raise complain("is not a valid https url")


def one_of(*allowed: str) -> Any:
    """A string that is one of these."""

    def check(value: str) -> str:
        if value not in allowed:
            raise complain(f"{shown(value)} is not one of [{', '.join(allowed)}]")
        return value

    return Annotated[str, AfterValidator(check), WithJsonSchema({"type": "string", "enum": list(allowed)})]


Uuid = Annotated[UUID, PlainValidator(parse_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
HttpsUrl = Annotated[
    str, PlainValidator(_https_url), WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https"})
]


def validate(model: type[Model], data: object) -> Model:
    """`data` (parsed JSON, or a query as a mapping) as `model`.

    Raises `ValidationProblemError` with every distinct fault: those of the fields in the order of the model, then the
    missing fields, then one for the unknown ones.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ValidationProblemError(messages_of(model, error.errors(include_url=False))) from None


def messages_of(model: type[BaseModel], errors: list[ErrorDetails]) -> list[str]:
    """The contract's texts of Pydantic's errors, in the contract's order, without repetitions."""
    ranks = {name: rank for rank, name in enumerate(_fields(model))}
    faults: list[tuple[int, str]] = []
    missing: list[tuple[int, str]] = []
    unknown: list[str] = []
    for error in errors:
        if not error["loc"]:
            faults.append((-1, f"{shown(error['input'])} is not of type object"))
            continue
        field = str(error["loc"][0])
        if error["type"] == "missing":
            missing.append((ranks.get(field, 0), f"{field} is a required property"))
        elif error["type"] == "extra_forbidden":
            unknown.append(field)
        else:
            faults.append((ranks.get(field, 0), f"{field} {_text(model, field, error)}"))
    texts = [text for _, text in sorted(faults, key=_rank)] + [text for _, text in sorted(missing, key=_rank)]
    if unknown:
        texts.append(unexpected(unknown))
    return list(dict.fromkeys(texts))


def unexpected(names: list[str]) -> str:
    """The text about fields that should not be there."""
    names = sorted(shown(name) for name in names)
    verb = "was" if len(names) == 1 else "were"
    return f"Additional properties are not allowed ({', '.join(names)} {verb} unexpected)"


def _rank(entry: tuple[int, str]) -> int:
    return entry[0]


@cache
def _fields(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


@cache
def _is_nullable(model: type[BaseModel], field: str) -> bool:
    schema: Mapping[str, Any] = model.model_json_schema()["properties"][field]
    return any(choice.get("type") == "null" for choice in schema.get("anyOf", ()))


def _text(model: type[BaseModel], field: str, error: ErrorDetails) -> str:
    kind = error["type"]
    if kind == OUR_ERROR:
        return str(error["ctx"]["text"])
    if kind == "string_too_long":
        return f"{shown(error['input'])} is too long"
    if kind in _TYPE_WORDS:
        null = ", null" if _is_nullable(model, field) else ""
        return f"{shown(error['input'])} is not of type {_TYPE_WORDS[kind]}{null}"
    return f"{shown(error['input'])} is not valid"
