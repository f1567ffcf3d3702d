"""Secrets that a caller sends as they are, in the header `Authorization: <scheme> <secret>`."""

from __future__ import annotations

import hmac
from collections.abc import Iterable


def is_allowed(authorization: str, scheme: str, secrets: Iterable[str]) -> bool:
    """Whether an `Authorization` header has one of the secrets. The name of its scheme is read in any case."""
    given, _, secret = authorization.partition(" ")
    if given.lower() != scheme:
        return False
    # every secret is compared, so that the time says nothing of which one was right
    matches = [hmac.compare_digest(secret.strip().encode(), known.encode()) for known in secrets]
    return any(matches)
