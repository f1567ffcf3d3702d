"""Reads requests: bodies of limited size, and page numbers."""

from __future__ import annotations

import re
from typing import Any, Final

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from notify.infra.http import read_body
from notify.infra.json_values import InvalidJSONError, parse_json
from notify.infra.request_gate import allow_large_body
from notify.template_preview.errors import BadRequestError, TooLargeError

MOST_PDF_BYTES: Final = 10 * 1024 * 1024
"""The largest PDF that is read. The admin app accepts 2 MB, the print provider 2 MiB."""
MOST_JSON_BYTES: Final = 2 * 1024 * 1024

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)


def read(most_bytes: int) -> bytes:
    """The body. Raises `TooLargeError` before it reads more than `most_bytes`."""
    allow_large_body(request.environ, most_bytes)
    try:
        body = read_body(request)
    except RequestEntityTooLarge:
        raise TooLargeError(most_bytes) from None
    if len(body) > most_bytes:
        raise TooLargeError(most_bytes)
    return body


def page_number(name: str = "page", default: int | None = 1) -> int:
    """A page number in the query, from 1. Raises `BadRequestError`, also if it is missing and there is no `default`."""
    text = request.args.get(name)
    if text is None:
        if default is None:
            raise BadRequestError
        return default
    if not _NUMBER.fullmatch(text.strip()):
        raise BadRequestError(f"{name} must be a whole number")
    return int(text)


def read_json() -> Any:
    """The body as JSON. Raises `UnsupportedMediaType` if the content type is another, `BadRequestError` if the body is
    not JSON.
    """
    if not request.is_json:
        raise UnsupportedMediaType
    try:
        return parse_json(read(MOST_JSON_BYTES))
    except InvalidJSONError:
        raise BadRequestError from None


def read_object(*fields: str) -> dict[str, str]:
    """A JSON object with exactly these fields, all strings. Raises what `read_json` raises, and `BadRequestError`."""
    given = read_json()
    if not isinstance(given, dict):
        raise BadRequestError(f"{given!r:.100} is not of type 'object'")
    for field in fields:
        if field not in given:
            raise BadRequestError(f"{field!r} is a required property")
        if not isinstance(given[field], str):
            raise BadRequestError(f"{given[field]!r:.100} is not of type 'string'")
    for name in given:
        if name not in fields:
            raise BadRequestError(f"Additional properties are not allowed ({name!r:.100} was unexpected)")
    return given
