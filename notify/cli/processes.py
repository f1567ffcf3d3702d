"""Commands that run one type of process each, in the foreground. SIGTERM ends them gracefully."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from notify import settings as configuration
from notify.cli.keys import refuse_wrong_keys
from notify.providers.settings import EmailProviderSettings
from notify.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from notify.infra.watched import Beat


def resolve(host: str, *, variable: str) -> str:
    """The IP address to listen on: `host` itself, or what the name resolves to; IPv4 if both. Raises
    `click.ClickException` (one line) for a name that does not resolve.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no host name"
        raise click.ClickException(f"{variable}: {host!r} is no address to listen on: {reason}") from None
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return str(found[0][4][0])


def refuse_taken_port(host: str, port: int, *, variable: str = "PORT") -> None:
    """Raise `click.ClickException` (one line) if the port cannot be used. The server itself would not notice: its
    processes share the port (SO_REUSEPORT), and so would another program of the same account.
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
    """Limit glibc to two heaps for all threads, to save memory. By default, eight per core each keep what a thread once
    needed; only one thread allocates at a time anyway because of the GIL.
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


def _log_as_said(settings: Settings) -> None:
    """Configure logging from the settings, also in a process that only supervises others."""
    from notify.infra.telemetry import configure_logs

    configure_logs(
        application=settings.notify_app_name, level=settings.notify_log_level, form=settings.notify_log_format
    )


def _share_metrics(settings: Settings, *, alone: bool) -> None:
    """Keep metrics in the folder of the settings; without one, in a new folder, or in memory if this is `alone`."""
    from notify.infra import metrics_folder

    if settings.prometheus_multiproc_dir:
        metrics_folder.share(settings.prometheus_multiproc_dir)
    elif not alone:
        metrics_folder.share_for_now()


@click.command()
def web() -> None:
    """Run the API."""
    few_arenas()
    settings = _settings("web")
    host = resolve(settings.web_host, variable="WEB_HOST")
    refuse_taken_port(host, settings.port)
    if settings.internal_port:
        refuse_taken_port(host, settings.internal_port, variable="INTERNAL_PORT")
    _share_metrics(settings, alone=False)
    _log_as_said(settings)

    from notify.app import preload
    from notify.infra.parts import check_parts
    from notify.infra.web_server import ServerLimits, Site, serve

    check_parts(settings)
    preload(settings)

    limits = ServerLimits(
        processes=settings.web_processes,
        connections=settings.web_connections,
        connections_per_address=settings.web_connections_per_address,
        trusted_proxies=settings.trusted_proxies,
        idle_seconds=settings.web_idle_seconds,
        request_seconds=settings.web_request_seconds,
        hung_seconds=settings.hung_seconds,
    )
    sites = [Site("web", host, settings.port, _load_web)]
    if settings.internal_port and "internal" in settings.apis:
        sites.append(Site("internal", host, settings.internal_port, _load_internal))
    serve(sites, limits)


def _load_web() -> WSGIApplication:
    """The application on `PORT`, in a web process."""
    return _load(None)


def _load_internal() -> WSGIApplication:
    """The application on `INTERNAL_PORT`, in a web process."""
    return _load(["internal"])


def _load(apis: list[str] | None) -> WSGIApplication:
    """The application. SQL statements have shorter timeouts than elsewhere, because a client is waiting."""
    from notify.app import create_app

    settings = _settings("web")
    limits = {
        "database_statement_timeout_ms": settings.web_statement_timeout_ms,
        "database_lock_timeout_ms": settings.web_lock_timeout_ms,
    }
    return create_app(settings.model_copy(update=limits), apis=apis)


