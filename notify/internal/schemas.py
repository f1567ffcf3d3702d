"""Parents of what the internal API reads and answers. The parent of a model decides where it is read from, and which of
the contract's words describe faults:

| parent        | read from    | faults                                                    |
|---------------|--------------|-----------------------------------------------------------|
| `Body`        | the JSON body| E-schema: `name is a required property`                   |
| `Fields`      | the JSON body| E-field: `{"name": ["Missing data for required field."]}` |
| `Query`       | the query    | E-schema                                                  |
| `FieldsQuery` | the query    | E-field                                                   |

Optional fields are `str | MISSING = MISSING` (`from pydantic import MISSING`), fields that may be null `str | None`.
Unknown fields are ignored; `class X(Body, extra="forbid")` refuses them. Fields stand in the contract's order, in which
faults are listed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

from flask import Response
from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Incoming(BaseModel):
    """What a view may ask for: read and checked before it runs."""

    source: ClassVar[Literal["json", "query"]]
    words: ClassVar[Literal["schema", "field"]]
    min_properties: ClassVar[int] = 0
    """Schema words: fewer properties than that are refused, known or not."""

    def given(self) -> dict[str, Any]:
        """The fields that the caller sent, by name, with their values: for updates of some fields only."""
        return {name: getattr(self, name) for name in self.model_fields_set if name in type(self).model_fields}


class Body(Incoming):
    """A JSON body with faults in E-schema words. Nothing is coerced."""

    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)
    source = "json"
    words = "schema"


class Fields(Incoming):
    """A JSON body with faults in E-field words. Numbers and truths may be given as text."""

    model_config = ConfigDict(extra="ignore", defer_build=True)
    source = "json"
    words = "field"


class Query(Incoming):
    """A query with faults in E-schema words. Values are text: numbers are `IntText`. A field that is a list takes every
    value of its name, any other the first.
    """

    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)
    source = "query"
    words = "schema"


class FieldsQuery(Incoming):
    """A query with faults in E-field words."""

    model_config = ConfigDict(extra="ignore", defer_build=True)
    source = "query"
    words = "field"


class Answer(BaseModel):
    """What is answered, made from a row, an object or by name. It is not validated again on its way out."""

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
