"""Signatures of callbacks, by the Standard Webhooks specification (https://www.standardwebhooks.com), version 1."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
LEAST_BYTES: Final = 24
MOST_BYTES: Final = 64


def derived_secret(bearer_token: str) -> str:
    """The signing secret of a callback without its own: the SHA-256 of its bearer token, which the receiver knows."""
    return PREFIX + b64encode(hashlib.sha256(bearer_token.encode()).digest()).decode()


def secret_bytes(secret: str) -> bytes:
    """The key in a secret: `whsec_` and the base64 of 24 to 64 bytes. Raises `ValueError`."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"must be {PREFIX} and the base64 of {LEAST_BYTES} to {MOST_BYTES} bytes")
    return key


def signature_headers(key: bytes, event_id: str, moment: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a signed callback. `event_id` identifies its subject and is the same at each attempt;
    `moment` is the time of this attempt.
    """
    timestamp = str(int(moment.timestamp()))
    signature = hmac.digest(key, f"{event_id}.{timestamp}.".encode() + body, "sha256")
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{b64encode(signature).decode()}",
    }
