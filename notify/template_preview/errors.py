"""Errors of the template preview service, in the envelope `{"result": "error", "message": text}` (letters 6)."""

from __future__ import annotations

from notify.infra.errors import MALFORMED, ProblemError


class BadRequestError(ProblemError):
    """A 400 with the text of the original's web framework: `400 Bad Request: <description>` (contract: letters 6)."""

    def __init__(self, description: str = MALFORMED) -> None:
        super().__init__(f"400 Bad Request: {description}")


class TooLargeError(ProblemError):
    """The body is larger than any letter."""

    status = 413

    def __init__(self, most_bytes: int) -> None:
        super().__init__(f"The body must be at most {most_bytes // (1024 * 1024)} MB")
