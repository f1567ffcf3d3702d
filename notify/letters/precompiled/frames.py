"""Messages between a process and its child: JSON and bytes, each with its length before it. Nothing is unpickled."""

from __future__ import annotations

import json
import struct
from typing import Any, Final

_LENGTHS: Final = struct.Struct(">IQ")
LENGTHS_SIZE: Final = _LENGTHS.size
MOST_JSON_BYTES: Final = 256 * 1024
MOST_CONTENT_BYTES: Final = 128 * 1024 * 1024


class BrokenFrameError(Exception):
    """The data is not a message."""


def packed(about: dict[str, Any], content: bytes = b"") -> bytes:
    """A message as bytes."""
    text = json.dumps(about).encode()
    return _LENGTHS.pack(len(text), len(content)) + text + content


def lengths(start: bytes) -> tuple[int, int]:
    """The lengths of JSON and content, from the first `LENGTHS_SIZE` bytes. Raises `BrokenFrameError`."""
    text, content = _LENGTHS.unpack(start)
    if text > MOST_JSON_BYTES or content > MOST_CONTENT_BYTES:
        raise BrokenFrameError
    return text, content


def parsed(text: bytes) -> dict[str, Any]:
    """The JSON of a message. Raises `BrokenFrameError`."""
    try:
        about = json.loads(text)
    except (ValueError, RecursionError):
        raise BrokenFrameError from None
    if not isinstance(about, dict):
        raise BrokenFrameError
    return about
