"""Encrypts personal data at rest, and signs values that leave the platform.

Encryption is AES-256-GCM (NIST SP 800-38D). A stored value is
`version 2 (1 byte) | key id (4) | period (2) | nonce (12) | ciphertext and tag`.

- Each table has a key for each period of 30 days, derived by HKDF-SHA256 (RFC 5869) from a configured key. So no
  derived key comes near the 2^32 random nonces that NIST allows.
- Table, column and row id are the associated data: a value copied into another row or column cannot be decrypted.
- Several keys may be configured. The last one encrypts, all of them decrypt, so a key can be replaced without downtime.

Version 1, without period and associated data, is only read. `notify rotate-secrets` rewrites it
(docs/decisions/0017-keys-of-data-at-rest.md).
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from itsdangerous import BadData, URLSafeSerializer

from notify.infra.json_values import dump_json, parse_json

VERSION_1: Final = b"\x01"
VERSION_2: Final = b"\x02"
KEY_ID_BYTES: Final = 4
PERIOD_BYTES: Final = 2
NONCE_BYTES: Final = 12
KEY_END: Final = 1 + KEY_ID_BYTES
PERIOD_END: Final = KEY_END + PERIOD_BYTES
HEADER_1_BYTES: Final = KEY_END + NONCE_BYTES
HEADER_2_BYTES: Final = PERIOD_END + NONCE_BYTES

PERIOD_SECONDS: Final = 30 * 24 * 3600
MOST_CIPHERS: Final = 2000
"""Derived keys cached for reading: enough for ten tables and over ten years."""


class UndecipherableError(Exception):
    """A stored value has a key that is not configured, comes from another row or column, or is damaged."""


class BadSignatureError(Exception):
    """A signed value was not made with our secrets."""


class EncryptedColumn(NamedTuple):
    """A column whose values are encrypted. A history table holds copies under the name of the table they are from."""

    table: str
    column: str


ENCRYPTED: Final = "encrypted"
"""Key of the `EncryptedColumn` in the `info` of a mapped column, where `notify rotate-secrets` finds it."""


class _Key:
    """A configured key: its id in stored values, and the keys derived from it."""

    def __init__(self, secret: str) -> None:
        version_1 = _expand(secret, b"notify data at rest")
        self.id_1 = _digest(version_1)[:KEY_ID_BYTES]
        self.cipher_1 = AESGCM(version_1)
        self._root = _expand(secret, b"notify data at rest, version 2")
        self.id = _digest(self._root)[:KEY_ID_BYTES]

    def cipher(self, table: str, period: bytes) -> AESGCM:
        """The cipher of a table in a period."""
        info = b"notify table key\0" + period + table.encode()
        return AESGCM(HKDFExpand(algorithm=SHA256(), length=32, info=info).derive(self._root))


def _expand(secret: str, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret.encode())


def _digest(value: bytes) -> bytes:
    digest = Hash(SHA256())
    digest.update(value)
    return digest.finalize()


class _Nonces:
    """Nonces from the system's random source, fetched many at a time: each system call releases the GIL, which is
    expensive if every request needs several.
    """

    AT_A_TIME = 256

    def __init__(self) -> None:
        self._ready: deque[bytes] = deque()
        os.register_at_fork(after_in_child=self._ready.clear)

    def next(self) -> bytes:
        """Twelve bytes, different at each call."""
        try:
            return self._ready.popleft()
        except IndexError:
            fresh = os.urandom(NONCE_BYTES * self.AT_A_TIME)
            self._ready.extend(fresh[at : at + NONCE_BYTES] for at in range(NONCE_BYTES, len(fresh), NONCE_BYTES))
            return fresh[:NONCE_BYTES]


class _Sealer(NamedTuple):
    """Encrypts the values of a column until the period ends."""

    cipher: AESGCM
    header: bytes
    place: bytes
    ends_at: float


class Encryptor:
    """Encrypts and decrypts values at rest with the configured keys. Safe to share between threads."""

    def __init__(
        self, keys: Sequence[str], *, only_read: Sequence[str] = (), now: Callable[[], float] = time.time
    ) -> None:
        """The last of `keys` encrypts; all of them, and those of `only_read`, decrypt."""
        known = [_Key(secret) for secret in dict.fromkeys((*only_read, *keys))]
        current = _Key(keys[-1])
        self._current = current
        self._keys = {key.id: key for key in known}
        self._ciphers_1 = {key.id_1: key.cipher_1 for key in known}
        self._ciphers_2: dict[tuple[bytes, str], AESGCM] = {}
        self._sealers: dict[EncryptedColumn, _Sealer] = {}
        self._places: dict[EncryptedColumn, bytes] = {}
        self._nonces = _Nonces()
        self._now = now

    @property
    def current_header(self) -> bytes:
        """The first bytes of values that `encrypt` makes now: version and key id. Values with others need rotation."""
        return VERSION_2 + self._current.id

    def encrypt(self, text: str, column: EncryptedColumn, row_id: UUID) -> bytes:
        """`text` as bytes that only our keys decrypt, and only for this row of this column. Each call returns different
        bytes.
        """
        sealer = self._sealers.get(column)
        if sealer is None or self._now() >= sealer.ends_at:
            sealer = self._make_sealer(column)
        nonce = self._nonces.next()
        sealed = sealer.cipher.encrypt(nonce, text.encode("utf-8", "surrogatepass"), sealer.place + row_id.bytes)
        return sealer.header + nonce + sealed

    def decrypt(self, value: bytes, column: EncryptedColumn, row_id: UUID) -> str:
        """The text in `value`, which was read from this row of this column. Raises `UndecipherableError`."""
        try:
            if value[:1] == VERSION_2:
                cipher = self._ciphers_2.get((value[1:PERIOD_END], column.table)) or self._read_cipher(value, column)
                place = self._places.get(column) or self._place(column)
                nonce, sealed = value[PERIOD_END:HEADER_2_BYTES], value[HEADER_2_BYTES:]
                plain = cipher.decrypt(nonce, sealed, place + row_id.bytes)
            else:
                plain = self._decrypt_version_1(value)
        except (InvalidTag, ValueError):  # ValueError: it is truncated
            raise UndecipherableError("the value was damaged, or is from another place") from None
        return plain.decode("utf-8", "surrogatepass")

    def encrypt_json(self, value: Any, column: EncryptedColumn, row_id: UUID) -> bytes:
        """As `encrypt`, for `value` as JSON."""
        return self.encrypt(dump_json(value).decode(), column, row_id)

    def decrypt_json(self, value: bytes | None, column: EncryptedColumn, row_id: UUID) -> Any:
        """As `decrypt`, for JSON. None gives an empty object."""
        return {} if value is None else parse_json(self.decrypt(value, column, row_id))

    def _make_sealer(self, column: EncryptedColumn) -> _Sealer:
        number = int(self._now() // PERIOD_SECONDS)
        period = number.to_bytes(PERIOD_BYTES)
        cipher = self._current.cipher(column.table, period)
        header = self.current_header + period
        sealer = _Sealer(cipher, header, self._place(column), (number + 1) * PERIOD_SECONDS)
        self._sealers[column] = sealer
        return sealer

    def _read_cipher(self, value: bytes, column: EncryptedColumn) -> AESGCM:
        key = self._keys.get(value[1:KEY_END])
        if key is None:
            raise UndecipherableError("the value was encrypted with a key that is not configured")
        cipher = key.cipher(column.table, value[KEY_END:PERIOD_END])
        if len(self._ciphers_2) >= MOST_CIPHERS:
            self._ciphers_2.clear()
        self._ciphers_2[value[1:PERIOD_END], column.table] = cipher
        return cipher

    def _decrypt_version_1(self, value: bytes) -> bytes:
        cipher = self._ciphers_1.get(value[1:KEY_END])
        if cipher is None or value[:1] != VERSION_1:
            raise UndecipherableError("the value was encrypted with a key that is not configured")
        return cipher.decrypt(value[KEY_END:HEADER_1_BYTES], value[HEADER_1_BYTES:], None)

    def _place(self, column: EncryptedColumn) -> bytes:
        place = f"{column.table}\0{column.column}\0".encode()
        self._places[column] = place
        return place


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
