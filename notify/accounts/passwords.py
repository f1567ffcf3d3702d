"""Passwords are kept as Argon2id hashes (RFC 9106), with the library's recommended cost.

Hashes of older installations are bcrypt of the first 72 bytes (contract: internal-users 1.1). They are still accepted;
`must_rehash` tells the caller to replace such a hash while it has the password.
"""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
_BCRYPT_PREFIXES: Final = ("$2a$", "$2b$", "$2y$")
_BCRYPT_BYTES: Final = 72


def hash_password(password: str) -> str:
    """A salted hash to store in place of the password. Takes tens of milliseconds on purpose."""
    return _hasher.hash(_encoded(password))


def is_password(hashed: str, password: str) -> bool:
    """Whether this password was hashed. False also for a damaged hash."""
    if hashed.startswith(_BCRYPT_PREFIXES):
        return _is_bcrypt_password(hashed, password)
    try:
        return _hasher.verify(hashed, _encoded(password))
    except (VerificationError, InvalidHashError):
        return False


def must_rehash(hashed: str) -> bool:
    """Whether a hash is of an older kind, or was made with a lower cost than new ones."""
    try:
        return _hasher.check_needs_rehash(hashed)
    except InvalidHashError:
        return True


def _is_bcrypt_password(hashed: str, password: str) -> bool:
    import bcrypt  # only for old hashes

    encoded = _encoded(password)[:_BCRYPT_BYTES]
    try:
        return bcrypt.checkpw(encoded, hashed.encode("ascii"))
    except ValueError:  # a damaged hash, or a password with a zero byte
        return False


def _encoded(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
