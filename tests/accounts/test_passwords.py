"""Passwords at rest."""

from __future__ import annotations

import pytest

from notify.accounts.passwords import hash_password, is_password


@pytest.mark.parametrize("password", ["correct horse", "", "pässwörd ☃", "x" * 500, "nul\0inside", "\ud800"])
def test_only_the_password_itself_fits(password: str) -> None:
    hashed = hash_password(password)
    assert hashed.startswith("$argon2id$")
    assert is_password(hashed, password)
    assert not is_password(hashed, password + "x")
    assert not is_password(hashed, "x" + password)


def test_two_hashes_of_a_password_differ() -> None:
    assert hash_password("same") != hash_password("same")


@pytest.mark.parametrize("damaged", ["", "x", "$argon2id$v=19$m=65536,t=3,p=4$AAAA", "plain text"])
def test_a_damaged_hash_matches_no_password(damaged: str) -> None:
    assert not is_password(damaged, "password")
