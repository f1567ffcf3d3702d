"""Recipients with a fixed outcome, for test keys and the sandbox (contract: public-api 5.7, workers 9)."""

from __future__ import annotations

from typing import Final, Literal

from notify.providers.base import ProviderType

SimulatedOutcome = Literal["delivered", "temporary-failure", "permanent-failure"]

_NUMBERS: Final[dict[str, SimulatedOutcome]] = {
    "7700900003": "temporary-failure",
    "7700900002": "permanent-failure",
}
_ADDRESSES: Final[dict[str, SimulatedOutcome]] = {
    "temp-fail@simulator.notify": "temporary-failure",
    "perm-fail@simulator.notify": "permanent-failure",
}


def simulated_outcome(notification_type: ProviderType, to: str) -> SimulatedOutcome:
    """The outcome for a recipient: by the last ten digits of a number, or by the whole email address."""
    to = to.strip()
    return _NUMBERS.get(to[-10:], "delivered") if notification_type == "sms" else _ADDRESSES.get(to, "delivered")
