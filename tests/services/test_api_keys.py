"""Creating and revoking API keys."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import func, select

from notify.infra.errors import NotFoundProblemError
from notify.infra.parts import Parts
from notify.services.api_keys import create_api_key, full_api_key, revoke_api_key
from notify.services.errors import (
    DuplicateApiKeyNameError,
    InvalidApiKeyError,
)
from notify.services.models import API_KEY_SECRET, ApiKey, ApiKeyHistory
from tests.services.factory import a_service

APRIL = datetime(2026, 4, 1, tzinfo=UTC)


class TestApiKeys:
    def test_full_key_is_what_client_libraries_cut_up(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)
            made = create_api_key(
                session,
                parts.encryptor,
                service_id=service.id,
                name="Café key",
                key_type="normal",
                created_by_id=service.created_by_id,
            )
            stored = session.get_one(ApiKey, made.key.id)
            history = session.get_one(ApiKeyHistory, (made.key.id, 1))
        assert made.full[:-74] == "cafe_key"
        assert made.full[-73:-37] == str(service.id)
        secret = made.full[-36:]
        assert str(UUID(secret)) == secret
        assert secret.encode() not in stored.secret
        assert parts.encryptor.decrypt(stored.secret, API_KEY_SECRET, stored.id) == secret
        assert history.secret == stored.secret
        assert full_api_key("Café key", service.id, secret) == made.full

    def test_name_is_free_again_once_revoked(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service = a_service(session)

            def make(name: str) -> ApiKey:
                return create_api_key(
                    session,
                    parts.encryptor,
                    service_id=service.id,
                    name=name,
                    key_type="test",
                    created_by_id=service.created_by_id,
                ).key

            first = make("key")
            make("Key")
            revoke_api_key(session, service.id, first.id, now=APRIL)
            make("key")
            assert (first.expiry_date, first.version, first.updated_at) == (APRIL, 2, APRIL)
            assert session.get_one(ApiKeyHistory, (first.id, 2)).expiry_date == APRIL
            assert session.get_one(ApiKeyHistory, (first.id, 1)).expiry_date is None
            with pytest.raises(DuplicateApiKeyNameError):
                make("key")

    def test_key_of_another_service_is_not_found(self, parts: Parts) -> None:
        with parts.database.transaction() as session:
            service, other = a_service(session), a_service(session)
            key = create_api_key(
                session,
                parts.encryptor,
                service_id=service.id,
                name="k",
                key_type="test",
                created_by_id=service.created_by_id,
            ).key
            with pytest.raises(NotFoundProblemError):
                revoke_api_key(session, other.id, key.id)
            assert key.expiry_date is None

    @pytest.mark.parametrize(("name", "key_type"), [("k", "live"), ("x" * 256, "test")])
    def test_refused(self, parts: Parts, name: str, key_type: str) -> None:
        with parts.database.session() as session:
            service = a_service(session)
            with pytest.raises(InvalidApiKeyError):
                create_api_key(
                    session,
                    parts.encryptor,
                    service_id=service.id,
                    name=name,
                    key_type=key_type,
                    created_by_id=service.created_by_id,
                )

    def test_revoked_by_two_at_the_same_time_gives_two_versions(self, own_parts: Parts) -> None:
        with own_parts.database.transaction() as session:
            service = a_service(session)
            key = create_api_key(
                session,
                own_parts.encryptor,
                service_id=service.id,
                name="k",
                key_type="test",
                created_by_id=service.created_by_id,
            ).key

        def revoke(_: int) -> int:
            with own_parts.database.transaction() as session:
                return revoke_api_key(session, service.id, key.id).version

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(revoke, range(4))) == [2, 3, 4, 5]
        with own_parts.database.session() as session:
            count = session.scalar(select(func.count()).where(ApiKeyHistory.id == key.id))
        assert count == 5