def _list_roles(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from notify.queues import ALL_ROLES, ROLES

    for role, queues in ROLES.items():
        click.echo(f"{role:<24} {', '.join(queues)}")
    click.echo(f"{ALL_ROLES:<24} every queue")
    context.exit()


def _chosen_queues(roles: tuple[str, ...], queues: str | None) -> list[str]:
    """The queues of a worker. Raises `click.UsageError` for an unknown name."""
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
@click.option("--queues", help="Names of queues to serve, separated by commas. [default: all]")
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
@click.option("--name", help="Distinguishes the workers of a host. [default: the role, or worker]")
def worker(roles: tuple[str, ...], queues: str | None, concurrency: int | None, name: str | None) -> None:
    """Run a worker, for all task queues or those of a role."""
    chosen = _chosen_queues(roles, queues)
    few_arenas()
    kind = f"worker-{roles[0]}" if len(roles) == 1 else "worker"
    settings = _settings(kind)
    _share_metrics(settings, alone=True)
    _log_as_said(settings)
    metrics_host = resolve(settings.worker_metrics_host, variable="WORKER_METRICS_HOST")
    if settings.worker_metrics_port:
        refuse_taken_port(metrics_host, settings.worker_metrics_port, variable="WORKER_METRICS_PORT")

    from notify.infra.watched import run_watched

    options = {
        "pool_cls": "threads",
        "concurrency": concurrency or settings.worker_concurrency,
        "queues": [settings.notification_queue_prefix + queue for queue in chosen],
        "hostname": f"{name or kind}@{socket.gethostname()}",
        "without_gossip": True,
        "without_mingle": True,
        "without_heartbeat": True,
        "loglevel": settings.notify_log_level,
    }

    def work(beat: Beat) -> int:
        if settings.worker_metrics_port:
            from notify.public.metrics_page import MetricsPage, serve_apart

            page = MetricsPage(settings.effective_metrics_token, None)
            serve_apart(page, metrics_host, settings.worker_metrics_port)
        return _work(settings, options, beat)

    sys.exit(run_watched(kind, work, hung_seconds=settings.hung_seconds))


def _work(settings: Settings, options: dict[str, Any], beat: Beat) -> int:
    """Run Celery's worker until it is asked to stop. Returns the exit code, which is not 0 where an error ended it.

    It is started without Celery's command line, which would load eight megabytes for prompts that nobody sees.
    """
    from notify.infra.consumer_loop import ConsumerLoop

    loop = ConsumerLoop()
    replaces_hung = beat(lambda: loop.moves(settings.hung_seconds))

    from notify.infra import process_metrics
    from notify.worker import create_celery

    celery = create_celery(settings)
    refuse_wrong_keys(settings, at_first=True)
    loop.watch(celery)
    if replaces_hung:
        process_metrics.process_replaced("worker")
    logging.captureWarnings(True)  # into the log, like everything else
    running = celery.Worker(**options, quiet=True)
    running.start()
    return int(running.exitcode or 0)


@click.command()
def beat() -> None:
    """Run the scheduler of periodic tasks. One for all machines."""
    settings = _settings("beat")
    folder = settings.notify_data_dir / "beat"
    folder.mkdir(parents=True, exist_ok=True)

    from notify.worker import create_celery

    celery = create_celery(settings)
    refuse_wrong_keys(settings, at_first=True)
    logging.captureWarnings(True)  # into the log, like everything else
    celery.Beat(schedule=str(folder / "schedule"), loglevel=settings.notify_log_level, quiet=True).run()


@click.command("ses-receipts")
def ses_receipts() -> None:
    """Apply SES's events about emails, from an SQS queue.

    The queue is that at SES_RECEIPTS_QUEUE_URL, which SES's SNS topic feeds. Several processes can read the same one.
    """
    few_arenas()
    settings = _settings("ses-receipts")
    if not settings.part(EmailProviderSettings).ses_receipts_queue_url:
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
        SESQueue(
            settings.part(EmailProviderSettings).ses_receipts_queue_url, settings.aws_region, container.get(SesEvents)
        ).run(stop)
    finally:
        container.close()


@click.command()
def sandbox() -> None:
    """Run the provider that only pretends to send."""
    settings = _settings("sandbox")
    if not settings.part(EmailProviderSettings).sandbox_url:
        raise configuration.SettingsError("SANDBOX_URL: must be set to the address that the sandbox listens on")
    place = urlsplit(settings.part(EmailProviderSettings).sandbox_url)
    refuse_taken_port(place.hostname or "127.0.0.1", place.port or 80, variable="SANDBOX_URL")

    from notify.providers.sandbox.server import run

    run(settings)
