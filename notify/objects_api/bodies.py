"""Bodies of uploads, checked against their hashes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Final

from notify.objects_api.faults import FaultError
from notify.objects_api.signatures import UNSIGNED, UNSIGNED_CHUNKS

_CHUNK_SIZE: Final = re.compile(rb"([0-9a-fA-F]{1,8})(?:;[^\r\n]*)?", re.ASCII)

_CHECKSUMS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "x-amz-checksum-crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "x-amz-checksum-sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "x-amz-checksum-sha256": lambda body: hashlib.sha256(body).digest(),
    "content-md5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
}
"""Checksum function of each header. Other checksums are not checked, and not in the answer."""


def crc32(body: bytes) -> str:
    """The checksum that S3 sends with a whole object."""
    return base64.b64encode(_CHECKSUMS["x-amz-checksum-crc32"](body)).decode()


def checked(body: bytes, headers: Mapping[str, str], payload: str) -> bytes:
    """The content of an upload: the body without chunk headers. `payload` is the signed value about it.

    Raises `FaultError` if a hash does not match.
    """
    given = dict(headers)
    if payload == UNSIGNED_CHUNKS:
        body, trailers = _joined(body)
        given |= trailers
    elif payload != UNSIGNED and not hmac.compare_digest(hashlib.sha256(body).hexdigest(), payload):
        raise FaultError("XAmzContentSHA256Mismatch", "The SHA-256 that was signed is not that of the body")
    for name, make in _CHECKSUMS.items():
        if name in given and _decoded(given[name]) != make(body):
            raise FaultError("BadDigest", f"{name} is not that of the body")
    return body


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise FaultError("InvalidDigest", "A checksum is not in base 64") from None


def _joined(body: bytes) -> tuple[bytes, dict[str, str]]:
    """The content of chunks (`aws-chunked`), and the headers that follow the last of them."""
    content, position = bytearray(), 0
    while True:
        end = body.find(b"\r\n", position)
        match = _CHUNK_SIZE.fullmatch(body[position:end]) if end >= 0 else None
        if match is None:
            raise FaultError("IncompleteBody", "The chunks of the body are malformed")
        size = int(match[1], 16)
        position = end + 2
        if not size:
            return bytes(content), _trailers(body[position:])
        if body[position + size : position + size + 2] != b"\r\n":
            raise FaultError("IncompleteBody", "The body ends within a chunk")
        content += body[position : position + size]
        position += size + 2


def _trailers(text: bytes) -> dict[str, str]:
    lines = text.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
