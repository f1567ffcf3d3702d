"""Parses and writes JSON: one parser for everything that clients, providers and SNS send us.

`orjson` does the work. It turns integers beyond 64 bits into floats and only reads UTF-8, so both cases are handled
here: numbers that people will read keep their digits (contract: content 2.3), and a byte order mark, UTF-16 and UTF-32
are accepted (public-api, corrections to 6.1).
"""

from __future__ import annotations

import json
import re
from math import isinf
from typing import Any, Final, NoReturn

import orjson

_BEYOND_64_BITS: Final = float(2**63)
"""The smallest magnitude at which `orjson` may have made a float of an integer."""
_LONG_NUMBER: Final = re.compile(r"[0-9]{300}")
"""Digits of an integer beyond the largest float, which `orjson` refuses."""
DEEPEST: Final = 200
"""Most levels of lists and objects within each other. `orjson` writes 254, and stored values are wrapped in a few."""
_ENCODING: Final = json.detect_encoding


class InvalidJSONError(ValueError):
    """The input is not JSON. The message quotes nothing from it."""


def parse_json(raw: bytes | str) -> Any:
    """The value that a JSON text stands for, with integers of any size as they are.

    Bytes may begin with a byte order mark, and be UTF-16 or UTF-32. Raises `InvalidJSONError`, also for what only some
    parsers take: NaN, Infinity, numbers too large for a float, halves of surrogate pairs; and for more than `DEEPEST`
    levels.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _parse_unusual(_decode(raw))
    if _has_large_float(value):
        return _parse_unusual(_decode(raw))
    brackets = raw.count(b"[") + raw.count(b"{") if isinstance(raw, bytes) else raw.count("[") + raw.count("{")
    if brackets > DEEPEST:
        _check_depth(value)
    return value


def dump_json(value: Any, *, sort_keys: bool = False) -> bytes:
    """`value` as JSON in UTF-8. Integers may have any size. UUIDs and times become strings."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_keys else None)
    except TypeError:  # an integer beyond 64 bits
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys, default=_as_text)
        return text.encode()


def _parse_unusual(text: str) -> Any:
    if _LONG_NUMBER.search(text):
        value = _parse_exactly(text)
    else:
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise InvalidJSONError("not JSON") from None
        if _has_large_float(value):
            value = _parse_exactly(text)
    _check_depth(value)
    return value


def _decode(raw: bytes | str) -> str:
    try:
        text = raw if isinstance(raw, str) else raw.decode(_ENCODING(raw))
    except UnicodeDecodeError:
        raise InvalidJSONError("not text in UTF-8, UTF-16 or UTF-32") from None
    return text.removeprefix("\ufeff")


def _parse_exactly(text: str) -> Any:
    """As the standard library parses it, which keeps integers; within the limits of `orjson` otherwise."""
    try:
        value = json.loads(text, parse_float=_finite, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # UnicodeEncodeError is a ValueError: half of a surrogate pair
        raise InvalidJSONError("not JSON") from None
    return value


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError("number too large")
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _has_large_float(value: Any) -> bool:
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, float):
            if abs(current) >= _BEYOND_64_BITS:
                return True
        elif isinstance(current, dict):
            waiting.extend(current.values())
        elif isinstance(current, list):
            waiting.extend(current)
    return False


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        containers = [item for item in level if isinstance(item, dict | list)]
        depth += bool(containers)
        if depth > DEEPEST:
            raise InvalidJSONError("too many levels")
        level = [item for one in containers for item in (one.values() if isinstance(one, dict) else one)]


def _as_text(value: Any) -> str:
    encoded: str = orjson.loads(orjson.dumps(value))
    return encoded
