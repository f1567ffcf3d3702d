"""Commands that use the running API as any other client does: make a token, send a message."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click
import jwt

from notify import settings as configuration
from notify.cli.common import as_uuid, json_option, show
from notify.vocabulary import TEMPLATE_TYPES

SECONDS_TO_ANSWER: Final = 30
KEY_TAIL: Final = 73
"""Length of `serviceid-secret`, the end of a full API key."""


def make_token(api_key: str, *, now: float | None = None) -> str:
    """A JWT that authenticates a request (contract: public-api 1.2), valid for 30 seconds.

    Raises `click.ClickException` if `api_key` is not of the form `name-serviceid-secret`.
    """
    service_id, secret = as_uuid(api_key[-KEY_TAIL:-37]), as_uuid(api_key[-36:])
    if service_id is None or secret is None:
        raise click.ClickException("an API key looks like name-serviceid-secret, where the last two are UUIDs")
    issued = int(time.time() if now is None else now)
    return jwt.encode({"iss": api_key[-KEY_TAIL:-37], "iat": issued}, api_key[-36:], algorithm="HS256")


@click.command("token")
@click.option("--api-key", required=True, envvar="NOTIFY_API_KEY", help="The key: name-serviceid-secret.")
@json_option
def token_command(api_key: str, as_json: bool) -> None:
    """Print a token for the Authorization header of your own requests. It is valid for 30 seconds."""
    token = make_token(api_key)
    click.echo(json.dumps({"token": token, "authorization": f"Bearer {token}"}) if as_json else token)


def demo_file() -> dict[str, Any]:
    """The content of `dev.json`, which describes the demo service; empty if there is none."""
    try:
        text = (configuration.load().notify_data_dir / "dev.json").read_text(encoding="utf-8")
    except configuration.SettingsError as error:
        raise click.ClickException(str(error)) from None
    except OSError:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        raise click.ClickException("dev.json is damaged: start `notify up` again to write it again") from None
    return found if isinstance(found, dict) else {}


def _pairs(given: Sequence[str]) -> dict[str, str]:
    values = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f"--personalisation needs name=value, not {pair}")
        values[name] = value
    return values


@click.command("send")
@click.argument("message_type", type=click.Choice(TEMPLATE_TYPES), metavar="sms|email|letter", help="What to send.")
@click.option("--to", "recipient", help="Phone number or email address. A letter's address is personalisation.")
@click.option("--template", "template_id", help="Id of the template. [default: the demo service's]")
@click.option("--personalisation", "-p", "pairs", multiple=True, metavar="NAME=VALUE", help="Repeat for more.")
@click.option("--reference", help="Your own reference.")
@click.option("--sender", "sender_id", help="Id of the text message sender, or of the reply-to address.")
@click.option(
    "--api-key", envvar="NOTIFY_API_KEY", help="The key: name-serviceid-secret. [default: the demo service's]"
)
@click.option(
    "--api-url", envvar="NOTIFY_API_URL", help="Address of the API. [default: the demo's, else API_HOST_NAME]"
)
@json_option
def send_command(
    *,
    message_type: str,
    recipient: str | None,
    template_id: str | None,
    pairs: Sequence[str],
    reference: str | None,
    sender_id: str | None,
    api_key: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Send one message through the running API, as any other client would."""
    demo = demo_file()
    key = api_key or demo.get("api_keys", {}).get("normal")
    if not key:
        raise click.UsageError("give --api-key: there is no dev.json of a demo service here")
    template = template_id or demo.get("templates", {}).get(message_type)
    if not template:
        raise click.UsageError("give --template: there is no dev.json of a demo service here")
    body = {"template_id": template, "personalisation": _pairs(pairs)}
    body |= _addressing(message_type, recipient, sender_id)
    if reference:
        body["reference"] = reference
    base = api_url or demo.get("api_url") or configuration.load().api_host_name
    status, answer = _post(f"{base.rstrip('/')}/v2/notifications/{message_type}", make_token(key), body)
    if status != 201:
        _fail(status, answer)
    if as_json:
        click.echo(json.dumps(answer))
    else:
        show({"id": answer["id"], "look_at_it": answer["uri"]}, as_json=False)


def _addressing(message_type: str, recipient: str | None, sender_id: str | None) -> dict[str, str]:
    """The fields of a request that name recipient and sender."""
    if message_type == "letter":
        if sender_id:
            raise click.UsageError("--sender: a letter's sender is chosen on its template")
        return {}
    if not recipient:
        raise click.UsageError("give --to")
    is_text = message_type == "sms"
    fields = {"phone_number" if is_text else "email_address": recipient}
    if sender_id:
        fields["sms_sender_id" if is_text else "email_reply_to_id"] = sender_id
    return fields


def _post(url: str, token: str, body: Mapping[str, Any]) -> tuple[int, Any]:
    if not url.startswith(("http://", "https://")):
        raise click.ClickException(f"{url} is not an http address")
    request = urllib.request.Request(  # noqa: S310 - the scheme was just checked
        url,
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS_TO_ANSWER) as answer:  # noqa: S310
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _json_or_text(error.read())
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise click.ClickException(f"no answer from {url}: {reason}") from None


def _json_or_text(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")


def _fail(status: int, answer: Any) -> None:
    if isinstance(answer, dict) and isinstance(answer.get("errors"), list):
        reasons = "; ".join(str(error.get("message")) for error in answer["errors"])
    else:
        reasons = str(answer.get("message") if isinstance(answer, dict) else answer)
    raise click.ClickException(f"refused with {status}: {reasons}")


COMMANDS: list[click.Command] = [send_command, token_command]
