"""Users, services, API keys and templates from a terminal."""

from __future__ import annotations

from uuid import UUID

import click
import pytest
from click.testing import CliRunner

from notify.accounts.models import User
from notify.accounts.passwords import is_password
from notify.cli import ENTRIES, program
from notify.infra.parts import Parts
from notify.services import queries
from notify.services.models import Service
from notify.templates.queries import load_template
from tests.cli.terminal import a_service, made, refused, run

pytestmark = pytest.mark.usefixtures("terminal")

NOUNS = ("users", "services", "api_keys", "templates", "senders", "brandings", "callbacks", "inbound", "send")
"""Modules whose commands all print JSON when asked."""


@pytest.mark.parametrize(
    "name", [name for name, entry in ENTRIES.items() if entry.target.split(":")[0].removeprefix("notify.cli.") in NOUNS]
)
def test_help(name: str) -> None:
    command = program.get_command(click.Context(program), name)
    assert command is not None
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    assert "--json" in result.output
    assert all(parameter.help for parameter in command.params if isinstance(parameter, click.Option))


def test_a_user_with_a_made_up_password(parts: Parts) -> None:
    user = made("create-user", "--name", "Ada", "--email", "ada@example.com", "--platform-admin")
    with parts.database.session() as session:
        stored = session.get_one(User, UUID(user["id"]))
    assert (stored.state, stored.auth_type, stored.platform_admin) == ("active", "email_auth", True)
    assert is_password(stored.password, user["password"])


def test_a_user_with_a_password_of_their_own_does_not_see_it_printed(parts: Parts) -> None:
    result = run(
        "create-user", "--name", "A", "--email", "a@example.com", "--mobile", "07700900123", "--password", "hunter2!"
    )
    assert result.exit_code == 0
    assert "hunter2!" not in result.output
    assert "a@example.com" in result.output


def test_a_service_from_nothing_to_a_key_and_templates(parts: Parts) -> None:
    service = a_service("--live", "--sms-limit", "7", "--permission", "sms", "--permission", "email")
    key = made("create-api-key", "--service", "Passports", "--name", "My key", "--type", "team")
    sms = made(
        "create-template", "--service", service["id"], "--type", "sms", "--name", "T", "--content", "Hi ((name))"
    )
    email = made(
        "create-template", "--service", "Passports", "--type", "email", "--name", "E", "--subject", "S", "--content-file", "-",
        stdin="From a pipe: ((name))",
    )  # fmt: skip
    with parts.database.session() as session:
        loaded = queries.load_service(session, UUID(service["id"]), parts.encryptor)
        assert loaded is not None
        assert (loaded.restricted, loaded.sms_message_limit, loaded.email_message_limit) == (False, 7, 250000)
        assert loaded.permissions == {"sms", "email"}
        assert [f"my_key-{loaded.id}-{stored.secret}" for stored in loaded.api_keys] == [key["api_key"]]
        texts = [load_template(session, loaded.id, UUID(template["id"])) for template in (sms, email)]
    assert [text.content for text in texts if text] == ["Hi ((name))", "From a pipe: ((name))"]


def test_revoke_by_name(parts: Parts) -> None:
    service = a_service()
    key = made("create-api-key", "--service", "Passports", "--name", "k")
    assert made("revoke-api-key", "--service", "Passports", "--key", "k")["id"] == key["id"]
    with parts.database.session() as session:
        loaded = queries.load_service(session, UUID(service["id"]), parts.encryptor)
    assert loaded is not None
    assert all(stored.expiry_date is not None for stored in loaded.api_keys)
    assert "no key named k" in run("revoke-api-key", "--service", "Passports", "--key", "k").output


