"""Errors that a caller of an API may see. The HTTP layer turns them into the contract's envelopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class ProblemError(Exception):
    """A request that cannot be fulfilled: a status, and one or more messages for the caller.

    `error` is the class name in the v2 envelope (contract: public-api 3.1); the v1 envelope shows messages only.
    """

    status = 400
    error = "BadRequestError"

    def __init__(
        self,
        message: str | Sequence[str],
        *,
        status: int | None = None,
        error: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.messages = [message] if isinstance(message, str) else list(message)
        self.status = self.status if status is None else status
        self.error = self.error if error is None else error
        self.extra = dict(extra or {})
        super().__init__("; ".join(self.messages))

    def entries(self) -> list[dict[str, Any]]:
        """The errors of the v2 envelope."""
        return [{"error": self.error, "message": message, **self.extra} for message in self.messages]


class ValidationProblemError(ProblemError):
    """A body or query that breaks its schema (public-api 4)."""

    error = "ValidationError"


class NotFoundProblemError(ProblemError):
    """Nothing here by that id."""

    status = 404
    error = "NoResultFound"

    def __init__(self, message: str = "No result found") -> None:
        super().__init__(message)


class FieldProblemError(ProblemError):
    """A value that breaks a rule. `field` names it in the internal envelope: `{field: [message]}` (public-api 3.3)."""

    field: str

    def __init__(self, field: str, message: str, *, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.field = field
