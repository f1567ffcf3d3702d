"""The demo service and its dev.json."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from notify.accounts.actions import MEMBER_PERMISSIONS
from notify.accounts.models import User
from notify.accounts.passwords import is_password
from notify.accounts.queries import permissions_in_service
from notify.cli.demo import ensure_demo
from notify.infra.parts import Parts
from notify.infra.secrets import Encryptor
from notify.services import queries
from notify.services.api_keys import revoke_api_key
from notify.services.models import ApiKey, Service
from notify.templates.queries import load_template
from notify.vocabulary import SERVICE_PERMISSIONS
from tests.services.factory import a_service


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "demo" / "dev.json"


def services(parts: Parts) -> int:
    with parts.database.session() as session:
        return session.scalar(select(func.count()).select_from(Service)) or 0


def test_file(parts: Parts, path: Path) -> None:
    demo = ensure_demo(parts, path)
    assert json.loads(path.read_text()) == demo
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert set(demo) == {
        "api_url",
        "admin_client",
        "user",
        "service_id",
        "api_keys",
        "templates",
        "sms_sender_id",
        "email_reply_to_id",
        "objects",
    }
    assert demo["objects"]["endpoint"] == f"{parts.settings.api_host_name}/objects"
    assert demo["api_url"] == parts.settings.api_host_name
    assert demo["admin_client"] == {"id": "notify-admin", "secret": "dev-notify-secret-key"}
    assert set(demo["user"]) == {"id", "email_address", "password", "mobile_number"}


def test_everything_the_file_names_is_there(parts: Parts, path: Path) -> None:
    demo = ensure_demo(parts, path)
    service_id = UUID(demo["service_id"])
    with parts.database.session() as session:
        service = queries.load_service(session, service_id, parts.encryptor)
        assert service is not None
        assert (service.active, service.restricted) == (True, False)
        assert service.permissions == set(SERVICE_PERMISSIONS) - {"broadcast"}
        assert service.contact_link
        assert {key.key_type: f"demo_{key.key_type}-{service_id}-{key.secret}" for key in service.api_keys} == demo[
            "api_keys"
        ]
        for kind, template_id in demo["templates"].items():
            template = load_template(session, service_id, UUID(template_id))
            assert template is not None
            assert template.type == kind
            assert "((" in template.content
        sender = queries.sms_sender(session, service_id, UUID(demo["sms_sender_id"]))
        assert sender
        assert sender != queries.default_sms_sender(session, service_id)
        assert queries.reply_to(session, service_id, UUID(demo["email_reply_to_id"])) == "replies@example.com"
        assert {"07700900456", "guest@example.com"} <= set(queries.allowed_recipients(session, service_id))
        assert queries.inbound_number(session, service_id)

        user = session.get_one(User, UUID(demo["user"]["id"]))
        assert (user.state, user.platform_admin, user.auth_type) == ("active", True, "sms_auth")
        assert (user.email_address, user.mobile_number) == (
            demo["user"]["email_address"],
            demo["user"]["mobile_number"],
        )
        assert is_password(user.password, demo["user"]["password"])
        assert permissions_in_service(session, user.id, service_id) == sorted(MEMBER_PERMISSIONS)


def test_later_starts_keep_it(parts: Parts, path: Path) -> None:
    demo = ensure_demo(parts, path)
    written = path.stat().st_mtime_ns
    assert ensure_demo(parts, path) == demo
    assert path.stat().st_mtime_ns == written
    assert services(parts) == 2


def test_another_port_is_printed(parts: Parts, path: Path) -> None:
    demo = ensure_demo(parts, path)
    moved = replace(parts, settings=parts.settings.model_copy(update={"api_host_name": "http://localhost:7000"}))
    objects = demo["objects"] | {"endpoint": "http://localhost:7000/objects"}
    assert ensure_demo(moved, path) == demo | {"api_url": "http://localhost:7000", "objects": objects}
    assert json.loads(path.read_text())["api_url"] == "http://localhost:7000"


@pytest.mark.parametrize("damage", [None, "", "{", "[]", '{"user": 1}', '{"user": {"id": "someone else"}}'])
def test_a_lost_file_is_written_again(parts: Parts, path: Path, damage: str | None) -> None:
    demo = ensure_demo(parts, path)
    if damage is None:
        path.unlink()
    else:
        path.write_text(damage)
    again = ensure_demo(parts, path)
    assert json.loads(path.read_text()) == again
    assert path.stat().st_mode & 0o777 == 0o600
    assert without_password(again) == without_password(demo)
    with parts.database.session() as session:
        user = session.get_one(User, UUID(demo["user"]["id"]))
    assert is_password(user.password, again["user"]["password"])
    assert not is_password(user.password, demo["user"]["password"])


def without_password(demo: dict[str, Any]) -> dict[str, Any]:
    return demo | {"user": demo["user"] | {"password": None}}


def test_file_of_an_older_database_is_replaced(parts: Parts, path: Path) -> None:
    path.parent.mkdir(parents=True)
    older = ensure_demo(parts, path)
    old_keys = older["api_keys"] | {"normal": "demo_normal-of-a-database-that-is-gone"}
    path.write_text(json.dumps(older | {"api_keys": old_keys}))
    assert ensure_demo(parts, path)["api_keys"] == older["api_keys"]


def test_a_revoked_key_is_replaced(parts: Parts, path: Path) -> None:
    demo = ensure_demo(parts, path)
    service_id = UUID(demo["service_id"])
    with parts.database.transaction() as session:
        key = session.scalars(select(ApiKey).where(ApiKey.service_id == service_id, ApiKey.key_type == "team")).one()
        revoke_api_key(session, service_id, key.id)
    again = ensure_demo(parts, path)
    assert again["api_keys"]["team"] != demo["api_keys"]["team"]
    assert again["api_keys"]["normal"] == demo["api_keys"]["normal"]


def test_keys_of_a_lost_secret_are_replaced(parts: Parts, path: Path) -> None:
    demo = ensure_demo(parts, path)
    again = ensure_demo(replace(parts, encryptor=Encryptor(["another secret"])), path)
    assert all(again["api_keys"][kind] != demo["api_keys"][kind] for kind in ("normal", "team", "test"))


def test_a_database_in_use_gets_no_demo(parts: Parts, path: Path) -> None:
    with parts.database.transaction() as session:
        a_service(session)
    assert ensure_demo(parts, path) == {}
    assert not path.exists()
    assert services(parts) == 2


def test_production_gets_no_demo(parts: Parts, path: Path) -> None:
    production = replace(parts, settings=parts.settings.model_copy(update={"notify_environment": "production"}))
    assert ensure_demo(production, path) == {}
    assert not path.exists()
    assert services(parts) == 1
