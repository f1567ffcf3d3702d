"""Types of fields that bodies and queries of the public API have (contract: public-api 4, 5.5)."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from pydantic import MISSING, AfterValidator

from notify.infra.errors import ValidationProblemError
from notify.infra.validation import complain, parse_uuid

T = TypeVar("T")

DEEPEST_VALUE: Final = 250
"""Lists and objects within each other in a value; what stores values can read 254."""


def given(value: T | MISSING) -> T | None:
    """The value of an optional field; `None` when it was left out."""
    return None if value is MISSING else value


def parse_id(name: str, text: str) -> UUID:
    """An id in a path. Raises `ValidationProblemError` that calls it `name`."""
    try:
        return parse_uuid(text)
    except ValueError:
        raise ValidationProblemError(f"{name} is not a valid UUID") from None


def without_nul(value: str) -> str:
    """Refuse U+0000, which the database cannot store."""
    if "\0" in value:
        raise complain("must not contain the character U+0000")
    return value


def _clean_values(values: dict[str, Any]) -> dict[str, Any]:
    """Values without U+0000, which no channel can carry. Refuses those that are nested too deeply to be stored."""
    for name, value in values.items():
        if isinstance(value, str):
            if "\0" in value:
                values[name] = value.replace("\0", "")
        elif isinstance(value, list | dict):
            values[name] = _clean(value, 1)
    return values


def _clean(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if not isinstance(value, list | dict):
        return value
    if depth > DEEPEST_VALUE:
        raise complain("has values that are nested too deeply")
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value]
    return {name.replace("\0", ""): _clean(item, depth + 1) for name, item in value.items()}


Values = Annotated[dict[str, Any], AfterValidator(_clean_values)]
"""Values for placeholders, by name."""
