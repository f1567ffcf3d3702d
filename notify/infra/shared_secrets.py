"""Secrets that a caller sends unchanged, in the header `Authorization: <scheme> <secret>`."""

from __future__ import annotations

import hmac
from collections.abc import Iterable


def is_allowed(authorization: str, scheme: str, secrets: Iterable[str]) -> bool:
    """Whether an `Authorization` header has one of the secrets. The name of the scheme ignores case."""
    given, _, secret = authorization.partition(" ")
    if given.lower() != scheme:
        return False
    # compare every secret, so that the time does not tell which one was right
    matches = [hmac.compare_digest(secret.strip().encode(), known.encode()) for known in secrets]
    return any(matches)
