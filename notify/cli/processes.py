"""One type of process each, in the foreground, from the settings in the environment. SIGTERM ends them gracefully."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from notify import settings as configuration
from notify.cli.keys import refuse_wrong_keys
from notify.settings import Settings

if TYPE_CHECKING:
    from celery import Celery

STOP_SECONDS = 5
"""A web process that has not answered its last request by then is killed."""
BACKLOG = 1024


def refuse_taken_port(host: str, port: int, *, variable: str = "PORT") -> None:
    """Raise `click.ClickException` (one line) when the port cannot be listened on. The server itself would not notice:
    it shares its port with its own siblings, and so with a stranger of the same account.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = f"another program listens there; stop it, or choose another {variable}"
            else:
                reason = error.strerror or str(error)
            raise click.ClickException(f"port {port} of {host} cannot be used: {reason}") from None


def few_arenas() -> None:
    """Have glibc serve all threads from two heaps. Its usual eight per core keep what each thread once needed; the
    interpreter lets only one of them allocate at a time anyway.
    """
    import ctypes

    arena_max = -8
    try:
        ctypes.CDLL(None).mallopt(arena_max, 2)
    except (AttributeError, OSError):  # another C library
        return


def _settings(kind: str, **overrides: Any) -> Settings:
    os.environ.setdefault("NOTIFY_APP_NAME", kind)
    settings = configuration.load(**overrides)
    if not settings.sqlalchemy_database_uri:
        raise configuration.SettingsError("SQLALCHEMY_DATABASE_URI: must be set (or start everything with `notify up`)")
    refuse_wrong_keys(settings)
    return settings


def _share_metrics(settings: Settings, *, alone: bool) -> None:
    """Count where the settings say; where they do not, in a folder of our own, or in memory if this is `alone`."""
    from notify.infra import metrics_folder

    if settings.prometheus_multiproc_dir:
        metrics_folder.share(settings.prometheus_multiproc_dir)
    elif not alone:
        metrics_folder.share_for_now()


def _before_command(celery: Celery) -> list[str]:
    """What Celery's own command line is told in any case: it would read `BROKER_URL` by itself, and greet."""
    import logging

    logging.captureWarnings(True)  # into the log, like everything else
    return ["--quiet", f"--broker={celery.conf.broker_url}"]


def _server_logging() -> dict[str, Any]:
    """How the HTTP server's own few lines are logged: as JSON, like everything else."""
    import structlog

    processors: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(),
    ]
    before: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    formatter = {
        "()": "structlog.stdlib.ProcessorFormatter",
        "processors": processors,
        "foreign_pre_chain": before,
    }
    return {"formatters": {"generic": formatter, "access": formatter}}


@click.command()
def web() -> None:
    """Run the API."""
    few_arenas()
    settings = _settings("web")
    refuse_taken_port(settings.web_host, settings.port)
    _share_metrics(settings, alone=False)

    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        "notify.app:create_app",
        factory=True,
        address=settings.web_host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.web_processes,
        blocking_threads=settings.web_threads,
        # connections, not requests: an idle one that a client keeps counts as well
        backpressure=settings.web_connections,
        backlog=BACKLOG,
        websockets=False,
        log_access=False,
        # it warns of more threads than cores, but ours wait for the database
        log_level=LogLevels.error,
        log_dictconfig=_server_logging(),
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
    ).serve()


