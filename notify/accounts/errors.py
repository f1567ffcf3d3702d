"""Refusals of the accounts room, and the kind of refusal that every room built on it shares."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from notify.infra.errors import ProblemError


class FieldProblemError(ProblemError):
    """A value that breaks a rule. `field` names it in the internal envelope: `{field: [message]}` (public-api 3.3)."""

    field: str

    def __init__(self, field: str, message: str, *, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.field = field


class InvalidUserError(FieldProblemError):
    """A user's name, address, number or way to sign in is not acceptable."""


class EmailAddressTakenError(FieldProblemError):
    """There is a user with this address already, in whatever case."""

    def __init__(self, email_address: str) -> None:
        super().__init__("email_address", f"There is a user with the email address {email_address} already")


def violated_constraint(error: IntegrityError) -> str | None:
    """The name of the constraint or unique index that a statement broke."""
    diagnosis = getattr(error.orig, "diag", None)
    name = getattr(diagnosis, "constraint_name", None)
    return name if isinstance(name, str) else None
