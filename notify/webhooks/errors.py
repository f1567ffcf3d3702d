"""Errors of callback settings."""

from __future__ import annotations

from notify.infra.errors import FieldProblemError, NotFoundProblemError, ProblemError


class InvalidCallbackError(FieldProblemError):
    """A setting of a callback is invalid."""


class DuplicateCallbackError(ProblemError):
    """The service already has a callback of this type."""

    def __init__(self) -> None:
        super().__init__("You can only have one URL and bearer token for your service.")


_NAMES = {
    "inbound_sms": "Service inbound API",
    "delivery_status": "Service delivery receipt API",
    "returned_letter": "Service returned letter API",
    "complaint": "Service complaint API",
}


class NoCallbackError(NotFoundProblemError):
    """The service has no callback of this type (internal-services 8)."""

    def __init__(self, callback_type: str) -> None:
        super().__init__(f"{_NAMES.get(callback_type, 'Callback')} not found")
