"""What Alembic runs to reach the database.

The engine is the one that `notify.migrate` hands over, or that of the running Flask application (`flask db ...`).
Migrations wait for each other (several hosts may start at the same time) but not for long on the locks of tables, so
that they never hold up a system in use: run again at a quieter moment when one gives up.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from alembic import context
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from notify.migrate import has_model
from notify.models import metadata

ONE_AT_A_TIME = 6_011_001
"""Number of the advisory lock that a migrating process holds."""
TURN_SECONDS = 0.2
"""Pause between two tries to get that lock."""


def _engine() -> Engine:
    given = context.config.attributes.get("engine")
    if isinstance(given, Engine):
        return given
    from click import ClickException
    from flask import current_app

    engine: Engine = current_app.extensions["notify"].parts.database.engine
    try:
        engine.connect().close()
    except OperationalError as error:
        raise ClickException(f"the database cannot be reached: {str(error.orig).splitlines()[0]}") from None
    return engine


def _name_revision(
    _migration: MigrationContext, _revision: str | Iterable[str | None], directives: list[MigrationScript]
) -> None:
    """Call a new revision by its time (UTC), so that two branches never take the same name; write no file when models
    and database agree.
    """
    if not getattr(context.config.cmd_opts, "autogenerate", False):
        return
    script = directives[0]
    if script.upgrade_ops is None or script.upgrade_ops.is_empty():
        directives.clear()
        return
    script.rev_id = f"{datetime.now(UTC):%Y_%m_%d_%H%M}"


def _migrate(connection: Connection) -> None:
    connection.execute(text("SET lock_timeout = '2s'"))
    connection.execute(text("SET statement_timeout = 0"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        process_revision_directives=_name_revision,
        include_name=has_model,
    )
    with context.begin_transaction():
        context.run_migrations()


def _wait_for_turn(connection: Connection) -> None:
    """Wait until no other process migrates.

    By asking again and again: a session that waits within `pg_advisory_lock` has a snapshot, for which
    `CREATE INDEX CONCURRENTLY` of the other process would wait in turn.
    """
    while True:
        has_turn = connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": ONE_AT_A_TIME})
        connection.commit()
        if has_turn:
            return
        time.sleep(TURN_SECONDS)


def run() -> None:
    """Run what Alembic was asked for, alone."""
    if context.is_offline_mode():
        raise CommandError("migrations need a database to look at: --sql is not supported")
    with _engine().connect() as connection:
        _wait_for_turn(connection)
        try:
            _migrate(connection)
        finally:
            # the session's settings and lock must not go back into a pool
            connection.invalidate()


run()
