"""Refusals of the accounts room."""

from __future__ import annotations

from notify.infra.errors import FieldProblemError, ProblemError


class InvalidUserError(FieldProblemError):
    """A user's name, address, number or sign-in method is not acceptable."""


class EmailAddressTakenError(FieldProblemError):
    """Another user has this address, ignoring case."""

    def __init__(self, email_address: str) -> None:
        super().__init__("email_address", f"There is a user with the email address {email_address} already")


class MobileNumberNeededError(ProblemError):
    """A user who signs in by text message has no mobile number."""

    def __init__(self) -> None:
        super().__init__("Mobile number must be set if auth_type is set to sms_auth")


class ActiveAlreadyError(ProblemError):
    """The user is already active."""

    def __init__(self) -> None:
        super().__init__("User already active")
