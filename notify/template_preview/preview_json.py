"""The JSON of previews: its schema, and the letter it describes (contract: letters 6.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from notify.infra.json_values import InvalidJSONError, parse_json
from notify.letters.render.letter import Letter
from notify.template_preview.errors import BadRequestError
from notify.template_preview.reading import MOST_JSON_BYTES
from notify.template_preview.reading import read as read_body

_TYPES: Final[Mapping[str, type]] = {"string": str, "object": dict, "integer": int, "null": type(None)}


@dataclass(frozen=True, slots=True)
class _Object:
    """The schema of an object: its fields, each with its allowed types or the schema of a nested object."""

    fields: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    objects: Mapping[str, _Object] = field(default_factory=dict)
    has_others: bool = False


_ATTACHMENT: Final = _Object({"page_count": ("integer",)}, ("page_count",), has_others=True)
_TEMPLATE: Final = _Object(
    {"subject": ("string",), "content": ("string",), "service": ("string",), "letter_attachment": ("object", "null")},
    ("subject", "content"),
    {"letter_attachment": _ATTACHMENT},
    has_others=True,
)
_PREVIEW: Final = _Object(
    {
        "letter_contact_block": ("string", "null"),
        "values": ("object", "null"),
        "filename": ("string", "null"),
        "date": ("string", "null"),
        "template": ("object",),
    },
    ("letter_contact_block", "template", "values", "filename"),
    {"template": _TEMPLATE},
)


def read_preview() -> dict[str, Any]:
    """The body of the request, checked against the schema of previews. Raises `BadRequestError`, or 415 if the content
    type is not JSON.
    """
    if not request.is_json:
        raise UnsupportedMediaType
    try:
        value = parse_json(read_body(MOST_JSON_BYTES))
    except InvalidJSONError:
        raise BadRequestError from None
    _check(value, ("object",), _PREVIEW)
    return dict(value)


def _check(value: Any, types: tuple[str, ...], schema: _Object | None) -> None:
    """Raises `BadRequestError` with the text of a JSON Schema validator."""
    if not any(_is_type(value, name) for name in types):
        raise BadRequestError(f"{value!r:.200} is not of type {', '.join(repr(name) for name in types)}")
    if schema is None or value is None:
        return
    for name in schema.required:
        if name not in value:
            raise BadRequestError(f"{name!r} is a required property")
    others = [name for name in value if name not in schema.fields]
    if others and not schema.has_others:
        listed, verb = ", ".join(map(repr, others)), "was" if len(others) == 1 else "were"
        raise BadRequestError(f"Additional properties are not allowed ({listed:.200} {verb} unexpected)")
    for name, allowed in schema.fields.items():
        if name in value:
            _check(value[name], allowed, schema.objects.get(name))


def _is_type(value: Any, name: str) -> bool:
    return isinstance(value, _TYPES[name]) and not isinstance(value, bool)


def letter_of(data: Mapping[str, Any], attachment: bytes | None = None) -> Letter:
    """The letter that a checked body describes. Raises `BadRequestError`."""
    template = data["template"]
    if template.get("template_type") != "letter":
        raise BadRequestError("template_type must be letter")
    is_welsh = template.get("letter_languages") == "welsh_then_english"
    welsh = {name: template.get(f"letter_welsh_{name}") for name in ("subject", "content")}
    if is_welsh and not all(isinstance(text, str) for text in welsh.values()):
        raise BadRequestError("A letter in Welsh needs letter_welsh_subject and letter_welsh_content")
    return Letter(
        subject=template["subject"],
        content=template["content"],
        values=data["values"] or {},
        contact_block=data["letter_contact_block"],
        date=_date(data.get("date")),
        logo=data["filename"] or None,
        language="welsh_then_english" if is_welsh else "english",
        welsh_subject=welsh["subject"] if is_welsh else None,
        welsh_content=welsh["content"] if is_welsh else None,
        attachment=attachment,
    )


def _date(text: str | None) -> datetime | None:
    """A date without a time zone is in UTC; an empty one means now."""
    if not text:
        return None
    try:
        date = datetime.fromisoformat(text)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequestError("date is no date in ISO 8601") from None
