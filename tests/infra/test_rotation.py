"""`notify rotate-secrets`: all data under the newest key, while everything runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from psycopg import sql

from notify.cli import program
from notify.cli.keys import refuse_wrong_keys
from notify.inbound.actions import TextReceiver
from notify.infra.parts import Parts
from notify.infra.rotation import Progress, Rotation, encrypted_tables
from notify.infra.secrets import Encryptor
from notify.models import metadata
from notify.providers.incoming import IncomingText
from notify.settings import SettingsError
from notify.webhooks.actions import create_callback
from tests.api import Api, with_settings
from tests.infra.test_secrets import version_1
from tests.production import as_environment

OLD, NEW = "the old key", "the new key"
SECRET = "dev-notify-secret-key"
NUMBER = "07700900789"
"""Of the demo service."""


@pytest.fixture
def parts(own_parts: Parts) -> Parts:
    """A rotation commits, and applications run meanwhile."""
    return own_parts


@contextmanager
def world(parts: Parts, *keys: str, **settings: Any) -> Iterator[Api]:
    """An application with these keys, on the database of `parts`."""
    from notify.app import create_app
    from notify.cli.demo import ensure_demo

    changed = with_settings(parts, data_encryption_keys=list(keys), sandbox_url="http://127.0.0.1:9", **settings)
    demo = ensure_demo(changed, parts.settings.notify_data_dir / "dev.json")
    app = create_app(changed.settings)
    container = app.extensions["notify"]
    try:
        yield Api(app, changed, container, demo)
    finally:
        container.close()
        changed.close()


def fill(api: Api) -> list[UUID]:
    """A value in each encrypted column; gives the messages."""
    with api.parts.database.transaction() as session:
        create_callback(
            session,
            api.parts.encryptor,
            service_id=UUID(api.service_id),
            callback_type="inbound_sms",
            url="https://example.com/",
            bearer_token="a token of some length",
            signing_secret="whsec_c2VjcmV0IG9mIHR3ZW50eS1mb3VyIGJ5dGVz",
            updated_by_id=UUID(api.demo["user"]["id"]),
            guarded=True,
        )
    assert api.container.get(TextReceiver).receive(IncomingText("mmg", NUMBER, "447900900123", "hello"))
    return [api.sent() for _ in range(5)]


def headers(parts: Parts) -> dict[str, set[bytes]]:
    """How the values of each encrypted column begin: version and key."""
    found: dict[str, set[bytes]] = {}
    with parts.database.connection() as connection:
        for table in encrypted_tables(metadata):
            for name in table.columns:
                query = sql.SQL("SELECT DISTINCT substring({0} FROM 1 FOR 5) FROM {1} WHERE {0} IS NOT NULL")
                rows = connection.execute(query.format(sql.Identifier(name), sql.Identifier(table.name)))
                found[f"{table.name}.{name}"] = {row[0] for row in rows}
    return found


def rotate(parts: Parts, *keys: str, **options: Any) -> list[Any]:
    changed = with_settings(parts, data_encryption_keys=list(keys))
    try:
        return Rotation(changed.database, changed.encryptor, **options).run(metadata)
    finally:
        changed.close()


def test_every_column_of_bytes_is_rotated_or_known_to_need_no_rotation(parts: Parts) -> None:
    with parts.database.connection() as connection:
        rows = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE data_type = 'bytea' AND table_schema = 'public'"
        )
        found = set(rows)
    rotated = {(table.name, name) for table in encrypted_tables(metadata) for name in table.columns}
    assert found - rotated == {("documents", "description")}  # its key is in its link only


def test_after_a_rotation_the_old_key_can_be_removed(parts: Parts) -> None:
    with world(parts, OLD) as api:
        refuse_wrong_keys(api.parts.settings, at_first=True)
        ids = fill(api)
        key = api.demo["api_keys"]["normal"]
    assert all(found <= {Encryptor([OLD]).current_header} for found in headers(parts).values())
    results = rotate(parts, OLD, NEW, batch=2)
    assert all(result.is_complete and not result.unreadable for result in results)
    filled = {name: found for name, found in headers(parts).items() if found}
    assert {"notifications.to", "notifications._personalisation", "api_keys.secret", "api_keys_history.secret"} <= set(
        filled
    )
    assert {"service_callback_api.bearer_token", "service_callback_api_history.signing_secret"} <= set(filled)
    assert all(found == {Encryptor([NEW]).current_header} for found in filled.values())
    with world(parts, NEW, read_data_under_secret_key=False) as api:
        assert api.demo["api_keys"]["normal"] == key
        for id_ in ids:
            assert api.get(str(id_))["phone_number"] == "07900900123"
            assert "Amala" in api.get(str(id_))["body"]
        refuse_wrong_keys(api.parts.settings)
    with pytest.raises(SettingsError), world(parts, OLD) as api:
        refuse_wrong_keys(api.parts.settings)


def test_a_second_run_changes_nothing(parts: Parts) -> None:
    with world(parts, OLD) as api:
        fill(api)
    assert sum(result.rewritten for result in rotate(parts, OLD, NEW)) > 10
    assert sum(result.rewritten for result in rotate(parts, OLD, NEW)) == 0


def test_an_interrupted_rotation_continues(parts: Parts) -> None:
    with world(parts, OLD) as api:
        fill(api)

    def stop(progress: Progress) -> None:
        if progress.table == "notifications":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(parts, OLD, NEW, batch=2, report=stop)
    done = {result.table: result for result in rotate(parts, OLD, NEW)}
    assert done["notifications"].rewritten == 3
    assert all(len(found) <= 1 for found in headers(parts).values())


def test_messages_flow_meanwhile(parts: Parts) -> None:
    """Those accepted under the old key, too, by a process that does not have the new one last yet."""
    with world(parts, NEW, OLD) as old, world(parts, OLD, NEW) as new:
        fill(old)
        stop = threading.Event()
        sent: dict[str, list[UUID]] = {"old": [], "new": []}

        def send(name: str, api: Api) -> None:
            while not stop.is_set():
                sent[name].append(api.sent())
                assert api.get(str(sent[name][-1]))["phone_number"] == "07900900123"

        threads = [threading.Thread(target=send, args=item) for item in (("old", old), ("new", new))]
        for thread in threads:
            thread.start()
        try:
            for _ in range(3):
                rotate(parts, OLD, NEW, batch=3)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert all(sent.values())
        everything = [*sent["old"], *sent["new"]]
        for api in (old, new):
            assert {api.get(str(id_))["phone_number"] for id_ in everything} == {"07900900123"}
    assert all(result.is_complete for result in rotate(parts, OLD, NEW))
    with world(parts, NEW) as api:
        assert {api.get(str(id_))["phone_number"] for id_ in everything} == {"07900900123"}


def test_values_of_the_first_version_under_the_shared_secret_are_rewritten(parts: Parts) -> None:
    with world(parts, NEW) as api:
        id_ = api.sent()
        api.execute('UPDATE notifications SET "to" = %s WHERE id = %s', version_1(SECRET, "07900900456"), id_)
        assert api.get(str(id_))["phone_number"] == "07900900456"
    with world(parts, NEW, read_data_under_secret_key=False) as api:
        assert api.call("GET", f"/v2/notifications/{id_}").status_code == 500
    rotate(parts, NEW)
    with world(parts, NEW, read_data_under_secret_key=False) as api:
        assert api.get(str(id_))["phone_number"] == "07900900456"


def command(parts: Parts, *keys: str) -> Any:
    names = ("notify_environment", "sqlalchemy_database_uri", "redis_url", "notify_data_dir")
    environment = as_environment({name: getattr(parts.settings, name) for name in names})
    environment |= as_environment({"data_encryption_keys": list(keys)})
    return CliRunner().invoke(program, ["rotate-secrets", "--batch", "2"], env=environment)


def test_the_command_says_what_it_did(parts: Parts) -> None:
    with world(parts, OLD) as api:
        ids = fill(api)
    done = command(parts, OLD, NEW)
    assert done.exit_code == 0, done.output
    assert "notifications: 5 rows rewritten" in done.output
    assert done.output.endswith("Everything is encrypted with the newest key. The others can be removed.\n")
    with parts.database.connection() as connection:
        connection.execute("UPDATE notifications SET \"to\" = 'damaged' WHERE id = %s", (ids[0],))
    failed = command(parts, OLD, NEW)
    assert failed.exit_code == 1
    assert "Error: 1 values in notifications cannot be read with the configured keys" in failed.output
    assert command(parts, "a third key").output.startswith("Error: DATA_ENCRYPTION_KEYS: the configured keys are not")
