"""Encryption of personal data at rest, and signatures of what travels outside.

Encryption is AES-256-GCM (NIST SP 800-38D) with keys derived by HKDF-SHA256 (RFC 5869) from `SECRET_KEY`. A stored
value is `version (1 byte) | key id (4) | nonce (12) | ciphertext and tag`. Several secrets may be configured: the last
one encrypts, all of them decrypt, so that a secret can be rotated without a stop.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from itsdangerous import BadData, URLSafeSerializer

from notify.infra.json_values import dump_json, parse_json

VERSION = b"\x01"
KEY_ID_BYTES = 4
NONCE_BYTES = 12
HEADER_BYTES = len(VERSION) + KEY_ID_BYTES + NONCE_BYTES


class UndecipherableError(Exception):
    """A stored value was encrypted with a secret that is no longer configured, or was damaged."""


class BadSignatureError(Exception):
    """A signed value was not made with our secrets."""


def _derive(secret: str) -> tuple[bytes, AESGCM]:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"notify data at rest").derive(secret.encode())
    digest = Hash(SHA256())
    digest.update(key)
    return digest.finalize()[:KEY_ID_BYTES], AESGCM(key)


class _Nonces:
    """Nonces from the system's random source, fetched many at a time: a call to the system gives the interpreter to
    another thread, which is dear where every request needs some.
    """

    AT_A_TIME = 256

    def __init__(self) -> None:
        self._ready: deque[bytes] = deque()
        os.register_at_fork(after_in_child=self._ready.clear)

    def next(self) -> bytes:
        """Twelve bytes that are given out once."""
        try:
            return self._ready.popleft()
        except IndexError:
            fresh = os.urandom(NONCE_BYTES * self.AT_A_TIME)
            self._ready.extend(fresh[at : at + NONCE_BYTES] for at in range(NONCE_BYTES, len(fresh), NONCE_BYTES))
            return fresh[:NONCE_BYTES]


class Encryptor:
    """Encrypts and decrypts values at rest with the configured secrets."""

    def __init__(self, secrets: Sequence[str]) -> None:
        pairs = [_derive(secret) for secret in secrets]
        self._ciphers = dict(pairs)
        current_id, self._current = pairs[-1]
        self._header = VERSION + current_id
        self._nonces = _Nonces()

    def encrypt(self, text: str) -> bytes:
        """`text` as bytes that only these secrets open. Two calls never give the same bytes."""
        nonce = self._nonces.next()
        return self._header + nonce + self._current.encrypt(nonce, text.encode("utf-8", "surrogatepass"), None)

    def decrypt(self, value: bytes) -> str:
        """The text in `value`. Raises `UndecipherableError`."""
        cipher = self._ciphers.get(value[1 : 1 + KEY_ID_BYTES])
        if cipher is None or value[:1] != VERSION:
            raise UndecipherableError("the value was encrypted with a secret that is not configured")
        try:
            plain = cipher.decrypt(value[1 + KEY_ID_BYTES : HEADER_BYTES], value[HEADER_BYTES:], None)
        except InvalidTag:
            raise UndecipherableError("the value was damaged") from None
        return plain.decode("utf-8", "surrogatepass")

    def encrypt_json(self, value: Any) -> bytes:
        """As `encrypt`, of the JSON form of `value`."""
        return self.encrypt(dump_json(value).decode())

    def decrypt_json(self, value: bytes | None) -> Any:
        """As `decrypt`, read as JSON. Null gives an empty object."""
        return {} if value is None else parse_json(self.decrypt(value))


class Signer:
    """Signed, readable, URL-safe values (contract: public-api 1.6, "signing")."""

    def __init__(self, secrets: Sequence[str], salt: str) -> None:
        self._serializer = URLSafeSerializer(list(secrets), salt=salt)

    def sign(self, payload: Any) -> str:
        """The payload with its signature."""
        text = self._serializer.dumps(payload)
        return text if isinstance(text, str) else text.decode()

    def read(self, signed: str) -> Any:
        """The payload of a signed value. Raises `BadSignatureError`."""
        try:
            return self._serializer.loads(signed)
        except BadData:
            raise BadSignatureError("the signature does not match") from None