def test_list_services() -> None:
    service = a_service()
    assert made("list-services")[1:] == [{"id": service["id"], "mode": "trial", "name": "Passports"}]
    assert "Passports" in run("list-services").output


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["create-service", "--name", "X", "--user", "nobody@example.com"], "Error: there is no user nobody@example.com"),
        (["create-service", "--name", "PASSPORTS", "--user", "ada@example.com"], "Error: Duplicate service name 'PASSPORTS'"),
        (["create-api-key", "--service", "Nope", "--name", "k"], "Error: there is no service Nope"),
        (["create-user", "--name", "A", "--email", "a@b"], "Error: Not a valid email address"),
        (["create-user", "--name", "A", "--email", "ADA@example.com"], "Error: There is a user with the email address ADA@example.com already"),
        (["create-template", "--service", "Passports", "--type", "email", "--name", "T", "--content", "x"], "Error: Invalid template subject"),
        (["token", "--api-key", "too-short"], "Error: an API key looks like name-serviceid-secret, where the last two are UUIDs"),
        (["revoke-api-key", "--service", "Passports", "--key", "01900000-0000-7000-8000-000000000000"], "Error: No result found"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_changes_nothing(arguments: list[str], line: str) -> None:
    a_service()
    result = run(*arguments)
    assert (result.exit_code, result.output.strip()) == (1, line)
    assert len(made("list-services")) == 2


def test_settings_that_are_missing_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SQLALCHEMY_DATABASE_URI")
    result = run("list-services")
    assert result.exit_code == 1
    assert result.output.startswith("Error: SQLALCHEMY_DATABASE_URI")
    assert result.output.count("\n") == 1


def test_a_database_that_is_down_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLALCHEMY_DATABASE_URI", "postgresql://nobody@127.0.0.1:1/none")
    result = run("list-services")
    assert result.exit_code == 1
    assert result.output.count("\n") == 1


def test_every_setting_of_a_service(parts: Parts) -> None:
    service = a_service()
    made(
        "update-service", "--service", "Passports", "--name", "Passport office", "--live", "--sms-limit", "7",
        "--contact-link", "https://example.com", "--email-sender-name", "Passport team", "--rate-limit", "60",
        "--permission", "sms", "--permission", "email", "--prefix-sms",
    )  # fmt: skip
    with parts.database.session() as session:
        loaded = queries.load_service(session, UUID(service["id"]), parts.encryptor)
    assert loaded is not None
    assert (loaded.name, loaded.email_sender_local_part, loaded.restricted) == (
        "Passport office",
        "passport.team",
        False,
    )
    assert (loaded.sms_message_limit, loaded.email_message_limit, loaded.rate_limit) == (7, 250_000, 60)
    assert loaded.permissions == {"sms", "email"}
    assert loaded.prefix_sms
    assert made("update-service", "--service", service["id"], "--trial", "--contact-link", "")["mode"] == "trial"
    assert "at least one" in refused("update-service", "--service", service["id"])


def test_archive_a_service() -> None:
    a_service()
    archived = made("archive-service", "--service", "Passports", "--yes")
    assert archived["mode"] == "archived"
    assert archived["name"].startswith("_archived_")
    assert "there is no service" in refused("archive-service", "--service", "Passports", "--yes")


def test_guest_lists() -> None:
    a_service()
    lines = b"\xef\xbb\xbf07700 900222\r\nB@Example.com\r\n\r\n"
    guests = made("set-guest-list", "--service", "Passports", "--email", "a@example.com", "--file", "-", stdin=lines)
    assert guests == {"email_addresses": ["a@example.com", "B@Example.com"], "phone_numbers": ["07700 900222"]}
    assert run("show-guest-list", "--service", "Passports").output.splitlines() == [
        "07700 900222",
        "a@example.com",
        "B@Example.com",
    ]
    assert '"nobody" is not a valid' in refused("set-guest-list", "--service", "Passports", "--email", "nobody")
    assert made("show-guest-list", "--service", "Passports") == guests
    assert made("set-guest-list", "--service", "Passports") == {"email_addresses": [], "phone_numbers": []}


def test_retention() -> None:
    a_service()
    made("set-retention", "--service", "Passports", "--type", "sms", "--days", "14")
    assert made("set-retention", "--service", "Passports", "--type", "sms", "--days", "30") == [
        {"type": "sms", "days": 30}
    ]
    assert "3<=x<=90" in refused("set-retention", "--service", "Passports", "--type", "sms", "--days", "2")


def test_keys_are_listed_without_their_secrets() -> None:
    a_service()
    key = made("create-api-key", "--service", "Passports", "--name", "k")
    listed = made("list-api-keys", "--service", "Passports")
    assert listed == [{"id": key["id"], "type": "normal", "revoked_at": None, "name": "k"}]
    assert key["api_key"][-36:] not in run("list-api-keys", "--service", "Passports").output


def test_volumes_are_stored_for_all_services_of_a_file_or_none(parts: Parts) -> None:
    service = a_service()

    def volumes() -> tuple[int | None, int | None, int | None]:
        with parts.database.session() as session:
            row = session.get_one(Service, UUID(service["id"]))
            return row.volume_sms, row.volume_email, row.volume_letter

    command = ("populate_service_volume_intentions", "-f", "-")
    assert made(*command, stdin=f"{service['id']}, 10,20,\n\n") == {"changed": 1}
    assert volumes() == (10, 20, None)
    wrong = run(*command, stdin=f"{service['id']},1,2,3\n{service['id']},many,2,3\n")
    assert (wrong.exit_code, "is not an id and three numbers" in wrong.output) == (1, True)
    assert volumes() == (10, 20, None)
