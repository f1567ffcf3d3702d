"""`notify after-restore`: avoids sending twice from a restored database, or from a standby that lagged behind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import click

from notify.cli.common import json_option, open_parts, show
from notify.infra.times import utc_now
from notify.messages.maintenance import count_created, end_created

STATUSES: Final = ("sending", "technical-failure")


@click.command("after-restore")
@click.option(
    "--snapshot-time",
    required=True,
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]),
    help="Time of the snapshot that was restored. In UTC if it has no offset.",
)
@click.option(
    "--status",
    type=click.Choice(STATUSES),
    default="sending",
    show_default=True,
    help="New status of these messages.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def after_restore_command(*, snapshot_time: datetime, status: str, yes: bool, as_json: bool) -> None:
    """Keep messages that may have been sent after a snapshot from being sent again.

    Run it before the workers and beat are started on a restored database. Texts and emails that were accepted before
    the snapshot and had not been sent by then may have been sent since. They become `sending`: a late receipt still
    updates them, and without one they become `temporary-failure` after three days. With `--status technical-failure`
    they fail at once, for services that retry by themselves.

    Messages that were accepted after the snapshot are not in the database: tell their senders.
    """
    moment = snapshot_time if snapshot_time.tzinfo else snapshot_time.replace(tzinfo=UTC)
    if moment > utc_now():
        raise click.ClickException(f"--snapshot-time {moment.isoformat()} is in the future")
    with open_parts() as parts:
        number = count_created(parts.database, before=moment)
        if number and not yes:
            click.confirm(f"{number} messages wait that may have been sent. Mark them as {status}?", abort=True)
        marked = end_created(parts.database, before=moment, status=status, now=utc_now())
        left = count_created(parts.database, before=moment)
    if left:
        raise click.ClickException(f"{left} messages are being sent by a worker: stop the workers, and run this again")
    show({"marked": len(marked), "status": status, "snapshot_time": moment.isoformat()}, as_json)
