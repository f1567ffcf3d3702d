"""JSON Web Tokens (RFC 7519) of API callers: HS256 and nothing else (contract: public-api 1.2, 1.3)."""

from __future__ import annotations

import hmac
import time
import warnings
from typing import Any

import jwt
from jwt.warnings import InsecureKeyLengthWarning

from notify.infra.errors import ProblemError

TOLERANCE_SECONDS = 30
LONGEST_TIME = 20
"""Most digits of the time in a token."""

GENERAL = (
    "Invalid token: make sure your API token matches the example at "
    "https://docs.notifications.service.gov.uk/rest-api.html#authorisation-header"
)
CLOCK = "Error: Your system clock must be accurate to within 30 seconds"

# secrets are UUIDs that we issued, or values that an operator chose for an internal client
warnings.filterwarnings("ignore", category=InsecureKeyLengthWarning)


class AuthError(ProblemError):
    """The caller is not authenticated (401), or is refused (403)."""

    status = 403
    error = "AuthError"


def bearer_token(header: str | None) -> tuple[str, str]:
    """(scheme, credentials) of an Authorization header: the scheme is "bearer" or "apikey-v1".

    Raises `AuthError` (401).
    """
    if not header:
        raise AuthError("Unauthorized: authentication token must be provided", status=401)
    scheme, _, credentials = header.partition(" ")
    scheme, credentials = scheme.lower(), credentials.strip()
    if scheme not in ("bearer", "apikey-v1") or not credentials:
        raise AuthError("Unauthorized: authentication bearer scheme must be used", status=401)
    return scheme, credentials


def read_unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(header, claims) of a token, without checking its signature. Raises `AuthError`."""
    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError, TypeError):
        raise AuthError(GENERAL) from None
    claims = parts["payload"]
    if "iss" not in claims:
        raise AuthError("Invalid token: iss field not provided")
    return parts["header"], claims


def check_algorithm(header: dict[str, Any]) -> None:
    """Refuse every algorithm except HS256, in particular `none`. Raises `AuthError`."""
    if header.get("alg") != "HS256":
        raise AuthError("Invalid token: algorithm used is not HS256")


def is_signed_with(token: str, secret: str) -> bool:
    """Whether the token was signed with this secret, and recently. False also for a token without `iat`.

    Raises `AuthError` for a token that was signed with this secret but must not be accepted.
    """
    try:
        claims = jwt.decode(token, secret, algorithms=["HS256"], leeway=TOLERANCE_SECONDS)
    except (jwt.InvalidSignatureError, jwt.MissingRequiredClaimError):
        return False
    except (jwt.ImmatureSignatureError, jwt.InvalidIssuedAtError):
        raise AuthError(CLOCK) from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise AuthError(GENERAL) from None
    if "iat" not in claims:
        return False
    check_age(claims["iat"])
    return True


def check_age(issued_at: Any) -> None:
    """Refuse a token whose time (a number or a text of digits) is over 30 seconds from now. Raises `AuthError`."""
    if isinstance(issued_at, str) and issued_at.isascii() and issued_at.isdigit() and len(issued_at) <= LONGEST_TIME:
        issued_at = int(issued_at)
    if isinstance(issued_at, bool) or not isinstance(issued_at, int | float):
        raise AuthError(CLOCK)
    if abs(time.time() - issued_at) > TOLERANCE_SECONDS:
        raise AuthError(CLOCK)


def is_same_secret(given: str, secret: str) -> bool:
    """Whether two secrets are equal, compared in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())
