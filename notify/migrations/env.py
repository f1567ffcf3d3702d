"""Alembic's environment: connects to the database and runs the migrations.

The engine is the one that `notify.migrate` passes, or that of the running Flask application (`flask db ...`).
Migrations wait for each other (several hosts may start at the same time), but only 2 seconds for the lock of a table,
so that they never block a running system: if one fails for that reason, run it again at a quieter time.
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
"""Seconds between two attempts to get that lock."""


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
    """Name a new revision by its time (UTC), so that two branches never choose the same name; write no file if models
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

    It polls: a session that waits in `pg_advisory_lock` holds a snapshot, and `CREATE INDEX CONCURRENTLY` of the other
    process would wait for that snapshot: a deadlock.
    """
    while True:
        has_turn = connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": ONE_AT_A_TIME})
        connection.commit()
        if has_turn:
            return
        time.sleep(TURN_SECONDS)


def run() -> None:
    """Run Alembic's command while no other process migrates."""
    if context.is_offline_mode():
        raise CommandError("migrations need a database to look at: --sql is not supported")
    with _engine().connect() as connection:
        _wait_for_turn(connection)
        try:
            _migrate(connection)
        finally:
            # a session with these settings and this lock must not be returned to a pool
            connection.invalidate()


run()
