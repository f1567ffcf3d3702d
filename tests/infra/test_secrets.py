"""Encryption of data at rest: keys, places, versions; signatures."""

from __future__ import annotations

import os
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from notify.infra.secrets import (
    PERIOD_SECONDS,
    BadSignatureError,
    EncryptedColumn,
    Encryptor,
    Signer,
    UndecipherableError,
)

OLD, NEW = Encryptor(["old"]), Encryptor(["old", "new"])
TO, OTHER_COLUMN = EncryptedColumn("messages", "to"), EncryptedColumn("messages", "from")
OTHER_TABLE = EncryptedColumn("letters", "to")
ROW, OTHER_ROW = UUID(int=1), UUID(int=2)


def version_1(secret: str, text: str) -> bytes:
    """A value as it was written before values were bound to their place."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"notify data at rest").derive(secret.encode())
    digest = Hash(SHA256())
    digest.update(key)
    nonce = os.urandom(12)
    return b"\x01" + digest.finalize()[:4] + nonce + AESGCM(key).encrypt(nonce, text.encode(), None)


@given(st.text())
def test_what_is_encrypted_comes_back(text: str) -> None:
    sealed = NEW.encrypt(text, TO, ROW)
    assert NEW.decrypt(sealed, TO, ROW) == text
    assert sealed != NEW.encrypt(text, TO, ROW)
    assert len(text) < 4 or text.encode() not in sealed


def test_an_old_key_still_opens_after_a_new_one_came() -> None:
    assert NEW.decrypt(OLD.encrypt("x", TO, ROW), TO, ROW) == "x"
    with pytest.raises(UndecipherableError, match="not configured"):
        OLD.decrypt(NEW.encrypt("x", TO, ROW), TO, ROW)


def test_a_key_that_only_reads_does_not_encrypt() -> None:
    encryptor = Encryptor(["new"], only_read=["old"])
    assert encryptor.decrypt(OLD.encrypt("x", TO, ROW), TO, ROW) == "x"
    assert NEW.decrypt(encryptor.encrypt("x", TO, ROW), TO, ROW) == "x"
    with pytest.raises(UndecipherableError):
        OLD.decrypt(encryptor.encrypt("x", TO, ROW), TO, ROW)


@pytest.mark.parametrize(("column", "row"), [(OTHER_COLUMN, ROW), (OTHER_TABLE, ROW), (TO, OTHER_ROW)])
def test_a_value_that_was_moved_does_not_open(column: EncryptedColumn, row: UUID) -> None:
    sealed = NEW.encrypt("x", TO, ROW)
    with pytest.raises(UndecipherableError, match="another place"):
        NEW.decrypt(sealed, column, row)


def test_values_of_the_first_version_are_read() -> None:
    assert NEW.decrypt(version_1("old", "x"), TO, ROW) == "x"
    assert Encryptor(["new"], only_read=["old"]).decrypt(version_1("old", "x"), TO, ROW) == "x"
    with pytest.raises(UndecipherableError, match="not configured"):
        OLD.decrypt(version_1("another", "x"), TO, ROW)
    assert not version_1("old", "x").startswith(OLD.current_header)
    assert OLD.encrypt("x", TO, ROW).startswith(OLD.current_header)


def test_the_derived_key_changes_with_time_and_old_values_open() -> None:
    moment = 1_800_000_000.0
    encryptor = Encryptor(["key"], now=lambda: moment)
    first = encryptor.encrypt("x", TO, ROW)
    moment += PERIOD_SECONDS
    second = encryptor.encrypt("x", TO, ROW)
    assert first[5:7] != second[5:7]
    assert encryptor.decrypt(first, TO, ROW) == encryptor.decrypt(second, TO, ROW) == "x"
    relabelled = first[:5] + second[5:7] + first[7:]
    with pytest.raises(UndecipherableError):
        encryptor.decrypt(relabelled, TO, ROW)


def test_damage_is_noticed() -> None:
    for sealed in (NEW.encrypt("hello", TO, ROW), version_1("old", "hello")):
        with pytest.raises(UndecipherableError, match="damaged"):
            NEW.decrypt(sealed[:-1] + bytes([sealed[-1] ^ 1]), TO, ROW)
        for length in range(len(sealed)):
            with pytest.raises(UndecipherableError):
                NEW.decrypt(sealed[:length], TO, ROW)


def test_objects_and_nothing() -> None:
    assert NEW.decrypt_json(NEW.encrypt_json({"a": [1, None]}, TO, ROW), TO, ROW) == {"a": [1, None]}
    assert NEW.decrypt_json(None, TO, ROW) == {}


def test_nonces_are_given_out_once() -> None:
    encryptor = Encryptor(["x"])
    assert len({encryptor.encrypt("", TO, ROW)[:19] for _ in range(2000)}) == 2000


def test_signatures() -> None:
    signer = Signer(["secret"], "salt")
    assert signer.read(signer.sign({"a": 1})) == {"a": 1}
    for other in (Signer(["other"], "salt"), Signer(["secret"], "other")):
        with pytest.raises(BadSignatureError):
            other.read(signer.sign("x"))
