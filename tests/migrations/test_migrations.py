"""The migrations create the tables of the models, and can be reversed."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree
from subprocess import run
from sys import executable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from flask_migrate import Migrate
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.dialects.postgresql import ENUM

from notify import migrate
from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.models import metadata

# What PostgreSQL itself says of every table that is no partition: columns, constraints (checks too, which Alembic does not compare), indexes.
DESCRIPTION = """
SELECT c.relname, a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT conrelid::regclass::text, conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype <> 'n'
      AND NOT (SELECT relispartition FROM pg_class WHERE oid = conrelid)
UNION ALL
SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'
      AND NOT (SELECT relispartition FROM pg_class WHERE oid = tablename::regclass)
UNION ALL
SELECT t.typname, string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) FROM pg_type t
JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY t.typname
"""


COMPARED = {"include_name": migrate.has_model}


def describe(connection: Connection) -> set[tuple[str, str]]:
    rows = connection.execute(text(DESCRIPTION))
    return {(table, line) for table, line in rows if table != "alembic_version"}


def test_models_and_migrations_agree(empty: Engine) -> None:
    migrate.upgrade(empty)
    with empty.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=COMPARED), metadata) == []
        migrated = describe(connection)
    migrate.downgrade(empty, "base")
    with empty.begin() as connection:
        enums = {c.type.name: c.type for t in metadata.tables.values() for c in t.columns if isinstance(c.type, ENUM)}
        for enum in enums.values():
            enum.create(connection)
        metadata.create_all(connection)
        assert describe(connection) == migrated


def test_up_down_and_up_again(empty: Engine) -> None:
    migrate.upgrade(empty)
    with empty.connect() as connection:
        first = describe(connection)
        assert migrate.current_version(connection) == migrate.head_version()
        assert not migrate.is_newer(connection)
    migrate.downgrade(empty, "base")
    with empty.connect() as connection:
        assert migrate.current_version(connection) is None
        assert describe(connection) == set()
    migrate.upgrade(empty)
    with empty.connect() as connection:
        assert describe(connection) == first


def test_upgrade_of_an_upgraded_database_changes_nothing(empty: Engine) -> None:
    address = empty.url.render_as_string(hide_password=False)
    migrate.upgrade(address)
    with empty.connect() as connection:
        before = connection.execute(text("SELECT xmin::text FROM services")).all()
    migrate.upgrade(address)
    with empty.connect() as connection:
        assert connection.execute(text("SELECT xmin::text FROM services")).all() == before


def test_two_hosts_that_start_together_migrate_once(empty: Engine) -> None:
    program = "import sys; from notify import migrate; migrate.upgrade(sys.argv[1])"
    address = empty.url.render_as_string(hide_password=False)
    command = [executable, "-c", program, address]
    with ThreadPoolExecutor(2) as pool:
        started = [pool.submit(run, command, capture_output=True, check=False, text=True) for _ in range(2)]
    assert [host.result().stderr for host in started] == ["", ""]
    with empty.connect() as connection:
        assert migrate.current_version(connection) == migrate.head_version()


def test_a_database_of_a_newer_version_is_left_alone(empty: Engine) -> None:
    migrate.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with empty.connect() as connection:
        assert migrate.is_newer(connection)
    with pytest.raises(migrate.NewerDatabaseError, match="9999") as caught:
        migrate.upgrade(empty)
    assert "\n" not in str(caught.value)


def test_a_migration_gives_up_on_a_table_that_is_locked_for_long(empty: Engine) -> None:
    migrate.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("LOCK TABLE notifications IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(Exception, match="lock timeout"):
            migrate.downgrade(empty, "base")
    with empty.connect() as connection:
        # back to where the last step that succeeded left it
        assert migrate.current_version(connection) is not None


@pytest.mark.parametrize("command", [["db", "current"], ["db", "history"], ["db", "upgrade"], ["db", "check"]])
def test_flask_db_commands(parts: Parts, command: list[str]) -> None:
    result = _application(parts).test_cli_runner().invoke(args=command)
    assert result.exit_code == 0, result.output


def test_flask_db_downgrade_and_upgrade(parts: Parts) -> None:
    runner = _application(parts).test_cli_runner()
    assert runner.invoke(args=["db", "downgrade"]).exit_code == 0
    with parts.database.engine.connect() as connection:
        assert "services" in inspect(connection).get_table_names()
        assert migrate.current_version(connection) != migrate.head_version()
    assert runner.invoke(args=["db", "upgrade"]).exit_code == 0
    with parts.database.engine.connect() as connection:
        assert migrate.current_version(connection) == migrate.head_version()


def test_flask_db_migrate_writes_a_dated_revision_only_when_something_differs(parts: Parts, tmp_path: Path) -> None:
    copy = tmp_path / "migrations"
    copytree(migrate.DIRECTORY, copy)
    runner = _application(parts, copy).test_cli_runner()
    before = {file.name for file in (copy / "versions").glob("*.py")}

    assert runner.invoke(args=["db", "migrate", "-m", "nothing new"]).exit_code == 0
    assert {file.name for file in (copy / "versions").glob("*.py")} == before

    with parts.database.transaction() as session:
        session.execute(text("ALTER TABLE domain DROP CONSTRAINT fk_domain_organisation_id"))
    assert runner.invoke(args=["db", "migrate", "-m", "tie domains"]).exit_code == 0
    (new,) = {file.name for file in (copy / "versions").glob("*.py")} - before
    assert re.fullmatch(r"2\d{3}_\d\d_\d\d_\d{4}_tie_domains\.py", new)
    assert runner.invoke(args=["db", "upgrade"]).exit_code == 0
    with parts.database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=COMPARED), metadata) == []


def _application(parts: Parts, folder: Path = migrate.DIRECTORY) -> Flask:
    class WithMetadata:
        def __init__(self) -> None:
            self.metadata = metadata

    app = Flask("notify")
    app.extensions["notify"] = Container(parts)
    Migrate(app, WithMetadata(), directory=str(folder))
    return app
