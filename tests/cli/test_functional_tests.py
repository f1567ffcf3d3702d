"""The fixtures of the official functional tests."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path
from uuid import UUID

import pytest

from notify.accounts.models import User
from notify.accounts.passwords import is_password
from notify.accounts.queries import user_by_email
from notify.infra.parts import Parts
from notify.organisations.queries import organisation_of_address
from notify.services.models import Service
from notify.services.queries import default_sms_sender, load_service
from notify.services.senders import list_reply_tos, list_sms_senders
from notify.templates.queries import list_templates, load_template
from tests.cli.terminal import refused, run
from tests.production import PRODUCTION, as_environment

pytestmark = pytest.mark.usefixtures("terminal")


def environment() -> dict[str, str]:
    """What the command prints, as a shell reads it."""
    result = run("functional-test-fixtures")
    assert result.exit_code == 0, result.output
    values = {}
    for line in result.output.splitlines():
        word, assignment = shlex.split(line)
        assert word == "export"
        name, _, value = assignment.partition("=")
        values[name] = value
    return values


def count(parts: Parts, table: str) -> int:
    with parts.database.connection() as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()  # noqa: S608 - of this test
    assert row is not None
    return int(row[0])


def test_the_second_run_changes_nothing_but_the_password(parts: Parts) -> None:
    first = environment()
    tables = ("services", "users", "templates", "templates_history", "api_keys", "inbound_sms", "service_callback_api")
    before = {table: count(parts, table) for table in tables}
    second = environment()
    assert {table: count(parts, table) for table in tables} == before
    assert {name for name, value in second.items() if value != first[name]} == {"FUNCTIONAL_TESTS_PASSWORD"}
    assert before["inbound_sms"] == 3


def test_what_it_makes(parts: Parts) -> None:
    values = environment()
    with parts.database.session() as session:
        for name in ("EMAIL", "EMAIL_AUTH_EMAIL", "ADMIN_TESTS_EMAIL"):
            user = user_by_email(session, values[f"FUNCTIONAL_TESTS_{name}"])
            assert isinstance(user, User)
            assert is_password(user.password, values["FUNCTIONAL_TESTS_PASSWORD"])
        organisation = organisation_of_address(session, values["FUNCTIONAL_TESTS_EMAIL"])
        assert organisation is not None
        assert (organisation.name, organisation.can_approve_own_go_live_requests) == ("Functional Tests Org", True)
        service = load_service(session, UUID(values["FUNCTIONAL_TESTS_SERVICE_ID"]), parts.encryptor)
        assert service is not None
        assert not service.restricted
        assert {"edit_folder_permissions", "inbound_sms", "email_auth"} <= service.permissions
        assert session.get_one(Service, service.id).organisation_id == organisation.id
        assert default_sms_sender(session, service.id) == "07700900500"
        assert [row.sms_sender for row in list_sms_senders(session, service.id)] == ["07700900500", "func tests"]
        assert len(list_reply_tos(session, service.id)) == 2
        assert len(list_templates(session, service.id)) == 9
        for name in ("SMS_TEMPLATE_ID", "EMAIL_TEMPLATE_ID", "LETTER_TEMPLATE_ID"):
            template = load_template(session, service.id, UUID(values[name]))
            assert template is not None
            assert template.version == 2
    assert values["FUNCTIONAL_TESTS_SERVICE_API_KEY"].startswith(f"functional_tests_service_live_key-{service.id}-")
    assert values["NOTIFY_SERVICE_API_KEY"].startswith("govuk_notify-d6aa2c68-a2d9-4437-ab19-3ae8eb202553-")


def test_a_file_is_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "environment.sh"
    result = run("functional-test-fixtures", "--output", str(file))
    assert result.exit_code == 0, result.output
    assert "export FUNCTIONAL_TESTS_SERVICE_ID=" in file.read_text()
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert "export" not in result.output


def test_elsewhere_it_must_be_allowed(monkeypatch: pytest.MonkeyPatch, parts: Parts) -> None:
    secrets = {
        name: value for name, value in PRODUCTION.items() if name not in ("sqlalchemy_database_uri", "redis_url")
    }
    for name, value in as_environment(secrets | {"allow_plaintext_internal": "1"}).items():
        monkeypatch.setenv(name, value)
    before = count(parts, "users")
    assert "REGISTER_FUNCTIONAL_TESTING_BLUEPRINT" in refused("functional-test-fixtures")
    assert count(parts, "users") == before
