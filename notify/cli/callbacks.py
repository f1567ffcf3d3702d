"""Commands about callbacks: where, and how, services are told what happened."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final

import click

from notify.cli.create import find_service, find_user, json_option, open_parts, show
from notify.vocabulary import CALLBACK_TYPES
from notify.webhooks.actions import create_callback, delete_callback, signing_secret, update_callback
from notify.webhooks.models import CallbackApi

_service = click.option("--service", "which", required=True, help="Name or id of the service.")
_type = click.option(
    "--type", "callback_type", required=True, type=click.Choice(CALLBACK_TYPES), help="What it is told of."
)
_user = click.option(
    "--user", "who", help="Email address or id of who does it. [default: who changed the service last]"
)
_secret = click.option(
    "--signing-secret",
    "secret",
    help="Secret that callbacks are signed with: whsec_ and base64. [default: derived from the token]",
)
TOKEN_BYTES: Final = 24


def _save(
    action: Callable[..., CallbackApi], which: str, who: str | None, secret: str | None, **values: Any
) -> dict[str, Any]:
    """Make or change a callback; what to print of it."""
    with open_parts() as parts, parts.database.transaction() as session:
        service = find_service(session, which)
        callback = action(
            session,
            parts.encryptor,
            service_id=service.id,
            signing_secret=secret,
            updated_by_id=find_user(session, who).id if who else service.created_by_id,
            guarded=parts.settings.callbacks_are_guarded,
            **values,
        )
        return {
            "id": callback.id,
            "type": callback.callback_type,
            "url": callback.url,
            "signing_secret": signing_secret(callback, parts.encryptor),
        }


@click.command("create-callback")
@_service
@_type
@click.option("--url", required=True, help="Address to call; https outside development.")
@click.option("--token", help="Bearer token of the calls, 10 characters at least. Left out: one is made and printed.")
@_secret
@_user
@json_option
def create_callback_command(
    *, which: str, callback_type: str, url: str, token: str | None, secret: str | None, who: str | None, as_json: bool
) -> None:
    """Have a service told of one kind of event. It holds within two seconds."""
    chosen = token or secrets.token_urlsafe(TOKEN_BYTES)
    values = _save(create_callback, which, who, secret, callback_type=callback_type, url=url, bearer_token=chosen)
    show(values if token else {**values, "bearer_token": chosen}, as_json)


@click.command("update-callback")
@_service
@_type
@click.option("--url", help="Another address to call.")
@click.option("--token", help="Another bearer token.")
@_secret
@_user
@json_option
def update_callback_command(
    *,
    which: str,
    callback_type: str,
    url: str | None,
    token: str | None,
    secret: str | None,
    who: str | None,
    as_json: bool,
) -> None:
    """Change where, or how, a service is told. What waits is told in the new way."""
    show(_save(update_callback, which, who, secret, callback_type=callback_type, url=url, bearer_token=token), as_json)


@click.command("delete-callback")
@_service
@_type
@json_option
def delete_callback_command(which: str, callback_type: str, as_json: bool) -> None:
    """Have a service told no more. What waits is dropped."""
    with open_parts() as parts, parts.database.transaction() as session:
        service = find_service(session, which)
        delete_callback(session, service_id=service.id, callback_type=callback_type)
        values = {"service_id": service.id, "deleted": callback_type}
    show(values, as_json)
