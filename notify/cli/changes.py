"""`notify list-changes`: the log of changes."""

from __future__ import annotations

from uuid import UUID

import click

from notify.cli.common import find_service, find_user, json_option, open_session, show_table
from notify.events.changes import list_changes

MOST = 1000


@click.command("list-changes")
@click.option("--service", "which", help="Only changes of this service: its name or id.")
@click.option("--user", "who", help="Only changes by this person: an email address or id.")
@click.option("--limit", type=click.IntRange(1, MOST), default=50, show_default=True, help="How many at most.")
@click.option("--older-than", type=click.UUID, help="Id of the last change of the page before.")
@json_option
def list_changes_command(
    which: str | None, who: str | None, limit: int, older_than: UUID | None, as_json: bool
) -> None:
    """List what people changed through the admin app, newest first: who, when, and what."""
    with open_session() as session:
        service = find_service(session, which) if which else None
        user = find_user(session, who) if who else None
        rows = [
            {
                "id": change.id,
                "at": change.created_at,
                "user": change.user_id,
                "operation": change.operation,
                "subject": ", ".join(f"{name}={value}" for name, value in change.subject.items()),
            }
            for change in list_changes(
                session,
                service_id=service.id if service else None,
                user_id=user.id if user else None,
                older_than=older_than,
                limit=limit,
            )
        ]
    show_table(rows, as_json)


COMMANDS: list[click.Command] = [list_changes_command]
