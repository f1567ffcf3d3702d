"""Keys that encrypt stored data: the check at start, and `notify rotate-secrets`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from notify.settings import Settings, SettingsError

if TYPE_CHECKING:
    import psycopg

    from notify.infra.key_check import Sample
    from notify.infra.rotation import Progress, Result

REPORT_SECONDS = 2.0


def refuse_wrong_keys(settings: Settings, *, at_first: bool = False) -> None:
    """Raise `SettingsError` if the database's data is encrypted with other keys than those configured. Does nothing if
    the database is unreachable or not migrated: the readiness endpoint checks again.

    `at_first`: if the database has no check value yet, look at its data, and store a check value. This loads all
    models.
    """
    import psycopg

    from notify.infra.key_check import WrongKeyError, connect, ensure_right, refuse_wrong
    from notify.infra.secrets import Encryptor

    encryptor = Encryptor(settings.encryption_keys, only_read=settings.older_encryption_keys)
    try:
        with connect(settings.sqlalchemy_database_uri) as connection:
            if at_first:
                ensure_right(connection, encryptor, lambda: _samples(connection))
            else:
                refuse_wrong(connection, encryptor)
    except WrongKeyError as error:
        variable = "DATA_ENCRYPTION_KEYS" if settings.data_encryption_keys else "SECRET_KEY"
        raise SettingsError(f"{variable}: {error}") from None
    except psycopg.Error:
        return


def _samples(connection: psycopg.Connection[Any]) -> Iterable[Sample]:
    from notify.infra.rotation import samples
    from notify.models import metadata

    return samples(connection, metadata)


@click.command("rotate-secrets")
@click.option("--batch", type=click.IntRange(1, 10_000), default=500, show_default=True, help="Rows at a time.")
@click.option(
    "--pause", type=click.FloatRange(0, 60), default=0.0, show_default=True, help="Seconds between two batches."
)
def rotate_secrets(batch: int, pause: float) -> None:
    """Encrypt all data again, with the last of DATA_ENCRYPTION_KEYS.

    Other processes can keep running, with the same keys. If interrupted, run it again: it continues where it stopped.
    Afterwards the other keys can be removed.
    """
    from notify.cli.common import open_parts
    from notify.infra.rotation import Rotation
    from notify.models import metadata

    with open_parts() as parts:
        refuse_wrong_keys(parts.settings, at_first=True)
        results = Rotation(parts.database, parts.encryptor, batch=batch, pause=pause, report=_Reporter().report).run(
            metadata
        )
    for result in results:
        click.echo(f"{result.table}: {result.rewritten} rows rewritten")
    _conclude(results)


class _Reporter:
    """Prints the progress from time to time."""

    def __init__(self) -> None:
        self._reported_at = time.monotonic()

    def report(self, progress: Progress) -> None:
        """Print a line on standard error, at most every two seconds."""
        now = time.monotonic()
        if now - self._reported_at >= REPORT_SECONDS:
            self._reported_at = now
            click.echo(f"{progress.table}: {progress.rewritten} rows so far", err=True)


def _conclude(results: list[Result]) -> None:
    """Say whether older keys can be removed. Raises `click.ClickException` if not."""
    if unfinished := [result.table for result in results if not result.is_complete]:
        raise click.ClickException(
            f"{unfinished[0]}: values are still written with an older key; start every process with the newest key "
            "last in DATA_ENCRYPTION_KEYS, then run this again"
        )
    if unreadable := [result for result in results if result.unreadable]:
        number = sum(result.unreadable for result in unreadable)
        tables = ", ".join(result.table for result in unreadable)
        raise click.ClickException(
            f"{number} values in {tables} cannot be read with the configured keys, and were left as they are"
        )
    click.echo("Everything is encrypted with the newest key. The others can be removed.")
