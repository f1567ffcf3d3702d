"""Signatures, verified with the reference library of the specification."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from notify.infra.times import utc_now
from notify.webhooks.signing import PREFIX, derived_secret, secret_bytes, signature_headers


@given(st.text(min_size=1), st.dictionaries(st.text(), st.text()))
def test_the_receiver_verifies_with_what_it_has(token: str, payload: dict[str, str]) -> None:
    import orjson

    token = token.encode("utf-8", "replace").decode()
    secret = derived_secret(token)
    body = orjson.dumps({key.encode("utf-8", "replace").decode(): "x" for key in payload})
    headers = signature_headers(secret_bytes(secret), "delivery_status-1", utc_now(), body)
    assert Webhook(secret).verify(body, headers) == orjson.loads(body)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(derived_secret(token + "x")).verify(body, headers)


def test_an_old_call_cannot_be_played_again() -> None:
    secret = derived_secret("a bearer token")
    headers = signature_headers(secret_bytes(secret), "delivery_status-1", utc_now() - timedelta(minutes=6), b"{}")
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(secret).verify(b"{}", headers)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        PREFIX,
        "x" * 40,
        PREFIX + "!!",
        PREFIX + b64encode(b"x" * 23).decode(),
        PREFIX + b64encode(b"x" * 65).decode(),
    ],
)
def test_secrets_that_are_none(secret: str) -> None:
    with pytest.raises(ValueError, match="24 to 64 bytes"):
        secret_bytes(secret)


def test_a_secret_of_ones_own() -> None:
    key = bytes(range(32))
    assert secret_bytes(PREFIX + b64encode(key).decode()) == key