def _list_roles(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from notify.queues import ALL_ROLES, ROLES

    for role, queues in ROLES.items():
        click.echo(f"{role:<24} {', '.join(queues)}")
    click.echo(f"{ALL_ROLES:<24} every queue")
    context.exit()


def _chosen_queues(roles: tuple[str, ...], queues: str | None) -> list[str]:
    """The queues of a worker. Raises `click.UsageError` for a name that there is not."""
    from notify.queues import ALL_ROLES, QUEUES, ROLES, queues_of

    if unknown := [role for role in roles if role != ALL_ROLES and role not in ROLES]:
        raise click.UsageError(f"--role: there is no role {unknown[0]}; there are {', '.join((*ROLES, ALL_ROLES))}")
    named = [queue.strip() for queue in (queues or "").split(",") if queue.strip()]
    if unknown := [queue for queue in named if queue not in QUEUES]:
        raise click.UsageError(f"--queues: there is no queue {unknown[0]}; there are {', '.join(QUEUES)}")
    chosen = [queue for role in roles for queue in queues_of(role)] + named
    return list(dict.fromkeys(chosen)) or list(QUEUES)


@click.command()
@click.option("--role", "roles", multiple=True, metavar="NAME", help="Serve the queues of this role; may be repeated.")
@click.option("--queues", help="Names of queues to serve, with commas. [default: all]")
@click.option(
    "--list-roles",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_roles,
    help="Show the roles and their queues.",
)
@click.option(
    "--concurrency", type=click.IntRange(1, 1024), help="Tasks at the same time. [default: WORKER_CONCURRENCY]"
)
@click.option("--name", help="Tells the workers of a host apart. [default: the role, or worker]")
def worker(roles: tuple[str, ...], queues: str | None, concurrency: int | None, name: str | None) -> None:
    """Run a worker, for all task queues or those of a role."""
    chosen = _chosen_queues(roles, queues)
    few_arenas()
    kind = f"worker-{roles[0]}" if len(roles) == 1 else "worker"
    settings = _settings(kind)
    prefix = settings.notification_queue_prefix
    _share_metrics(settings, alone=True)
    if settings.worker_metrics_port:
        refuse_taken_port(settings.worker_metrics_host, settings.worker_metrics_port, variable="WORKER_METRICS_PORT")

        from notify.public.metrics_page import MetricsPage, serve_apart

        page = MetricsPage(settings.effective_metrics_token, None)
        serve_apart(page, settings.worker_metrics_host, settings.worker_metrics_port)

    from notify.worker import create_celery

    celery = create_celery(settings)
    refuse_wrong_keys(settings, at_first=True)
    celery.worker_main(
        [
            *_before_command(celery),
            "worker",
            "--pool=threads",
            f"--concurrency={concurrency or settings.worker_concurrency}",
            f"--queues={','.join(prefix + queue for queue in chosen)}",
            f"--hostname={name or kind}@%h",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            f"--loglevel={settings.notify_log_level}",
        ]
    )


@click.command()
def beat() -> None:
    """Run the clock of periodic tasks. One for all machines."""
    settings = _settings("beat")
    folder = settings.notify_data_dir / "beat"
    folder.mkdir(parents=True, exist_ok=True)

    from notify.worker import create_celery

    celery = create_celery(settings)
    refuse_wrong_keys(settings, at_first=True)
    celery.start(
        [
            *_before_command(celery),
            "beat",
            f"--schedule={folder / 'schedule'}",
            "--pidfile=",
            f"--loglevel={settings.notify_log_level}",
        ]
    )


@click.command("ses-receipts")
def ses_receipts() -> None:
    """Apply what SES says of emails, from an SQS queue.

    It is the queue at SES_RECEIPTS_QUEUE_URL, which SES's SNS topic feeds. Several may read the same one.
    """
    few_arenas()
    settings = _settings("ses-receipts")
    if not settings.ses_receipts_queue_url:
        raise configuration.SettingsError("SES_RECEIPTS_QUEUE_URL: must be set, to the queue to read from")

    _share_metrics(settings, alone=True)

    from notify.infra.container import Container
    from notify.infra.parts import build_parts, configure_logs, configure_traces
    from notify.messages.ses_events import SesEvents
    from notify.messages.ses_queue import SESQueue

    configure_logs(settings)
    configure_traces(settings)
    container = Container(build_parts(settings))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        SESQueue(settings.ses_receipts_queue_url, settings.aws_region, container.get(SesEvents)).run(stop)
    finally:
        container.close()


@click.command()
def sandbox() -> None:
    """Run the provider that only pretends to send."""
    settings = _settings("sandbox")
    if not settings.sandbox_url:
        raise configuration.SettingsError(
            "SANDBOX_URL: must be set, to where the sandbox listens and the others find it"
        )
    place = urlsplit(settings.sandbox_url)
    refuse_taken_port(place.hostname or "127.0.0.1", place.port or 80, variable="SANDBOX_URL")

    from notify.providers.sandbox.server import run

    run(settings)
