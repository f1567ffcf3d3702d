"""Passwords are kept as Argon2id hashes (RFC 9106), with the library's recommended cost."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """A hash to keep in place of the password; differs every time. Takes tens of milliseconds, on purpose."""
    return _hasher.hash(password.encode("utf-8", "surrogatepass"))


def is_password(hashed: str, password: str) -> bool:
    """Whether this is the password that was hashed. False also for a damaged hash."""
    try:
        return _hasher.verify(hashed, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
