"""Selects the values of a message's personalisation to store: those that its template uses, within limits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from notify.content.placeholders import key_form, without_null_characters
from notify.infra.json_values import dump_json
from notify.infra.secrets import Encryptor
from notify.messages.errors import TooMuchPersonalisationError
from notify.messages.models import PERSONALISATION
from notify.templates.cache import CompiledTemplate

MOST_BYTES: Final = {"sms": 64 * 1024, "email": 5_000_000, "letter": 1_000_000}
"""Most bytes (JSON) of a message's values, by type. Enough for the longest texts of each type."""

ADDRESS_KEYS: Final = frozenset(key_form(f"address_line_{n}") for n in range(1, 8)) | {"postcode"}


def used_values(template: CompiledTemplate, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the template has placeholders for, and a letter's address: others are not stored.

    Of two spellings of one name the later counts, as in rendering.
    """
    used = _keys(template.text.placeholders, has_address=template.row.type == "letter")
    kept = {}
    for name, value in values.items():
        key = key_form(name)
        if key in used:
            kept[key] = (name, value)
    return dict(kept.values())


@lru_cache(maxsize=1024)
def _keys(placeholders: tuple[str, ...], *, has_address: bool) -> frozenset[str]:
    keys = frozenset(key_form(name) for name in placeholders)
    return keys | ADDRESS_KEYS if has_address else keys


def encrypt_values(
    encryptor: Encryptor,
    template: CompiledTemplate,
    values: Mapping[str, Any],
    message_id: UUID,
    *,
    keep_unused: bool = False,
) -> bytes | None:
    """The encrypted values of a message to store; `None` if there are none. `keep_unused`: also values without a
    placeholder.

    Raises `TooMuchPersonalisationError`.
    """
    kept = dict(values) if keep_unused else used_values(template, values)
    if not kept:
        return None
    stored = dump_json(kept)
    if b"\\u0000" in stored:  # not all values come from our parser, which removes NUL
        stored = dump_json(without_null_characters(kept))
    limit = MOST_BYTES[template.row.type]
    if len(stored) > limit:
        raise TooMuchPersonalisationError(len(stored), limit)
    return encryptor.encrypt(stored.decode(), PERSONALISATION, message_id)
