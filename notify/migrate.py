"""Migrates a database to the tables that this code knows, without a Flask application."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, Protocol

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, NullPool, create_engine

from notify.infra.database import driver_uri

DIRECTORY = Path(__file__).parent / "migrations"
"""The folder of migrations, for Flask-Migrate's `directory`."""


_PARTITIONS: Final = "notification_history_"
"""Prefix of the names of partitions; no other table has it."""


class _Step(Protocol):
    def __call__(self, config: Config, revision: str) -> None: ...


class NewerDatabaseError(Exception):
    """The database was migrated by a newer version of this code. The message is one line."""


def upgrade(database: str | Engine, revision: str = "head") -> None:
    """Migrate a database (its address or an engine) forward to a revision. Does nothing when it is there already; when
    another process is migrating, waits for it. Raises `NewerDatabaseError`.
    """
    _run(command.upgrade, database, revision)


def downgrade(database: str | Engine, revision: str) -> None:
    """Migrate a database back to a revision; `base` removes every table. Raises `NewerDatabaseError`."""
    _run(command.downgrade, database, revision)


def has_model(name: str | None, type_: str, _parents: object) -> bool:
    """Alembic's `include_name`: whether to compare this object of the database with the models. Partitions are left
    out: they are created at run time.
    """
    return not (type_ == "table" and name is not None and name.startswith(_PARTITIONS))


def current_version(connection: Connection) -> str | None:
    """The revision that the database is at; None when it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def _revisions() -> tuple[str, ...]:
    """Every revision that this code knows, newest first."""
    return tuple(script.revision for script in ScriptDirectory(str(DIRECTORY)).walk_revisions())


def head_version() -> str:
    """The newest revision that this code knows. Raises `RuntimeError` when there are several: two branches met."""
    heads = ScriptDirectory(str(DIRECTORY)).get_heads()
    if len(heads) != 1:
        raise RuntimeError(f"several revisions are the newest: {', '.join(heads)}")
    return heads[0]


def is_newer(connection: Connection) -> bool:
    """Whether the database is at a revision that this code does not know."""
    version = current_version(connection)
    return version is not None and version not in _revisions()


def _run(step: _Step, database: str | Engine, revision: str) -> None:
    engine = database if isinstance(database, Engine) else create_engine(driver_uri(database), poolclass=NullPool)
    with engine.connect() as connection:
        if revision == "head" and current_version(connection) == head_version():
            return
        if is_newer(connection):
            raise NewerDatabaseError(
                f"the database is at revision {current_version(connection)}, made by a newer version than this one "
                f"(which knows up to {head_version()}): run that version"
            )
    config = Config()
    config.set_main_option("script_location", str(DIRECTORY))
    config.attributes["engine"] = engine
    step(config, revision)
