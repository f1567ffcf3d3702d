"""`notify reset`: empties the data folder."""

from __future__ import annotations

from pathlib import Path

import click

from notify.cli.folder import DataFolder, FolderError
from notify.infra.embedded import stop_leftover_servers
from notify.infra.supervisor import stop_leftovers


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="NOTIFY_DATA_DIR",
    default=".notify",
    show_default=True,
    help="The folder.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(data_dir: Path, yes: bool) -> None:
    """Empty the data folder of `notify up`."""
    folder = DataFolder(data_dir)
    if not folder.path.is_dir():
        click.echo(f"{folder.path} does not exist: there is nothing to delete")
        return
    try:
        folder.take(any_version=True)
    except FolderError as error:
        raise click.ClickException(str(error)) from None
    try:
        if not yes:
            click.confirm(f"Delete every message, service and file in {folder.path}?", abort=True)
        stop_leftovers(folder.children)
        stop_leftover_servers(folder.path)
        folder.empty()
    finally:
        folder.release()
    click.echo(f"{folder.path} is empty")
