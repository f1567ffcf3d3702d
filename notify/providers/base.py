"""Shared by all providers: outgoing messages, answers, errors and receipts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final, Generic, Literal, TypeVar
from uuid import UUID

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
        "proxy",
        "throttled",
        "authentication",
        "credentials",
        "unencrypted",
    }
)
"""Kinds of `ProviderError` that the next message would cause too."""
OUTAGE_CODES: Final = frozenset({401, 403, 404, 408, 421, 429, *range(500, 600)})
"""HTTP: no access, not found, timeout, rate limit, server error. SMTP: not available, or not about the message."""
OWN_FAULTS: Final = frozenset({"invalid_address", "invalid_request"})
"""Kinds of `ProviderError` caused by our own settings, before anything was sent. The provider is not to blame."""
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
    """The provider accepted the message. `reference` is the provider's id of an email (workers 6.1); texts have none,
    because their receipts name the notification.

    `outcome` is set if no receipt will ever come: the message gets this status instead of `sending`.
    """

    reference: str | None = None
    outcome: Outcome | None = None


class ProviderError(Exception):
    """The provider did not accept the message, or did not confirm it.

    `kind` is for metrics and logs: `timeout`, `connection`, `tls`, `disconnected`, `invalid_answer`, `http_4xx`,
    `http_5xx`, `refused`, `throttled`, `authentication`, `address`, ... `code` is the provider's number for it. Where
    `retryable` is false, another try cannot succeed and the message ends as `outcome`. None of them holds personal
    data, nor does the text.
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
        """Whether the cause is the provider, not this message."""
        return self.retryable and (self.kind in OUTAGES or self.code in OUTAGE_CODES)

    @property
    def is_own_fault(self) -> bool:
        """Whether our own settings are the cause, and nothing was sent."""
        return self.kind in OWN_FAULTS


class ReceiptError(Exception):
    """A receipt cannot be read. `messages` are for the provider, with status 400 (public-api 10)."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


@dataclass(frozen=True, slots=True)
class Receipt:
    """A provider's report about a message (workers 8.1).

    The new status of a message, once the guard of workers 5.2 let the receipt pass, is the first that applies:

    1. `outcome_if_sent_by_provider`, where that is given and the row's `sent_by` is `provider`;
    2. `outcome_if_pending`, where that is given and the row's status is `pending`;
    3. `outcome`.

    `notification_id` is None where the provider named something that is not a UUID: nothing can be updated. `reference`
    is the provider's id, of emails. `unknown_status` is the status as received where it is not one of the contract's
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
    """Sends messages of one type. One instance serves many concurrent calls, all inside the loop of `outbound`."""

    identifier: ClassVar[str]
    notification_type: ClassVar[ProviderType]

    def __init__(self, settings: Settings, outbound: Outbound) -> None:
        self.settings = settings
        self.outbound = outbound

    @property
    def calls_at_a_time(self) -> int:
        """Most concurrent messages from one process."""
        return self.settings.provider_connections

    @abstractmethod
    async def send(self, message: M) -> Accepted:
        """Send one message. Raises `ProviderError`, and nothing else."""

    async def close(self) -> None:
        """Close the connections of this instance."""
        return
