"""`notify db`: the migrations, without a Flask application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError

from notify import migrate, settings
from notify.cli.lazy import first_line
from notify.infra.database import driver_uri


@contextmanager
def _database() -> Iterator[str]:
    """The address of the database. Its errors are reported in one line."""
    uri = settings.load().sqlalchemy_database_uri
    if not uri:
        raise settings.SettingsError("SQLALCHEMY_DATABASE_URI: must be set (or start everything with `notify up`)")
    try:
        yield uri
    except (migrate.NewerDatabaseError, CommandError) as error:
        raise click.ClickException(str(error)) from None
    except DBAPIError as error:
        what = "cannot be reached" if isinstance(error, OperationalError) else "refused"
        raise click.ClickException(f"the database {what}: {first_line(error.orig)}") from None


@click.group()
def db() -> None:
    """Migrate the database, or show where it is."""


@db.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Migrate forward to REVISION, the newest by default."""
    with _database() as uri:
        migrate.upgrade(uri, revision)
        click.echo(f"the database is at {_current(uri)}")


@db.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Migrate back to REVISION; `base` removes every table."""
    with _database() as uri:
        migrate.downgrade(uri, revision)
        click.echo(f"the database is at {_current(uri)}")


@db.command()
def current() -> None:
    """Show the revision that the database is at."""
    with _database() as uri:
        click.echo(_current(uri))


@db.command()
def history() -> None:
    """Show every revision that this version knows, newest first."""
    for script in ScriptDirectory(str(migrate.DIRECTORY)).walk_revisions():
        click.echo(f"{script.revision}  {script.doc}")


def _current(uri: str) -> str:
    engine = create_engine(driver_uri(uri), poolclass=NullPool)
    with engine.connect() as connection:
        return migrate.current_version(connection) or "no revision: it is empty"
