"""The timeline of a message: what has happened, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from notify.console.queries import Reaction, Sent, WaitingCallback
from notify.messages.queries import StoredMessage
from notify.messages.statuses import COMPLETED, FAILED, shown_status
from notify.providers import sandbox

State = Literal["done", "waiting", "failed"]

_FAILED: Final = frozenset((*FAILED, "failed", "cancelled"))
_FINAL_WORDS: Final = {
    "delivered": "Delivered",
    "sent": "Sent; no receipt will come",
    "failed": "Failed",
    "technical-failure": "Technical failure",
    "temporary-failure": "Temporary failure",
    "permanent-failure": "Permanent failure",
    "validation-failed": "Validation failed",
    "virus-scan-failed": "Virus scan failed",
    "returned-letter": "Returned",
    "cancelled": "Cancelled",
}
_REASONS: Final = {
    "technical-failure": "It could not be handed to any provider.",
    "temporary-failure": "The provider could not reach the recipient, or sent no receipt in time.",
    "permanent-failure": "There is no such recipient.",
}
_REACTIONS: Final[Mapping[str, tuple[str, str, State]]] = {
    "unsubscribed": ("Unsubscribed", "The recipient followed the link in the email.", "done"),
    "complained": ("Complaint", "The recipient told their mail service that the email is spam.", "failed"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened at a time, or (`waiting`) is still to happen: then, or at an unknown time (None)."""

    at: datetime | None
    title: str
    detail: str
    state: State


def state_of(status: str) -> State:
    """The group of a status."""
    if status in _FAILED:
        return "failed"
    return "done" if status in COMPLETED else "waiting"


def timeline(
    message: StoredMessage,
    sent: Sequence[Sent],
    reactions: Sequence[Reaction],
    callbacks: Sequence[WaitingCallback],
    *,
    accepted_by: str,
    time_out: timedelta,
) -> list[Step]:
    """The steps, oldest first; those still waited for come last. `sent` are the sandbox's copies; `time_out` is how
    long to wait for a receipt.
    """
    steps = [Step(message.created_at, "Accepted", accepted_by, "done")]
    steps += _handed_over(message, sent)
    steps += _receipts(message, sent)
    if state_of(message.status) != "waiting":
        # a letter of a test key is delivered as soon as it is accepted
        at = message.updated_at or message.sent_at or message.created_at
        title, reason = _FINAL_WORDS.get(message.status, message.status), _REASONS.get(message.status, "")
        steps.append(Step(at, title, reason, state_of(message.status)))
    steps += (Step(at, *_REACTIONS[what]) for what, at in reactions)
    for callback in callbacks:
        tried = f"Tried {callback.attempts} times." if callback.attempts else "Not tried yet."
        steps.append(Step(callback.due_at, "Callback to the service", tried, "waiting"))
    happened = [step for step in steps if step.state != "waiting"]
    waiting = [step for step in steps if step.state == "waiting"]
    # a stable sort: steps of the same time keep the order above
    return [
        *sorted(happened, key=lambda step: step.at or message.created_at),
        *waiting,
        *_waited_for(message, time_out),
    ]


def _handed_over(message: StoredMessage, sent: Sequence[Sent]) -> Iterator[Step]:
    if message.key_type == "test" and message.sent_by:
        yield Step(message.sent_at, "Simulated", f"A test key: {message.sent_by} was chosen, but not called.", "done")
        return
    for number, entry in enumerate(sent):
        again = "Given to the sandbox again" if number else "Given to the sandbox"
        why = "A worker ended before it could record the first attempt." if number else f"Its id there is {entry.id}."
        yield Step(entry.created_at, again, why, "done")
    if message.sent_by and not sent:
        detail = f"Its reference there is {message.reference}." if message.reference else ""
        yield Step(message.sent_at, f"Given to {message.sent_by}", detail, "done")


def _receipts(message: StoredMessage, sent: Sequence[Sent]) -> Iterator[Step]:
    for entry in sent:
        if entry.receipt_sent_at is None:
            yield Step(entry.receipt_due_at, "Receipt of the sandbox", f"It will say {entry.outcome}.", "waiting")
            continue
        at = entry.receipt_sent_at
        if message.status in COMPLETED and message.updated_at and message.updated_at > entry.created_at:
            # the sandbox records the time after our answer, so the receipt came before its effects
            at = min(at, message.updated_at)
        state: State = "failed" if entry.outcome in _FAILED else "done"
        yield Step(at, "Receipt of the sandbox", f"It says {entry.outcome}.", state)
    from_another = message.sent_by not in (None, sandbox.IDENTIFIER) and message.key_type != "test"
    if from_another and not sent and message.updated_at and message.status in COMPLETED and message.status != "sent":
        yield Step(message.updated_at, f"Word from {message.sent_by}", "", state_of(message.status))


def _waited_for(message: StoredMessage, time_out: timedelta) -> Iterator[Step]:
    kind, status = message.notification_type, message.status
    if status == "created" and kind == "letter":
        yield Step(None, "Waits to be printed", f"The API shows it as {shown_status(kind, status)}.", "waiting")
    elif status == "sending" and kind == "letter":
        yield Step(None, "Waits to be posted", "The printer will say when it is.", "waiting")
    elif status == "created" and message.updated_at is not None:
        yield Step(None, "Waits for the next attempt", "No provider accepted it at the last one.", "waiting")
    elif status == "created" and message.scheduled_for is not None:
        yield Step(message.scheduled_for, "Waits for its time", "It is sent within a minute of it.", "waiting")
    elif status == "created":
        yield Step(None, "Waits for a worker", "It is queued, or will be queued again.", "waiting")
    elif status in ("sending", "pending") and kind != "letter":
        until = message.created_at + time_out
        yield Step(until, "Time-out", "Without a receipt by then it is a temporary failure.", "waiting")
    elif status == "pending-virus-check":
        yield Step(None, "Waits for the virus check", "", "waiting")
