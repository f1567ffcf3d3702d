"""Commands about callbacks: where, and how, services are notified of events."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final

import click

from notify.cli.common import author_id, find_service, json_option, open_parts, service_option, show, user_option
from notify.vocabulary import CALLBACK_TYPES
from notify.webhooks.actions import create_callback, delete_callback, signing_secret, update_callback
from notify.webhooks.models import CallbackApi
from notify.webhooks.settings import CallbackSettings

_type = click.option("--type", "callback_type", required=True, type=click.Choice(CALLBACK_TYPES), help="Kind of event.")
_secret = click.option(
    "--signing-secret",
    "secret",
    help="Secret that callbacks are signed with: whsec_ and base64. [default: derived from the token]",
)
TOKEN_BYTES: Final = 24


def _save(
    action: Callable[..., CallbackApi], which: str, who: str | None, secret: str | None, **values: Any
) -> dict[str, Any]:
    """Create or change a callback; returns what to print."""
    with open_parts() as parts, parts.database.transaction() as session:
        service = find_service(session, which)
        callback = action(
            session,
            parts.encryptor,
            service_id=service.id,
            signing_secret=secret,
            updated_by_id=author_id(session, who, service),
            guarded=parts.settings.part(CallbackSettings).callbacks_are_guarded,
            **values,
        )
        return {
            "id": callback.id,
            "type": callback.callback_type,
            "url": callback.url,
            "signing_secret": signing_secret(callback, parts.encryptor),
        }


@click.command("create-callback")
@service_option
@_type
@click.option("--url", required=True, help="Address to call; https outside development.")
@click.option("--token", help="Bearer token of the calls, 10 characters at least. Left out: one is made and printed.")
@_secret
@user_option
@json_option
def create_callback_command(
    *, which: str, callback_type: str, url: str, token: str | None, secret: str | None, who: str | None, as_json: bool
) -> None:
    """Notify a service of one kind of event, from at most two seconds on."""
    chosen = token or secrets.token_urlsafe(TOKEN_BYTES)
    values = _save(create_callback, which, who, secret, callback_type=callback_type, url=url, bearer_token=chosen)
    show(values if token else {**values, "bearer_token": chosen}, as_json)


@click.command("update-callback")
@service_option
@_type
@click.option("--url", help="Another address to call.")
@click.option("--token", help="Another bearer token.")
@_secret
@user_option
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
    """Change where, or how, a service is notified. This holds for waiting callbacks too."""
    show(_save(update_callback, which, who, secret, callback_type=callback_type, url=url, bearer_token=token), as_json)


@click.command("delete-callback")
@service_option
@_type
@json_option
def delete_callback_command(which: str, callback_type: str, as_json: bool) -> None:
    """Stop notifying a service of one kind of event. Waiting callbacks are dropped."""
    with open_parts() as parts, parts.database.transaction() as session:
        service = find_service(session, which)
        delete_callback(session, service_id=service.id, callback_type=callback_type)
        values = {"service_id": service.id, "deleted": callback_type}
    show(values, as_json)
