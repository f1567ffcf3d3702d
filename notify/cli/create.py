"""Commands that do the main job from a terminal: make users, services, keys and templates; send a message."""

from __future__ import annotations

import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TextIO, TypeVar
from uuid import UUID

import click
import jwt
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import notify.models  # noqa: F401 - makes the metadata complete
from notify import settings as configuration
from notify.accounts import queries as accounts
from notify.accounts.actions import create_user
from notify.accounts.models import User
from notify.infra.errors import ProblemError
from notify.infra.parts import Parts, build_parts
from notify.infra.times import utc_now
from notify.services import queries as services
from notify.services.actions import (
    DEFAULT_PERMISSIONS,
    LIVE_LIMITS,
    MessageLimits,
    create_api_key,
    create_service,
    revoke_api_key,
)
from notify.services.models import ApiKey, Service
from notify.templates.actions import POSTAGES, create_template
from notify.vocabulary import AUTH_TYPES, KEY_TYPES, ORGANISATION_TYPES, SERVICE_PERMISSIONS, TEMPLATE_TYPES

_F = TypeVar("_F", bound=Callable[..., Any])

SECONDS_TO_ANSWER: Final = 30
KEY_TAIL: Final = 73
"""Characters of `serviceid-secret`, which a full API key ends with."""


