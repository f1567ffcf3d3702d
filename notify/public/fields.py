"""Reads optional fields and the ids of paths (contract: public-api 4)."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from pydantic import MISSING

from notify.infra.errors import ValidationProblemError
from notify.infra.validation import parse_uuid

T = TypeVar("T")


def given(value: T | MISSING) -> T | None:
    """The value of an optional field; `None` when it was left out."""
    return None if value is MISSING else value


def parse_id(name: str, text: str) -> UUID:
    """An id in a path. Raises `ValidationProblemError`, in which its name is `name`."""
    try:
        return parse_uuid(text)
    except ValueError:
        raise ValidationProblemError(f"{name} is not a valid UUID") from None
