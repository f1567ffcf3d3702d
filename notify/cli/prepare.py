"""What `notify up` does before its processes start: migrations and the demo service.

It is a separate process, so that its imports (the ORM, the migrations) overlap with the start of the databases and do
not stay in the memory of `notify up`. It reads its settings, once known, as one JSON object from standard input.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from notify.cli.lazy import first_line


@click.command(hidden=True)
@click.option("--demo", type=click.Path(path_type=Path), required=True, help="Where to describe the demo service.")
def prepare(demo: Path) -> None:
    """Migrate the database and create the demo service, for `notify up`."""
    from sqlalchemy.exc import DBAPIError, OperationalError

    from notify import migrate, settings
    from notify.cli.demo import ensure_demo
    from notify.cli.keys import refuse_wrong_keys
    from notify.infra.parts import build_parts

    overrides = json.load(sys.stdin)
    parts = build_parts(settings.load(**overrides))
    try:
        migrate.upgrade(parts.database.engine)
        refuse_wrong_keys(parts.settings, at_first=True)
        if not parts.cache.is_ready():
            raise click.ClickException("the cache cannot be reached: is REDIS_URL right, and does it run?")
        ensure_demo(parts, demo)
    except migrate.NewerDatabaseError as error:
        raise click.ClickException(str(error)) from None
    except OperationalError as error:
        raise click.ClickException(f"the database cannot be reached: {first_line(error.orig)}") from None
    except DBAPIError as error:
        raise click.ClickException(f"the database refused: {first_line(error.orig)}") from None
    finally:
        parts.close()
