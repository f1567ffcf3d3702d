"""Refusals of the accounts room."""

from __future__ import annotations

from notify.infra.errors import FieldProblemError


class InvalidUserError(FieldProblemError):
    """A user's name, address, number or way to sign in is not acceptable."""


class EmailAddressTakenError(FieldProblemError):
    """There is a user with this address already, without regard to case."""

    def __init__(self, email_address: str) -> None:
        super().__init__("email_address", f"There is a user with the email address {email_address} already")
