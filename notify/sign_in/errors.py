"""Refusals of the sign-in room."""

from __future__ import annotations

from notify.infra.errors import FieldProblemError, NotFoundProblemError, ProblemError


class IncorrectPasswordError(FieldProblemError):
    """The password is wrong."""

    def __init__(self) -> None:
        super().__init__("password", "Incorrect password")


class CodeNotFoundError(NotFoundProblemError):
    """No such code was sent to the user, or the user is locked out."""

    def __init__(self) -> None:
        super().__init__("Code not found")


class CodeExpiredError(ProblemError):
    """The code was used before, or is too old."""

    def __init__(self) -> None:
        super().__init__("Code has expired")


class TooManyFailuresError(ProblemError):
    """Too many failed sign-ins with a security key."""

    def __init__(self) -> None:
        super().__init__("Maximum login count exceeded", status=403)


class LastSecurityKeyError(ProblemError):
    """A user's last security key cannot be deleted."""

    def __init__(self) -> None:
        super().__init__("Cannot delete last remaining webauthn credential for user")


class UnsendableNumberError(ProblemError):
    """A code cannot be sent to this number."""