def json_option(function: _F) -> _F:
    """The option that every command here has."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")(function)


@contextmanager
def open_parts() -> Iterator[Parts]:
    """The parts that the environment names. What a user did wrong, or a lost dependency, becomes one line."""
    try:
        parts = build_parts(configuration.load())
    except configuration.SettingsError as error:
        raise click.ClickException(str(error)) from None
    try:
        yield parts
    except ProblemError as error:
        raise click.ClickException("; ".join(error.messages)) from None
    except DBAPIError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise click.ClickException(f"the database refused: {reason}") from None
    finally:
        parts.close()


def show(values: Mapping[str, Any], as_json: bool) -> None:
    """Print what was made: as JSON, or a line a value."""
    if as_json:
        click.echo(json.dumps(values, default=str))
        return
    width = max(len(name) for name in values)
    for name, value in values.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {value}")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def find_user(session: Session, who: str) -> User:
    """The user of an email address or an id."""
    user_id = _uuid(who)
    user = session.get(User, user_id) if user_id else accounts.user_by_email(session, who)
    if user is None:
        raise click.ClickException(f"there is no user {who}")
    return user


def find_service(session: Session, which: str) -> Service:
    """The service of a name or an id."""
    service_id = _uuid(which)
    wanted = select(Service).where(Service.id == service_id if service_id else Service.name == which)
    service = session.scalar(wanted)
    if service is None:
        raise click.ClickException(f"there is no service {which}")
    return service


@click.command("create-user")
@click.option("--name", required=True, help="Full name.")
@click.option("--email", "email_address", required=True, help="Email address, which they sign in with.")
@click.option("--mobile", "mobile_number", help="Mobile number for sign-in codes. Not needed with --auth email_auth.")
@click.option("--password", envvar="NOTIFY_NEW_PASSWORD", help="Password. Left out: one is made and printed.")
@click.option(
    "--auth", "auth_type", type=click.Choice(AUTH_TYPES), help="How they sign in. [default: by what is given]"
)
@click.option("--platform-admin", is_flag=True, help="May see and change every service.")
@json_option
def create_user_command(
    *,
    name: str,
    email_address: str,
    mobile_number: str | None,
    password: str | None,
    auth_type: str | None,
    platform_admin: bool,
    as_json: bool,
) -> None:
    """Make a user who can sign in at once."""
    chosen = password or secrets.token_urlsafe(12)
    with open_parts() as parts, parts.database.transaction() as session:
        user = create_user(
            session,
            name=name,
            email_address=email_address,
            password=chosen,
            mobile_number=mobile_number,
            auth_type=auth_type or ("sms_auth" if mobile_number else "email_auth"),
            state="active",
            platform_admin=platform_admin,
        )
        made = {"id": user.id, "email_address": user.email_address}
    show(made if password else {**made, "password": chosen}, as_json)


@click.command("create-service")
@click.option("--name", required=True, help="Name, which emails come from.")
@click.option("--user", "who", required=True, help="Email address or id of the user who becomes its first member.")
@click.option("--live/--trial", default=False, show_default=True, help="May send to anyone / only to its team.")
@click.option(
    "--permission",
    "permissions",
    multiple=True,
    type=click.Choice(SERVICE_PERMISSIONS),
    help=f"What it may do; repeat for more. [default: {', '.join(DEFAULT_PERMISSIONS)}]",
)
@click.option("--organisation-type", type=click.Choice(ORGANISATION_TYPES), help="What kind of body it belongs to.")
@click.option("--sms-limit", type=click.IntRange(min=0), help="Text messages a day. [default: 250000 live, 50 trial]")
@click.option("--email-limit", type=click.IntRange(min=0), help="Emails a day. [default: 250000 live, 50 trial]")
@click.option("--letter-limit", type=click.IntRange(min=0), help="Letters a day. [default: 20000 live, 50 trial]")
@click.option("--contact-link", help="Where people can contact the service; needed to send files by email.")
@json_option
def create_service_command(
    *,
    name: str,
    who: str,
    live: bool,
    permissions: Sequence[str],
    organisation_type: str | None,
    sms_limit: int | None,
    email_limit: int | None,
    letter_limit: int | None,
    contact_link: str | None,
    as_json: bool,
) -> None:
    """Make a service: a sender of messages, with a team, keys and templates of its own."""
    usual = LIVE_LIMITS if live else MessageLimits()
    with open_parts() as parts, parts.database.transaction() as session:
        service = create_service(
            session,
            name=name,
            user_id=find_user(session, who).id,
            from_number=parts.settings.from_number,
            restricted=not live,
            go_live_at=utc_now() if live else None,
            permissions=permissions or DEFAULT_PERMISSIONS,
            organisation_type=organisation_type,
            contact_link=contact_link,
            limits=MessageLimits(
                sms=usual.sms if sms_limit is None else sms_limit,
                email=usual.email if email_limit is None else email_limit,
                letter=usual.letter if letter_limit is None else letter_limit,
                international_sms=usual.international_sms,
            ),
        )
        made = {"id": service.id, "name": service.name, "mode": "live" if live else "trial"}
    show(made, as_json)


@click.command("create-api-key")
@click.option("--service", "which", required=True, help="Name or id of the service.")
@click.option("--name", required=True, help="What the key is for.")
@click.option(
    "--type",
    "key_type",
    type=click.Choice(KEY_TYPES),
    default="normal",
    show_default=True,
    help="normal sends for real; team only to the team and the guest list; test never sends.",
)
@click.option("--user", "who", help="Email address or id of who makes it. [default: who changed the service last]")
@json_option
def create_api_key_command(which: str, name: str, key_type: str, who: str | None, as_json: bool) -> None:
    """Make an API key and print it. It cannot be shown again."""
    with open_parts() as parts, parts.database.transaction() as session:
        service = find_service(session, which)
        made = create_api_key(
            session,
            parts.encryptor,
            service_id=service.id,
            name=name,
            key_type=key_type,
            created_by_id=find_user(session, who).id if who else service.created_by_id,
        )
        values = {"id": made.key.id, "type": key_type, "api_key": made.full}
    show(values, as_json)


@click.command("revoke-api-key")
@click.option("--service", "which", required=True, help="Name or id of the service.")
@click.option("--key", required=True, help="Name or id of the key.")
@json_option
def revoke_api_key_command(which: str, key: str, as_json: bool) -> None:
    """End an API key for good. Requests signed with it are refused within two seconds."""
    with open_parts() as parts, parts.database.transaction() as session:
        service = find_service(session, which)
        key_id = _uuid(key) or session.scalar(
            select(ApiKey.id).where(ApiKey.service_id == service.id, ApiKey.name == key, ApiKey.expiry_date.is_(None))
        )
        if key_id is None:
            raise click.ClickException(f"the service has no key named {key} that is not revoked")
        revoked = revoke_api_key(session, service.id, key_id)
        values = {"id": revoked.id, "name": revoked.name, "revoked_at": revoked.expiry_date}
    show(values, as_json)


@click.command("create-template")
@click.option("--service", "which", required=True, help="Name or id of the service.")
@click.option("--type", "template_type", required=True, type=click.Choice(TEMPLATE_TYPES), help="What it makes.")
@click.option("--name", required=True, help="Name, for the team.")
@click.option("--subject", help="Subject of an email, heading of a letter.")
@click.option("--content", help="Text, with placeholders like ((name)).")
@click.option("--content-file", type=click.File(encoding="utf-8"), help="File with the text; - for standard input.")
@click.option("--postage", type=click.Choice(POSTAGES), help="Class of post of a letter. [default: second]")
@click.option("--unsubscribe-link", is_flag=True, help="Put a one-click unsubscribe link into the email.")
@click.option("--user", "who", help="Email address or id of the author. [default: who changed the service last]")
@json_option
def create_template_command(
    *,
    which: str,
    template_type: str,
    name: str,
    subject: str | None,
    content: str | None,
    content_file: TextIO | None,
    postage: str | None,
    unsubscribe_link: bool,
    who: str | None,
    as_json: bool,
) -> None:
    """Make a template that messages are sent from."""
    if (content is None) == (content_file is None):
        raise click.UsageError("give either --content or --content-file")
    text = content if content_file is None else content_file.read()
    with open_parts() as parts, parts.database.transaction() as session:
        service = find_service(session, which)
        template = create_template(
            session,
            service_id=service.id,
            template_type=template_type,
            name=name,
            subject=subject,
            content=text or "",
            postage=postage,
            has_unsubscribe_link=unsubscribe_link,
            created_by_id=find_user(session, who).id if who else service.created_by_id,
        )
        values = {"id": template.id, "type": template_type, "name": name, "version": template.version}
    show(values, as_json)


@click.command("list-services")
@json_option
def list_services_command(as_json: bool) -> None:
    """List every service, oldest first."""
    with open_parts() as parts, parts.database.session() as session:
        rows = [
            {"id": str(service.id), "name": service.name, "mode": _mode(service)}
            for service in services.list_services(session)
        ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['mode']:<8}  {row['name']}")


def _mode(service: Service) -> str:
    if not service.active:
        return "archived"
    return "trial" if service.restricted else "live"


def make_token(api_key: str, *, now: float | None = None) -> str:
    """The JWT that proves to the API who asks (contract: public-api 1.2), good for 30 seconds.

    Raises `click.ClickException` when `api_key` is not of the form `name-serviceid-secret`.
    """
    service_id, secret = _uuid(api_key[-KEY_TAIL:-37]), _uuid(api_key[-36:])
    if service_id is None or secret is None:
        raise click.ClickException("an API key looks like name-serviceid-secret, where the last two are UUIDs")
    issued = int(time.time() if now is None else now)
    return jwt.encode({"iss": api_key[-KEY_TAIL:-37], "iat": issued}, api_key[-36:], algorithm="HS256")


@click.command("token")
@click.option("--api-key", required=True, envvar="NOTIFY_API_KEY", help="The key: name-serviceid-secret.")
@json_option
def token_command(api_key: str, as_json: bool) -> None:
    """Print a token for the Authorization header of one's own requests. It is good for 30 seconds."""
    token = make_token(api_key)
    click.echo(json.dumps({"token": token, "authorization": f"Bearer {token}"}) if as_json else token)


