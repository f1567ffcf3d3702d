"""Commands about API keys."""

from __future__ import annotations

import click

from notify.cli.common import (
    as_uuid,
    author_id,
    find_service,
    json_option,
    open_parts,
    open_session,
    service_option,
    show,
    show_table,
    user_option,
)
from notify.services.api_keys import create_api_key, list_api_keys, revoke_api_key
from notify.vocabulary import KEY_TYPES


@click.command("create-api-key")
@service_option
@click.option("--name", required=True, help="Name of the key.")
@click.option(
    "--type",
    "key_type",
    type=click.Choice(KEY_TYPES),
    default="normal",
    show_default=True,
    help="normal sends for real; team only to the team and the guest list; test never sends.",
)
@user_option
@json_option
def create_api_key_command(which: str, name: str, key_type: str, who: str | None, as_json: bool) -> None:
    """Create an API key and print it. It cannot be shown again."""
    with open_parts() as parts, parts.database.transaction() as session:
        service = find_service(session, which)
        made = create_api_key(
            session,
            parts.encryptor,
            service_id=service.id,
            name=name,
            key_type=key_type,
            created_by_id=author_id(session, who, service),
        )
        values = {"id": made.key.id, "type": key_type, "api_key": made.full}
    show(values, as_json)


@click.command("revoke-api-key")
@service_option
@click.option("--key", required=True, help="Name or id of the key.")
@json_option
def revoke_api_key_command(which: str, key: str, as_json: bool) -> None:
    """Revoke an API key for good. Within two seconds, requests signed with it are refused."""
    with open_session() as session:
        service = find_service(session, which)
        named = [row.id for row in list_api_keys(session, service.id) if row.name == key and row.expiry_date is None]
        key_id = as_uuid(key) or next(iter(named), None)
        if key_id is None:
            raise click.ClickException(f"the service has no key named {key} that is not revoked")
        revoked = revoke_api_key(session, service.id, key_id)
        values = {"id": revoked.id, "name": revoked.name, "revoked_at": revoked.expiry_date}
    show(values, as_json)


@click.command("list-api-keys")
@service_option
@json_option
def list_api_keys_command(which: str, as_json: bool) -> None:
    """List a service's API keys, newest first, without their secrets. Revoked ones are listed for 7 days."""
    with open_session() as session:
        rows = [
            {"id": key.id, "type": key.key_type, "revoked_at": key.expiry_date, "name": key.name}
            for key in list_api_keys(session, find_service(session, which).id)
        ]
    show_table(rows, as_json)


COMMANDS: list[click.Command] = [create_api_key_command, revoke_api_key_command, list_api_keys_command]
