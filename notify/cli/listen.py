"""`notify listen`: prints the callbacks of an instance on this machine, and forwards them to a local port."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import json
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import click
from sqlalchemy.exc import SQLAlchemyError

from notify.cli.common import author_id, find_service, open_parts
from notify.cli.listening import Heard, Listener
from notify.cli.send import demo_file
from notify.infra.parts import Parts
from notify.safety import is_loopback
from notify.settings import Settings
from notify.vocabulary import CALLBACK_TYPES
from notify.webhooks.detour import Detour, divert, put_back
from notify.webhooks.outbox import KNOWN_SECONDS
from notify.webhooks.settings import CallbackSettings

ANSWER_MARGIN_SECONDS: Final = 0.5


@click.command("listen")
@click.option("--service", "which", help="Name or id of the service. [default: the demo service]")
@click.option(
    "--forward-to", metavar="PORT|URL", help="Where to forward them: 3000, or http://localhost:3000/callbacks."
)
@click.option(
    "--type", "types", multiple=True, type=click.Choice(CALLBACK_TYPES), help="Only this kind; may be repeated."
)
@click.option("--body", "with_body", is_flag=True, help="Print whole bodies, also when forwarding.")
@click.option("--json", "as_json", is_flag=True, help="Print each as one line of JSON.")
def listen_command(
    which: str | None, forward_to: str | None, types: tuple[str, ...], with_body: bool, as_json: bool
) -> None:
    """Print callbacks as they arrive, and forward them to a local port.

    For development, next to `notify up`: no public address is needed. While it runs it replaces the service's callback
    URLs. Without --forward-to, callbacks are forwarded to the URLs that the service already has. Ctrl-C restores
    everything.
    """
    target = _target(forward_to) if forward_to else None
    with open_parts() as parts:
        if not parts.settings.is_safe_environment:
            raise click.ClickException(f"refused in environment {parts.settings.notify_environment!r}")
        if parts.settings.part(CallbackSettings).callbacks_are_guarded:
            raise click.ClickException(
                "CALLBACK_GUARD=1 forbids callbacks to this machine: unset it for `notify listen`"
            )
        wanted = which or demo_file().get("service_id")
        if not wanted:
            raise click.UsageError("give --service: there is no dev.json of a demo service here")
        with parts.database.session() as session:
            service = find_service(session, wanted)
            service_id, name, author = service.id, service.name, author_id(session, None, service)
        said = _Said(with_body=with_body or target is None, as_json=as_json)
        with _remembered(parts.settings.notify_data_dir, service_id) as memory:
            _Session(parts, service_id, author, memory, said).run(name, types or CALLBACK_TYPES, target)


def _target(text: str) -> str:
    """The URL of a `--forward-to` option. Raises `click.UsageError`."""
    url = f"http://localhost:{text}" if text.isdigit() else text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and parts.port != 0 and is_loopback(parts.hostname or "")
    except ValueError:
        is_good = False
    if not is_good:
        raise click.UsageError(f"--forward-to: {text} is neither a port nor an http address of this machine")
    return url


@contextmanager
def _remembered(folder: Path, service_id: UUID) -> Iterator[IO[str]]:
    """A locked file that lists what to restore: it survives if the process is killed."""
    path = folder / "run" / f"listen-{service_id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        path.chmod(0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException("another `notify listen` runs for this service") from None
        yield file


class _Said:
    """Prints the command's output."""

    def __init__(self, *, with_body: bool, as_json: bool) -> None:
        self._with_body = with_body
        self._as_json = as_json
        self._lock = threading.Lock()

    def note(self, text: str) -> None:
        """Print a line about the command itself, unless the output is JSON."""
        if not self._as_json:
            click.echo(text)

    def heard(self, heard: Heard) -> None:
        """Print a callback that arrived."""
        with self._lock:
            if self._as_json:
                values = {name: value for name, value in asdict(heard).items() if name != "body"}
                click.echo(json.dumps({**values, "body": heard.event}))
                return
            click.echo(f"{time.strftime('%H:%M:%S')}  {heard.callback_type:<15}  {summary(heard)}{_outcome(heard)}")
            if heard.problem and (subject := subject_of(heard)):
                click.echo(f"  when it runs, resend the callback: notify resend-callback {subject}")
            if self._with_body:
                click.echo("  " + json.dumps(heard.event, indent=2, ensure_ascii=False).replace("\n", "\n  "))


