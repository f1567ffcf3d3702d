"""Retries with exponential backoff. The only module that uses `stamina`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import stamina
import stamina.instrumentation
import structlog

logger = structlog.get_logger(__name__)
R = TypeVar("R")

FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 2.0

Retryable = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]


def retry(
    call: Callable[[], R],
    *,
    on: Retryable,
    seconds: float | None = None,
    first: float = FIRST_PAUSE,
    longest: float = LONGEST_PAUSE,
) -> R:
    """The result of `call`, which must be safe to repeat. It is repeated while it raises errors that `on` names
    (classes, or a predicate): for `seconds`, or without limit. The pauses grow from `first` to `longest` seconds, with
    some jitter, so that processes do not retry in step. Raises the last error, and at once any error that `on` does
    not name.
    """
    for attempt in stamina.retry_context(
        on=on, attempts=None, timeout=seconds, wait_initial=first, wait_max=longest, wait_jitter=first
    ):
        with attempt:
            return call()
    raise AssertionError("unreachable")


def _log(details: stamina.instrumentation.RetryDetails) -> None:
    # log only the class of an error: its message may quote personal data
    logger.warning(
        "trying again",
        error=type(details.caused_by).__name__,
        tries=details.retry_num,
        pause=round(details.wait_for, 3),
    )


stamina.instrumentation.set_on_retry_hooks([_log])
