import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.infra.secrets import BadSignatureError, Encryptor, Signer, UndecipherableError

OLD, NEW = Encryptor(["old"]), Encryptor(["old", "new"])


@given(st.text())
def test_what_is_encrypted_comes_back(text: str) -> None:
    sealed = NEW.encrypt(text)
    assert NEW.decrypt(sealed) == text
    assert sealed != NEW.encrypt(text)
    assert len(text) < 4 or text.encode() not in sealed


def test_an_old_secret_still_opens_after_a_new_one_came() -> None:
    assert NEW.decrypt(OLD.encrypt("x")) == "x"
    with pytest.raises(UndecipherableError, match="not configured"):
        OLD.decrypt(NEW.encrypt("x"))


def test_damage_is_noticed() -> None:
    sealed = bytearray(NEW.encrypt("hello"))
    sealed[-1] ^= 1
    with pytest.raises(UndecipherableError, match="damaged"):
        NEW.decrypt(bytes(sealed))


def test_objects_and_nothing() -> None:
    assert NEW.decrypt_json(NEW.encrypt_json({"a": [1, None]})) == {"a": [1, None]}
    assert NEW.decrypt_json(None) == {}


def test_nonces_are_given_out_once() -> None:
    encryptor = Encryptor(["x"])
    assert len({encryptor.encrypt("")[:17] for _ in range(2000)}) == 2000


def test_signatures() -> None:
    signer = Signer(["secret"], "salt")
    assert signer.read(signer.sign({"a": 1})) == {"a": 1}
    for other in (Signer(["other"], "salt"), Signer(["secret"], "other")):
        with pytest.raises(BadSignatureError):
            other.read(signer.sign("x"))
