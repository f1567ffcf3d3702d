"""What every provider has in common: the messages it is given, its answers, its receipts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, TypeVar
from uuid import UUID

import orjson

from notify.infra.times import LONDON
from notify.providers.incoming import IncomingError, IncomingText

if TYPE_CHECKING:
    from notify.infra.outbound import Outbound
    from notify.settings import Settings

ProviderType = Literal["sms", "email"]

OUTAGES: Final = frozenset(
    {
        "timeout",
        "connection",
        "tls",
        "disconnected",
        "invalid_answer",
        "authentication",
        "credentials",
        "unencrypted",
    }
)
"""Kinds of `ProviderError` that the next message would meet as well."""
OUTAGE_CODES: Final = frozenset({401, 403, 404, 408, 421, 429, *range(500, 600)})
"""Of HTTP: no access, not there, too slow, too many, broken. Of SMTP: not available, or not about the message."""
Outcome = Literal["delivered", "pending", "temporary-failure", "permanent-failure", "technical-failure"]


@dataclass(frozen=True, slots=True)
class OutgoingText:
    """A text message. `to` is E.164 digits without `+`."""

    notification_id: UUID
    to: str
    sender: str
    body: str
    international: bool = False


@dataclass(frozen=True, slots=True)
class OutgoingEmail:
    """An email. `headers` are additional ones, such as `List-Unsubscribe`."""

    notification_id: UUID
    to: str
    from_name: str
    from_address: str
    reply_to: str | None
    subject: str
    plain_text: str
    html: str
    headers: Mapping[str, str] = field(default_factory=dict)


M = TypeVar("M", OutgoingText, OutgoingEmail)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message. `reference` is its own id of an email (workers 6.1); texts have none, their
    receipts name the notification.

    `outcome` is given where no receipt will ever come: the message has this status from now on, not `sending`.
    """

    reference: str | None = None
    outcome: Outcome | None = None


class ProviderError(Exception):
    """The provider did not take the message, or may have but did not say so.

    `kind` is for metrics and logs: `timeout`, `connection`, `tls`, `disconnected`, `invalid_answer`, `http_4xx`,
    `http_5xx`, `refused`, `authentication`, `address`, ... `code` is the provider's number for it. `retryable` false
    means that another try cannot succeed; the message then ends as `outcome`. Nothing personal is in any of them, nor
    in the text.
    """

    def __init__(
        self,
        provider: str,
        kind: str,
        *,
        code: int | None = None,
        retryable: bool = True,
        outcome: Outcome = "technical-failure",
    ) -> None:
        super().__init__(f"{provider}: {kind}" + ("" if code is None else f" ({code})"))
        self.provider = provider
        self.kind = kind
        self.code = code
        self.retryable = retryable
        self.outcome: Outcome = outcome

    @property
    def is_outage(self) -> bool:
        """Whether it tells of the provider rather than of this message."""
        return self.retryable and (self.kind in OUTAGES or self.code in OUTAGE_CODES)


class ReceiptError(Exception):
    """A receipt that cannot be read; `messages` are for the provider, with status 400 (public-api 10)."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider says became of a message (workers 8.1).

    The new status of a message, once the guard of workers 5.2 let the receipt pass, is the first that applies:

    1. `outcome_if_sent_by_provider`, where that is given and the row's `sent_by` is `provider`;
    2. `outcome_if_pending`, where that is given and the row's status is `pending`;
    3. `outcome`.

    `notification_id` is null where the provider named something that is not a UUID: nothing can be updated. `reference`
    is the provider's own id, of emails. `unknown_status` is the status as received where the contract knows none such
    (`outcome` is then `technical-failure`, and the caller logs it). `reason` is a text for logs.
    """

    provider: str
    notification_id: UUID | None
    reference: str | None
    outcome: Outcome
    outcome_if_pending: Outcome | None = None
    outcome_if_sent_by_provider: Outcome | None = None
    delivered_at: datetime | None = None
    reason: str | None = None
    unknown_status: str | None = None


class Provider(ABC, Generic[M]):
    """A way to send messages of one type. One instance serves many concurrent calls, all inside the loop of `outbound`.

    Register a new one in `registry.py`; nothing else needs to know it.
    """

    identifier: ClassVar[str]
    notification_type: ClassVar[ProviderType]
    supports_international: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def is_configured(cls, settings: Settings) -> bool:
        """Whether the settings say how to reach it."""

    def __init__(self, settings: Settings, outbound: Outbound) -> None:
        self.settings = settings
        self.outbound = outbound

    @property
    def calls_at_a_time(self) -> int:
        """How many messages it takes at the same time from one process."""
        return self.settings.provider_connections

    @abstractmethod
    async def send(self, message: M) -> Accepted:
        """Hand over one message. Raises `ProviderError`, and nothing else."""

    def read_receipt(self, body: bytes, form: Mapping[str, str]) -> Receipt:
        """The receipt in a request of the provider: its raw body, and the same as a form where it is one.

        Raises `ReceiptError`.
        """
        raise ReceiptError([f"{self.identifier} sends no receipts"])

    def may_hand_in(self, user: str, password: str) -> bool:
        """Whether these are the provider's credentials for texts that it received for us (public-api 13)."""
        return False

    def read_incoming(self, body: bytes, form: Mapping[str, str]) -> IncomingText:
        """The text message in a request of the provider. Raises `IncomingError`."""
        raise IncomingError

    async def close(self) -> None:
        """Give back what the instance holds on to."""
        return


def parse_uuid(value: str) -> UUID | None:
    """The UUID in a provider's reference, or null."""
    try:
        return UUID(value)
    except ValueError:
        return None


def parse_time(value: str | None) -> datetime | None:
    """A provider's time (ISO; London's where it has no offset) as aware UTC; null where it cannot be read."""
    try:
        moment = datetime.fromisoformat(value or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=LONDON)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_json_object(body: bytes, client_name: str) -> dict[str, Any]:
    """The JSON object of a receipt. Raises `ReceiptError`."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = None
    if not isinstance(parsed, dict):
        raise ReceiptError([f"{client_name} callback failed: body is not a JSON object"])
    return parsed


def require_fields(values: Mapping[str, Any], names: tuple[str, ...], client_name: str) -> tuple[str, ...]:
    """The fields as texts. Raises `ReceiptError` that names each one missing or empty, in this order."""
    texts = tuple("" if values.get(name) is None else str(values[name]).strip() for name in names)
    missing = [name for name, text in zip(names, texts, strict=True) if not text]
    if missing:
        raise ReceiptError([f"{client_name} callback failed: {name} missing" for name in missing])
    return texts
