"""Outgoing HTTP calls that are not urgent: temporary failures are retried for a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from notify.infra.outbound import Answer, Outbound, OutboundError
from notify.infra.retrying import retry

TIMEOUT_SECONDS: Final = 10.0
"""Timeout of one attempt, in seconds."""
TRIED_SECONDS: Final = 30.0
"""How long a call is retried, in seconds."""

_PASSING: Final = ("timeout", "connection", "disconnected", "proxy")


class CallError(Exception):
    """A call failed. `reason` is a kind of `OutboundError`, `http_<status>` or `invalid_answer`; it contains nothing
    that was sent. `is_passing`: the failure is temporary, and the same call may succeed later.
    """

    def __init__(self, reason: str, *, is_passing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_passing = is_passing


class PatientCaller:
    """Makes calls one at a time, and waits for them. Not for the threads that serve requests."""

    def __init__(self, outbound: Outbound, *, tried_seconds: float = TRIED_SECONDS) -> None:
        self._outbound = outbound
        self._tried_seconds = tried_seconds

    def call(self, method: str, url: str, *, data: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer. Retries while there is none, or one with status 429 or 5xx. Raises `CallError`."""

        def once() -> Answer:
            request = self._outbound.request(method, url, data=data, headers=headers, timeout=TIMEOUT_SECONDS)
            try:
                answer = self._outbound.run(request).result()
            except OutboundError as error:
                raise CallError(error.kind, is_passing=error.kind in _PASSING) from None
            if answer.status == 429 or answer.status >= 500:
                raise CallError(f"http_{answer.status}", is_passing=True)
            return answer

        return retry(once, on=_is_passing, seconds=self._tried_seconds, first=0.2, longest=5.0)


def _is_passing(error: Exception) -> bool:
    return isinstance(error, CallError) and error.is_passing
