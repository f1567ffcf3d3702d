"""Columns that hold one of a closed list of words."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import ENUM
from sqlalchemy.exc import IntegrityError


def enum(name: str, values: Sequence[str]) -> ENUM:
    """The column type of an enumeration of the database, which migrations create."""
    return ENUM(*values, name=name, create_type=False)


def one_of(column: str, values: Sequence[str]) -> str:
    """The SQL of a check that a column holds one of these values. None of them may have an apostrophe."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def violated_constraint(error: IntegrityError) -> str | None:
    """The name of the constraint or unique index that a statement broke."""
    diagnosis = getattr(error.orig, "diag", None)
    name = getattr(diagnosis, "constraint_name", None)
    return name if isinstance(name, str) else None
