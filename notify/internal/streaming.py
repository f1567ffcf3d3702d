"""Streams lists while they are read from the database: reports about all services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from flask import Response
from pydantic_core import to_jsonable_python

from notify.infra.json_values import dump_json
from notify.infra.replica import OpenRows

ROWS_AT_A_TIME: Final = 200


class JsonRows:
    """The JSON of a list, in chunks of rows. The web server closes it when the client has read it or disconnects."""

    def __init__(self, rows: OpenRows[Any]) -> None:
        self._rows = rows
        self._pieces = _pieces(rows)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """End the transaction of the rows."""
        self._rows.close()


def streamed(rows: OpenRows[Any], status: int) -> Response:
    """The answer with a list of these rows."""
    return Response(JsonRows(rows), status, content_type="application/json")


def _pieces(rows: Iterable[Any]) -> Iterator[bytes]:
    rows, before = iter(rows), b"["
    while some := list(islice(rows, ROWS_AT_A_TIME)):
        yield before + dump_json(to_jsonable_python(some), sort_keys=True)[1:-1]
        before = b","
    yield b"]" if before == b"," else b"[]"
