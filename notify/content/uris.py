"""Web addresses that users type (contract: public-api 4)."""

from __future__ import annotations

from rfc3986_validator import validate_rfc3986


def is_uri(text: str, *schemes: str) -> bool:
    """Whether this is a URI (RFC 3986: ASCII only, no blanks) that begins with one of the schemes, in lower case."""
    return text.startswith(schemes) and text.isascii() and bool(validate_rfc3986(text, rule="URI"))