def demo_file() -> dict[str, Any]:
    """What `dev.json` says of the demo service; nothing where there is none."""
    try:
        text = (configuration.load().notify_data_dir / "dev.json").read_text(encoding="utf-8")
    except configuration.SettingsError as error:
        raise click.ClickException(str(error)) from None
    except OSError:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        raise click.ClickException("dev.json is damaged: start `notify up` again to have it written anew") from None
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
@click.option("--reference", help="A reference of one's own.")
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
    template = template_id or demo.get("templates", {}).get(message_type)
    if not key:
        raise click.UsageError("give --api-key: there is no dev.json of a demo service here")
    if not template:
        raise click.UsageError("give --template: there is no dev.json of a demo service here")
    body: dict[str, Any] = {"template_id": template, "personalisation": _pairs(pairs)}
    if message_type != "letter":
        if not recipient:
            raise click.UsageError("give --to")
        body["phone_number" if message_type == "sms" else "email_address"] = recipient
    if sender_id:
        if message_type == "letter":
            raise click.UsageError("--sender: a letter's sender is chosen on its template")
        body["sms_sender_id" if message_type == "sms" else "email_reply_to_id"] = sender_id
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


COMMANDS: list[click.Command] = [
    create_user_command,
    create_service_command,
    create_api_key_command,
    revoke_api_key_command,
    create_template_command,
    list_services_command,
    send_command,
    token_command,
]
