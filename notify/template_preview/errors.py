"""Errors of the template preview service, in the envelope `{"result": "error", "message": text}` (letters 6)."""

from __future__ import annotations

from notify.infra.errors import MALFORMED, ProblemError


class BadRequestError(ProblemError):
    """A 400 with the words that the contract takes from a web framework: `400 Bad Request: <description>`."""

    def __init__(self, description: str = MALFORMED) -> None:
        super().__init__(f"400 Bad Request: {description}")


class TooLargeError(ProblemError):
    """A body that is larger than any letter."""

    status = 413

    def __init__(self, most_bytes: int) -> None:
        super().__init__(f"The body must be at most {most_bytes // (1024 * 1024)} MB")
