"""Errors that a caller of an API may see. The HTTP layer turns them into the contract's envelopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

NOT_FOUND: Final = (
    "The requested URL was not found on the server. If you entered the URL manually please check your spelling and "
    "try again."
)
MALFORMED: Final = "The browser (or proxy) sent a request that this server could not understand."


class ProblemError(Exception):
    """A refused request: a status, and one or more messages for the caller.

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

    def message(self) -> Any:
        """The `message` of the v1 and internal envelope: one text, or a list of several."""
        return self.messages[0] if len(self.messages) == 1 else self.messages


class ValidationProblemError(ProblemError):
    """A body or query that does not match its schema (public-api 4)."""

    error = "ValidationError"


class MalformedRequestError(ProblemError):
    """A request that the contract answers with the web framework's own text of a 400."""

    def __init__(self) -> None:
        super().__init__(MALFORMED)


class NotFoundProblemError(ProblemError):
    """There is no object with that id."""

    status = 404
    error = "NoResultFound"

    def __init__(self, message: str = "No result found") -> None:
        super().__init__(message)


class PageNotFoundError(NotFoundProblemError):
    """A page before the first or after the last one. The text is that of an unknown URL (internal-services 0)."""

    def __init__(self) -> None:
        super().__init__(NOT_FOUND)


class BareProblemError(ProblemError):
    """A problem that the internal API answers as `{"message": text}` only, where the contract says so."""


class FieldsProblemError(ProblemError):
    """Values that break rules. `fields` names them in the internal envelope: `{field: [messages]}` (public-api 3.3);
    a value may be nested further, as the faults of a list's items are.
    """

    def __init__(self, fields: Mapping[str, Any], *, status: int | None = None) -> None:
        super().__init__([f"{name}: {_flat(texts)}" for name, texts in fields.items()], status=status)
        self.fields = dict(fields)

    def message(self) -> Any:
        """The fields with their texts."""
        return self.fields


class FieldProblemError(ProblemError):
    """A value that breaks a rule. `field` names it in the internal envelope: `{field: [message]}` (public-api 3.3)."""

    field: str

    def __init__(self, field: str, message: str, *, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.field = field

    def message(self) -> Any:
        """The field with its text."""
        return {self.field: self.messages}


def _flat(texts: Any) -> str:
    if isinstance(texts, Mapping):
        return ", ".join(_flat(each) for each in texts.values())
    return texts if isinstance(texts, str) else ", ".join(map(_flat, texts))


class BusyError(ProblemError):
    """The server is overloaded. Nothing was done; the same request may succeed later."""

    status = 503
    error = "ServiceUnavailable"

    def __init__(self, message: str = "The service is busy. Try again in a moment.") -> None:
        super().__init__(message)
