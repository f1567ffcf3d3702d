"""Base classes of the internal API's requests and answers. The base class of a model decides where it is read from, and
which of the contract's words describe errors:

| base class    | read from    | errors                                                    |
|---------------|--------------|-----------------------------------------------------------|
| `Body`        | the JSON body| E-schema: `name is a required property`                   |
| `Fields`      | the JSON body| E-field: `{"name": ["Missing data for required field."]}` |
| `Query`       | the query    | E-schema                                                  |
| `FieldsQuery` | the query    | E-field                                                   |

Optional fields are `str | MISSING = MISSING` (`from pydantic import MISSING`), fields that may be null `str | None`.
Unknown fields are ignored; `class X(Body, extra="forbid")` refuses them. Declare fields in the contract's order, which
is the order of errors.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

from flask import Response
from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Incoming(BaseModel):
    """A model that a view can ask for: read and checked before it runs."""

    source: ClassVar[Literal["json", "query"]]
    words: ClassVar[Literal["schema", "field"]]
    min_properties: ClassVar[int] = 0
    """Minimum number of properties, known or not. For schema words."""

    def given(self) -> dict[str, Any]:
        """The fields that the caller sent, by name, with their values: for updates of some fields only."""
        return {name: getattr(self, name) for name in self.model_fields_set if name in type(self).model_fields}


class Body(Incoming):
    """A JSON body with errors in E-schema words. Nothing is coerced."""

    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)
    source = "json"
    words = "schema"


class Fields(Incoming):
    """A JSON body with errors in E-field words. Numbers and booleans may be given as text."""

    model_config = ConfigDict(extra="ignore", defer_build=True)
    source = "json"
    words = "field"


class Query(Incoming):
    """A query with errors in E-schema words. Values are text: use `IntText` for numbers. A field that is a list gets
    every value of its name, any other field the first.
    """

    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)
    source = "query"
    words = "schema"


class FieldsQuery(Incoming):
    """A query with errors in E-field words."""

    model_config = ConfigDict(extra="ignore", defer_build=True)
    source = "query"
    words = "field"


class Answer(BaseModel):
    """The model of an answer, built from a row, an object or keyword arguments. It is not validated again."""

    model_config = ConfigDict(from_attributes=True, defer_build=True)

    @classmethod
    def of(cls, row: object) -> Self:
        """The answer with the attributes of `row`: a named row, a dataclass or an object of the ORM."""
        return cls.model_validate(row)

    @classmethod
    def of_each(cls, rows: Iterable[object]) -> list[Self]:
        """An answer for each row."""
        return [cls.model_validate(row) for row in rows]


class Empty(Answer):
    """`{}`."""


class Data(Answer, Generic[T]):
    """`{"data": ...}`."""

    data: T


def data_response(json: str) -> Response:
    """`{"data": ...}` of what is JSON already."""
    return Response(f'{{"data":{json}}}', content_type="application/json")


class Result(Answer, Generic[T]):
    """`{"result": ...}`."""

    result: T
