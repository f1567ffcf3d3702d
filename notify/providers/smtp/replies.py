"""Interprets a mail server's refusal: reply codes (RFC 5321 4.2), enhanced codes (RFC 3463), and common wordings."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from notify.providers.base import Outcome

Stage = Literal["connect", "login", "mail", "rcpt", "data"]
"""The step that was refused: connecting (with EHLO and STARTTLS), AUTH, MAIL, RCPT, or DATA with the message."""


class Refusal(NamedTuple):
    """As in `ProviderError`. `outcome` counts only where it is not retryable."""

    kind: str
    retryable: bool
    outcome: Outcome = "technical-failure"


_AUTHENTICATION: Final = frozenset({530, 534, 535, 538})
_TEMPORARY_AUTHENTICATION: Final = 454
"""Also used for STARTTLS, and by some servers for rate limits: only the enhanced code distinguishes them."""

_ENHANCED: Final = re.compile(r"\s*[245]\.(\d{1,3})\.(\d{1,3})(?!\d)")
_THROTTLED: Final = re.compile(
    r"throttl|\brate\b.{0,20}\b(?:limit|exceeded)|sending rate|too many|too (?:fast|quickly)|slow down", re.IGNORECASE
)
_UNKNOWN_PERSON: Final = re.compile(
    r"(?:does not|doesn.t) have an? \S{1,80} account|no such (?:user|person|mailbox|recipient|address)|no mailbox"
    r"|unknown (?:user|recipient|mailbox|address)"
    r"|invalid (?:recipient|mailbox)"
    r"|(?:user|recipient|mailbox|address|account)\b.{0,40}"
    r"\b(?:unknown|not found|unavailable|disabled|does(?: not|n.t) exist|not exist)",
    re.IGNORECASE,
)
_POLICY: Final = re.compile(r"\brelay|denied|spam|blocked|black ?list|policy|\bsender\b", re.IGNORECASE)


def read_refusal(stage: Stage, code: int, text: str) -> Refusal:
    """The meaning of a negative reply. Every message has one recipient, so a refusal of the recipient may also come at
    the end of the message.
    """
    enhanced = _ENHANCED.match(text)
    subject, detail = (int(enhanced[1]), int(enhanced[2])) if enhanced else (None, None)
    if 400 <= code < 500 and _THROTTLED.search(text):
        return Refusal("throttled", retryable=True)
    if stage == "login" or code in _AUTHENTICATION:
        return Refusal("authentication", retryable=True)
    if code == _TEMPORARY_AUTHENTICATION and (stage == "connect" or subject == 7):
        return Refusal("authentication", retryable=True)
    if stage == "connect" or not 500 <= code < 600:
        return Refusal("refused", retryable=True)
    if stage != "mail" and _is_about_recipient(stage, subject, detail, text):
        return Refusal("recipient_refused", retryable=False, outcome="permanent-failure")
    return Refusal("refused", retryable=False)


def _is_about_recipient(stage: Stage, subject: int | None, detail: int | None, text: str) -> bool:
    match subject:
        case 1:  # addresses; 7 and 8 are the sender's
            return detail not in (7, 8)
        case 2:  # the mailbox; 3 is a message that is too long for it
            return detail != 3
        case 4:  # routing: no answer from the host, as some say of an unknown recipient; or no such domain
            return detail in (1, 4)
        case 3 | 6 | 7:  # the mail system, the content, policy
            return False
    if _POLICY.search(text):
        return False
    return bool(_UNKNOWN_PERSON.search(text)) or (stage == "rcpt" and subject is None)
