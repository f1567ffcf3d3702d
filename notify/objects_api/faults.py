"""Errors in the form of S3."""

from __future__ import annotations

from xml.sax.saxutils import escape

from flask import Response


class FaultError(Exception):
    """A refused request: S3's code, a text for people, and the status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        self.code = code
        self.message = message
        self.status = status
        super().__init__(f"{code}: {message}")


def answer(error: FaultError, resource: str) -> Response:
    """The XML of an error. Flask omits the body in the answer to a HEAD."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
        f"<Resource>{escape(_printable(resource))}</Resource></Error>"
    )
    return Response(body, error.status, content_type="application/xml")


def _printable(text: str) -> str:
    """`text` without characters that XML cannot have."""
    return "".join(character for character in text if character.isprintable())
