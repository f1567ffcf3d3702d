"""Interfaces for reading receipts and received texts from providers."""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from notify.infra.json_values import InvalidJSONError, parse_json
from notify.infra.times import LONDON
from notify.providers.base import Receipt, ReceiptError
from notify.providers.incoming import IncomingText
from notify.settings import Settings


class Receiver:
    """Reads requests of one provider. One instance serves all threads of a process.

    A subclass is a `ReceiptReader`, a `TextReader` or both.
    """

    identifier: ClassVar[str]

    def __init__(self, settings: Settings) -> None:
        self.settings = settings


class ReceiptReader(Receiver, ABC):
    """Reads receipts."""

    @abstractmethod
    def read_receipt(self, body: bytes, form: Mapping[str, str]) -> Receipt:
        """The receipt in a request: `body` is its raw body, `form` the same as a form where it is one.

        Raises `ReceiptError`.
        """


class TextReader(Receiver, ABC):
    """Reads text messages that the provider received for us (contract: public-api 13)."""

    answer_where_unknown: ClassVar[str | None] = None
    """The body (text) of the answer if no service receives texts on that number. None: the usual answer."""

    @abstractmethod
    def may_hand_in(self, user: str, password: str) -> bool:
        """Whether these are the provider's credentials, compared in constant time."""

    @abstractmethod
    def read_incoming(self, body: bytes, form: Mapping[str, str]) -> IncomingText:
        """The text message in a request; arguments as of `read_receipt`. Raises `IncomingError`."""


def is_among(given: str, allowed: Iterable[str]) -> bool:
    """Whether a secret is one of these, compared in constant time."""
    matches = [hmac.compare_digest(given.encode("utf-8", "replace"), one.encode()) for one in allowed]
    return True in matches


def parse_uuid(value: str) -> UUID | None:
    """The UUID in a provider's reference, or None."""
    try:
        return UUID(value)
    except ValueError:
        return None


def parse_time(value: object) -> datetime | None:
    """A provider's time (ISO; London time if it has no offset) as aware UTC; None if it cannot be read."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=LONDON)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_json_object(body: bytes | str, client_name: str) -> dict[str, Any]:
    """The JSON object of a receipt. Raises `ReceiptError`."""
    try:
        parsed = parse_json(body)
    except InvalidJSONError:
        parsed = None
    if not isinstance(parsed, dict):
        raise ReceiptError([f"{client_name} callback failed: body is not a JSON object"])
    return parsed


def require_fields(values: Mapping[str, Any], names: tuple[str, ...], client_name: str) -> tuple[str, ...]:
    """The fields as strings. Raises `ReceiptError` that names each one missing or empty, in this order."""
    texts = tuple("" if values.get(name) is None else str(values[name]).strip() for name in names)
    missing = [name for name, text in zip(names, texts, strict=True) if not text]
    if missing:
        raise ReceiptError([f"{client_name} callback failed: {name} missing" for name in missing])
    return texts
