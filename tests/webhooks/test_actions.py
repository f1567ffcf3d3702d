from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from sqlalchemy import select

from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.webhooks.actions import create_callback, delete_callback, signing_secret, update_callback
from notify.webhooks.errors import DuplicateCallbackError, InvalidCallbackError, NoCallbackError
from notify.webhooks.models import BEARER_TOKEN, CallbackApi, CallbackApiHistory
from notify.webhooks.signing import derived_secret
from tests.services.factory import a_service

URL = "https://example.com/callbacks?a=1"
TOKEN = "a token of some length"
OWN = "whsec_" + b64encode(b"k" * 32).decode()


def created(parts: Parts, **changes: Any) -> CallbackApi:
    with parts.database.transaction() as session:
        service = a_service(session)
        values: dict[str, Any] = {
            "service_id": service.id,
            "callback_type": "delivery_status",
            "url": URL,
            "bearer_token": TOKEN,
            "updated_by_id": service.created_by_id,
            "guarded": True,
        }
        return create_callback(session, parts.encryptor, **(values | changes))


def test_a_callback_is_kept_encrypted_and_with_its_versions(parts: Parts) -> None:
    callback = created(parts)
    assert TOKEN.encode() not in callback.bearer_token
    assert parts.encryptor.decrypt(callback.bearer_token, BEARER_TOKEN, callback.id) == TOKEN
    assert signing_secret(callback, parts.encryptor) == derived_secret(TOKEN)
    where = {"service_id": callback.service_id, "callback_type": "delivery_status"}
    with parts.database.transaction() as session:
        update_callback(
            session,
            parts.encryptor,
            **where,  # type: ignore[arg-type]
            updated_by_id=callback.updated_by_id,
            guarded=True,
            url="https://example.com/new",
            signing_secret=OWN,
        )
    with parts.database.session() as session:
        changed = session.scalars(select(CallbackApi).where(CallbackApi.id == callback.id)).one()
        assert (changed.url, changed.version) == ("https://example.com/new", 2)
        assert changed.updated_at is not None
        assert parts.encryptor.decrypt(changed.bearer_token, BEARER_TOKEN, changed.id) == TOKEN
        assert signing_secret(changed, parts.encryptor) == OWN
        versions = session.scalars(select(CallbackApiHistory).order_by(CallbackApiHistory.version)).all()
        assert [row.url for row in versions] == [URL, "https://example.com/new"]
        delete_callback(session, **where)  # type: ignore[arg-type]
        with pytest.raises(NoCallbackError, match="Service delivery receipt API not found"):
            delete_callback(session, **where)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://example.com",
        "HTTPS://example.com",
        "https://",
        "https://exa mple.com",
        "https://user:password@example.com",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://example.com/ü",
        "httpsx://example.com",
        "https://example.com:99999",
    ],
)
def test_addresses_that_cannot_be_called(parts: Parts, url: str) -> None:
    with pytest.raises(InvalidCallbackError, match="url is not a valid https url"):
        created(parts, url=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:80/x", "http://localhost", "https://10.0.0.1/"])
def test_in_development_any_address_does(parts: Parts, url: str) -> None:
    assert created(parts, url=url, guarded=False).url == url


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"bearer_token": "short"}, InvalidCallbackError),
        ({"bearer_token": "with a\nline of its own"}, InvalidCallbackError),
        ({"callback_type": "fax"}, InvalidCallbackError),
        ({"signing_secret": "whsec_short"}, InvalidCallbackError),
        ({"service_id": new_id()}, NotFoundProblemError),
        ({"updated_by_id": new_id()}, NotFoundProblemError),
    ],
)
def test_refusals(parts: Parts, changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        created(parts, **changes)
    with parts.database.session() as session:
        assert session.scalars(select(CallbackApi)).all() == []


def test_one_of_a_kind(parts: Parts) -> None:
    first = created(parts)
    created(parts, service_id=first.service_id, callback_type="inbound_sms")
    with pytest.raises(DuplicateCallbackError):
        created(parts, service_id=first.service_id)
