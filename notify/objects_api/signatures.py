"""Checks AWS Signature Version 4 of requests (docs.aws.amazon.com, "Authenticating Requests (AWS Signature Version
4)"): in the `Authorization` header, for the service `s3` and any region.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from notify.objects_api.access import Credentials
from notify.objects_api.faults import FaultError

ALGORITHM: Final = "AWS4-HMAC-SHA256"
LARGEST_SKEW: Final = timedelta(minutes=15)
UNSIGNED: Final = "UNSIGNED-PAYLOAD"
UNSIGNED_CHUNKS: Final = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

_AUTHORIZATION: Final = re.compile(
    rf"{ALGORITHM}\s+Credential=(?P<key>[^/,\s]+)/(?P<day>\d{{8}})/(?P<region>[\w-]+)/s3/aws4_request,\s*"
    r"SignedHeaders=(?P<headers>[a-z0-9;._-]+),\s*Signature=(?P<signature>[0-9a-f]{64})",
    re.ASCII,
)
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it was signed. `path` is decoded, names of `headers` are in lower case."""

    method: str
    path: str
    query: Iterable[tuple[str, str]]
    headers: Mapping[str, str]


def signed_names(authorization: str) -> list[str]:
    """The names of the signed headers, in the client's spelling: WSGI does not distinguish `-` and `_`."""
    match = _AUTHORIZATION.fullmatch(authorization.strip())
    return match["headers"].split(";") if match else []


def check(request: SignedRequest, credentials: Credentials, now: datetime) -> str:
    """Check the signature and the time of a request. Returns its claim about the body: the SHA-256 in hexadecimal,
    `UNSIGNED` or `UNSIGNED_CHUNKS`. Raises `FaultError`.
    """
    given = request.headers.get("authorization", "")
    if not given:
        raise FaultError("AccessDenied", "Access Denied", 403)
    match = _AUTHORIZATION.fullmatch(given.strip())
    if match is None:
        raise FaultError("AuthorizationHeaderMalformed", "The authorization header is malformed")
    moment, payload = request.headers.get("x-amz-date", ""), request.headers.get("x-amz-content-sha256", "")
    _check_moment(moment, match["day"], now)
    signed = match["headers"].split(";")
    _check_signed_headers(request, signed)
    if payload not in (UNSIGNED, UNSIGNED_CHUNKS) and not _SHA256.fullmatch(payload):
        raise FaultError("InvalidArgument", "x-amz-content-sha256 must be a SHA-256, or say that the body is unsigned")
    scope = f"{match['day']}/{match['region']}/s3/aws4_request"
    text = "\n".join((ALGORITHM, moment, scope, _sha256(_canonical(request, signed, payload))))
    expected = hmac.new(_signing_key(credentials.secret, scope), text.encode(), hashlib.sha256).hexdigest()
    is_known = hmac.compare_digest(match["key"].encode(), credentials.key.encode())
    if not hmac.compare_digest(expected, match["signature"]) or not is_known:
        raise FaultError("SignatureDoesNotMatch", "The request signature we calculated does not match yours", 403)
    return payload


def _check_moment(text: str, day: str, now: datetime) -> None:
    try:
        moment = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise FaultError("AccessDenied", "x-amz-date is missing or malformed", 403) from None
    if abs(now - moment) > LARGEST_SKEW or not text.startswith(day):
        raise FaultError("RequestTimeTooSkewed", "The time of the request is too far from ours", 403)


def _check_signed_headers(request: SignedRequest, signed: list[str]) -> None:
    needed = {"host", *(name for name in request.headers if name.startswith("x-amz-"))}
    if signed != sorted(set(signed)) or not needed.issubset(signed):
        raise FaultError("AccessDenied", "Host and every x-amz- header must be signed", 403)


def _canonical(request: SignedRequest, signed: Iterable[str], payload: str) -> str:
    query = sorted((_encoded(name), _encoded(value)) for name, value in request.query)
    return "\n".join(
        (
            request.method,
            quote(request.path, safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in query),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in signed),
            "",
            ";".join(signed),
            payload,
        )
    )


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
