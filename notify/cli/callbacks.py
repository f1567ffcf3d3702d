"""Commands about callbacks."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import click
from sqlalchemy.orm import Session

from notify.cli.common import (
    author_id,
    find_service,
    json_option,
    need_uuid,
    open_parts,
    service_option,
    show,
    user_option,
)
from notify.inbound.models import InboundText
from notify.infra.container import Container
from notify.messages.callbacks import is_called_back
from notify.messages.models import Notification
from notify.vocabulary import CALLBACK_TYPES
from notify.webhooks.actions import create_callback, delete_callback, signing_secret, update_callback
from notify.webhooks.again import send_again
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
@click.option("--url", required=True, help="URL to call; https outside development.")
@click.option("--token", help="Bearer token of the calls, 10 characters at least. Left out: one is made and printed.")
@_secret
@user_option
@json_option
def create_callback_command(
    *, which: str, callback_type: str, url: str, token: str | None, secret: str | None, who: str | None, as_json: bool
) -> None:
    """Call a service back about one kind of event, within two seconds from now."""
    chosen = token or secrets.token_urlsafe(TOKEN_BYTES)
    values = _save(create_callback, which, who, secret, callback_type=callback_type, url=url, bearer_token=chosen)
    show(values if token else {**values, "bearer_token": chosen}, as_json)


@click.command("update-callback")
@service_option
@_type
@click.option("--url", help="New URL to call.")
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
    """Change the address, token or secret of a callback. Pending callbacks use the new values too."""
    show(_save(update_callback, which, who, secret, callback_type=callback_type, url=url, bearer_token=token), as_json)


@click.command("delete-callback")
@service_option
@_type
@json_option
def delete_callback_command(which: str, callback_type: str, as_json: bool) -> None:
    """Stop calling a service back about one kind of event. Pending callbacks are dropped."""
    with open_parts() as parts, parts.database.transaction() as session:
        service = find_service(session, which)
        delete_callback(session, service_id=service.id, callback_type=callback_type)
        values = {"service_id": service.id, "deleted": callback_type}
    show(values, as_json)


@click.command("resend-callback")
@click.argument("subject", metavar="ID")
@json_option
def resend_callback_command(subject: str, as_json: bool) -> None:
    """Send the callback about a message or a received text again.

    ID is that of the message or text. `webhook-id` is the same as the first time, so that the receiver can recognise
    the event. A pending callback is tried at once.
    """
    subject_id = need_uuid(subject, "message")
    with open_parts() as parts:
        types = send_again(Container(parts), subject_id)
        if not types:
            with parts.database.session() as session:
                raise click.ClickException(_why_none(session, subject_id))
    show({"id": subject_id, "sent_again": ", ".join(types)}, as_json)


def _why_none(session: Session, subject_id: UUID) -> str:
    """Why there is nothing to send again."""
    message = session.get(Notification, subject_id)
    if message is None and session.get(InboundText, subject_id) is None:
        return f"there is no message or received text {subject_id}"
    kind = "inbound_sms" if message is None else "delivery_status"
    if message is not None and message.notification_type == "letter":
        return "services are not called back about letters"
    if message is not None and not is_called_back(message.notification_status):
        return (
            f"the message is {message.notification_status}: services are called back when it is delivered or has failed"
        )
    return f"its service has no callback: notify create-callback --type {kind}"