def summary(heard: Heard) -> str:
    """A callback as one line."""
    event = heard.event if isinstance(heard.event, dict) else {}
    if heard.callback_type == "delivery_status":
        return f"{event.get('status')}  to {event.get('to')}  {event.get('id')}"
    if heard.callback_type == "inbound_sms":
        return f"from {event.get('source_number')}: {event.get('message')}"
    return f"about {event.get('notification_id')}"


def subject_of(heard: Heard) -> str | None:
    """The id for `notify resend-callback`; None if it cannot resend this callback."""
    event = heard.event if isinstance(heard.event, dict) else {}
    return event.get("id") if heard.callback_type in ("delivery_status", "inbound_sms") else None


def _outcome(heard: Heard) -> str:
    if heard.passed_to is None:
        return ""
    answer = heard.problem or f"{heard.status} in {heard.milliseconds:.0f} ms"
    return f"  -> {heard.passed_to}: {answer}"


class _Session:
    """One run of the command."""

    def __init__(self, parts: Parts, service_id: UUID, author: UUID, memory: IO[str], said: _Said) -> None:
        self._parts = parts
        self._service_id = service_id
        self._author = author
        self._memory = memory
        self._said = said

    def run(self, name: str, types: Sequence[Any], target: str | None) -> None:
        """Listen until we are asked to stop."""
        self._put_back(self._left())
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: stop.set())
        seconds = self._parts.settings.part(CallbackSettings).callback_timeout_seconds
        with Listener({}, self._said.heard, seconds=max(seconds - ANSWER_MARGIN_SECONDS, seconds / 2)) as listener:
            # a secret path: other users of this machine cannot guess it
            base = f"{listener.address}/{secrets.token_urlsafe(16)}"
            detours = self._divert({kind: f"{base}/{kind}" for kind in types}, listener, target)
            thread = threading.Thread(target=listener.serve_forever, daemon=True)
            thread.start()
            try:
                stop.wait(KNOWN_SECONDS)  # until every process has refreshed its cache
                self._welcome(name, detours, target)
                stop.wait()
            finally:
                self._end(lambda: self._put_back(detours))
                listener.shutdown()

    def _divert(self, addresses: Any, listener: Listener, target: str | None) -> list[Detour]:
        with self._parts.database.transaction() as session:
            detours = divert(
                session,
                self._parts.encryptor,
                service_id=self._service_id,
                addresses=addresses,
                bearer_token=_token(self._parts.settings, self._service_id),
                updated_by_id=self._author,
                guarded=False,
            )
            # before the commit: if killed in between, there is nothing to restore, which is harmless
            self._remember(detours)
        for one in detours:
            listener.targets[urlsplit(one.address).path] = (one.callback_type, target or one.before)
        return detours

    def _welcome(self, name: str, detours: Sequence[Detour], target: str | None) -> None:
        self._said.note(f"Listening to {name}" + (f", forwarding to {target}" if target else "") + ". Ctrl-C stops.")
        if any(one.before is None for one in detours):
            self._said.note(f"  bearer token    {_token(self._parts.settings, self._service_id)}")
        signing_secrets = dict.fromkeys(one.signing_secret for one in detours)
        for secret in signing_secrets:
            kinds = ", ".join(one.callback_type for one in detours if one.signing_secret == secret)
            self._said.note(f"  signing secret  {secret}" + (f"  ({kinds})" if len(signing_secrets) > 1 else ""))
        self._said.note("")

    def _put_back(self, detours: Sequence[Detour]) -> None:
        if not detours:
            return
        with self._parts.database.transaction() as session:
            put_back(session, self._parts.encryptor, detours, service_id=self._service_id, updated_by_id=self._author)
        self._remember([])

    def _end(self, last: Callable[[], None]) -> None:
        try:
            last()
        except SQLAlchemyError:
            click.echo("The database is unreachable: the next `notify listen` restores the callbacks.", err=True)

    def _left(self) -> list[Detour]:
        """The detours that a killed run has left."""
        self._memory.seek(0)
        try:
            return [Detour(signing_secret="", **one) for one in json.loads(self._memory.read() or "[]")]
        except (ValueError, TypeError):
            return []

    def _remember(self, detours: Sequence[Detour]) -> None:
        kept = [{"callback_type": one.callback_type, "address": one.address, "before": one.before} for one in detours]
        self._memory.seek(0)
        self._memory.truncate()
        self._memory.write(json.dumps(kept))
        self._memory.flush()


def _token(settings: Settings, service_id: UUID) -> str:
    """The bearer token of callbacks created for `notify listen`: always the same for a service of an installation, so
    that the receiver is configured once.
    """
    digest = hmac.new(settings.secret_key[-1].encode(), f"listen {service_id}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()
