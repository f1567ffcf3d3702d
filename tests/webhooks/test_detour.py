"""Redirecting callbacks temporarily."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.infra.parts import Parts
from notify.vocabulary import CallbackType
from notify.webhooks.actions import update_callback
from notify.webhooks.detour import Detour, divert, put_back
from notify.webhooks.errors import InvalidCallbackError
from notify.webhooks.models import CallbackApi
from notify.webhooks.signing import derived_secret
from tests.services.factory import a_service
from tests.webhooks.test_actions import created

OURS: dict[CallbackType, str] = {"delivery_status": "http://127.0.0.1:7/a", "inbound_sms": "http://127.0.0.1:7/b"}
BEFORE = "https://example.com/callbacks?a=1"


def urls(session: Session, service_id: UUID) -> dict[str, str]:
    rows = session.scalars(select(CallbackApi).where(CallbackApi.service_id == service_id))
    return {str(row.callback_type): row.url for row in rows}


def diverted(parts: Parts, session: Session, callback: CallbackApi) -> list[Detour]:
    return divert(
        session,
        parts.encryptor,
        service_id=callback.service_id,
        addresses=OURS,
        bearer_token="another token",
        updated_by_id=callback.updated_by_id,
        guarded=False,
    )


def test_what_there_was_comes_back_and_what_was_made_goes(parts: Parts) -> None:
    callback = created(parts)
    with parts.database.transaction() as session:
        detours = diverted(parts, session, callback)
        assert urls(session, callback.service_id) == OURS
        assert [one.before for one in detours] == [BEFORE, None]
        # the receiver of the one it had goes on verifying as before
        assert [one.signing_secret for one in detours] == [
            derived_secret("a token of some length"),
            derived_secret("another token"),
        ]
        back = {"service_id": callback.service_id, "updated_by_id": callback.updated_by_id}
        for _ in range(2):  # the second time there is nothing to put back
            put_back(session, parts.encryptor, detours, **back)
            assert urls(session, callback.service_id) == {"delivery_status": BEFORE}


def test_what_somebody_changed_meanwhile_stays(parts: Parts) -> None:
    callback = created(parts)
    with parts.database.transaction() as session:
        detours = diverted(parts, session, callback)
        for kind in OURS:
            update_callback(
                session,
                parts.encryptor,
                service_id=callback.service_id,
                callback_type=kind,
                updated_by_id=callback.updated_by_id,
                guarded=True,
                url="https://example.com/changed",
            )
        put_back(
            session,
            parts.encryptor,
            detours,
            service_id=callback.service_id,
            updated_by_id=callback.updated_by_id,
        )
        assert set(urls(session, callback.service_id).values()) == {"https://example.com/changed"}


def test_where_callbacks_are_guarded_none_is_led_to_this_machine(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        with pytest.raises(InvalidCallbackError):
            divert(
                session,
                parts.encryptor,
                service_id=service.id,
                addresses=OURS,
                bearer_token="another token",
                updated_by_id=service.created_by_id,
                guarded=True,
            )
