"""Settings of callbacks."""

from __future__ import annotations

from pydantic import Field

from notify.infra.settings import EnvironmentSettings


class CallbackSettings(EnvironmentSettings):
    """Callbacks to services."""

    # -- telling services what happened
    callback_connections: int = Field(
        10,
        ge=1,
        le=500,
        description="Concurrent callbacks of one type to one service per worker process. A slow service delays only its own callbacks.",
    )
    callback_timeout_seconds: float = Field(
        5.0, gt=0, le=60, description="Longest time in seconds that a service may take to answer a callback."
    )
    callback_retry_seconds: int = Field(300, ge=0, description="Seconds between two attempts to send a callback.")
    callback_max_retries: int = Field(
        5, ge=0, description="Attempts after the first one, before a callback is given up."
    )
    callback_expiry_seconds: int = Field(
        86_400,
        ge=60,
        description="Seconds after which a callback that the service has not accepted is given up, however many attempts are left.",
    )
    callback_guard: bool = Field(
        False,
        description="Outside development and test, callbacks only go to https addresses of the public internet: not to private, loopback, link-local or metadata addresses. `1` applies this in development and test as well.",
    )

    @property
    def callbacks_are_guarded(self) -> bool:
        """Whether callbacks only go to https addresses of the public internet."""
        return self.callback_guard or not self.is_safe_environment
