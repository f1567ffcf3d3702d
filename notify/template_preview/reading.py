"""What requests bring: bodies of bounded size, numbers of pages."""

from __future__ import annotations

import re
from typing import Final

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from notify.infra.http import read_body
from notify.infra.request_gate import allow_large_body
from notify.template_preview.errors import BadRequestError, TooLargeError

MOST_PDF_BYTES: Final = 10 * 1024 * 1024
"""The largest PDF that is looked at. The admin app takes 2 MB, the printer 2 MiB."""
MOST_JSON_BYTES: Final = 2 * 1024 * 1024

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)


def read(most_bytes: int) -> bytes:
    """The body. Raises `TooLargeError` before more than `most_bytes` are read."""
    allow_large_body(request.environ, most_bytes)
    try:
        body = read_body(request)
    except RequestEntityTooLarge:
        raise TooLargeError(most_bytes) from None
    if len(body) > most_bytes:
        raise TooLargeError(most_bytes)
    return body


def page_number(name: str = "page", default: int | None = 1) -> int:
    """The number of a page in the query, from 1. Raises `BadRequestError`, also where it is missing and has no
    `default`.
    """
    text = request.args.get(name)
    if text is None:
        if default is None:
            raise BadRequestError
        return default
    if not _NUMBER.fullmatch(text.strip()):
        raise BadRequestError(f"{name} must be a whole number")
    return int(text)
