"""The HTTP server: Granian, with timeouts, limits and supervision of its processes.

Decision: docs/decisions/0016-web-server.md.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog

from notify.infra import metrics
from notify.infra.connection_guard import ConnectionGuard, ConnectionLimits
from notify.infra.garbage import settle_garbage_collector
from notify.infra.heartbeat import Heartbeats, Watchdog

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

STOP_SECONDS: Final = 5
"""A web process that has not answered its last request after this many seconds is killed."""
BACKLOG: Final = 1024
_SPARE_DESCRIPTORS: Final = 512
"""File descriptors of a process besides those of clients."""
_RESTART_SECONDS: Final = 1.0


class Site(NamedTuple):
    """A WSGI application and its address."""

    name: str
    host: str
    """An IP address."""
    port: int
    load: Callable[[], WSGIApplication]
    """Creates the application, once in each process: a module-level function."""


class ServerLimits(NamedTuple):
    """The number of a site's processes, and the limits of each."""

    processes: int
    connections: int
    """Most connections of a process. Each may have a thread, which costs little while it waits."""
    connections_per_address: int
    """Most connections of one address to a site, over all its processes."""
    trusted_proxies: Sequence[IPv4Network | IPv6Network]
    """Addresses without such a limit."""
    idle_seconds: float
    """Seconds that a connection may be idle, and that a header may take."""
    request_seconds: float
    """Seconds that a body and the answer may take."""
    hung_seconds: float
    """Seconds without a heartbeat after which a process is replaced."""

    @property
    def of_connections(self) -> ConnectionLimits:
        """The limits of one process's connections."""
        return ConnectionLimits(
            silent_seconds=self.idle_seconds + self.request_seconds,
            # the kernel distributes connections at random: a process may have more than its share
            per_address=max(self.connections_per_address * 2 // (self.processes + 1), 1),
            exempt=self.trusted_proxies,
        )


def serve(sites: Sequence[Site], limits: ServerLimits) -> None:
    """Serve the sites until SIGTERM or SIGINT. The processes of the first are children of this one; each further site
    has an intermediate process, which is restarted if it ends.

    Processes are forked, so they share the memory of modules imported by now.
    """
    settle_garbage_collector()
    allow_descriptors(limits.connections + _SPARE_DESCRIPTORS)
    others = [_Aside(site, limits) for site in sites[1:]]
    try:
        _serve_one(sites[0], limits)
    finally:
        for other in others:
            other.stop()


def _serve_one(site: Site, limits: ServerLimits) -> None:
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    heartbeats = Heartbeats(limits.processes)
    Watchdog(site.name, heartbeats, limits.hung_seconds).start()
    Granian(
        site.name,
        address=site.host,
        port=site.port,
        interface=Interfaces.WSGI,
        workers=limits.processes,
        # a thread for each connection, so that one waiting for a body does not block others
        blocking_threads=limits.connections,
        backpressure=limits.connections,
        backlog=BACKLOG,
        # with HTTP/2 a single connection may hold hundreds of requests
        http=HTTPModes.http1,
        # also the time between two requests, and before the first one
        http1_settings=HTTP1Settings(header_read_timeout=int(limits.idle_seconds * 1000)),
        websockets=False,
        log_access=False,
        # silence its warning about more threads than cores: ours wait for the database
        log_level=LogLevels.error,
        log_dictconfig=_server_logging(),
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
    ).serve(target_loader=_Loader(site, limits, heartbeats), wrap_loader=False)


class _Loader:
    """Creates the application in a web process, and starts its supervision."""

    def __init__(self, site: Site, limits: ServerLimits, heartbeats: Heartbeats) -> None:
        self._site = site
        self._limits = limits
        self._heartbeats = heartbeats

    def __call__(self) -> WSGIApplication:
        """The application."""
        stalled_seconds: Callable[[], float] = float  # 0.0, until there is a gate
        # start the heartbeat first: the process may also hang before it can serve
        replaces_hung = self._heartbeats.beat(lambda: stalled_seconds() < self._limits.hung_seconds)
        app = self._site.load()
        metrics.begin_process()
        gate = getattr(app, "extensions", {}).get("request_gate")
        if gate is not None:
            stalled_seconds = gate.stalled_seconds
        if replaces_hung:
            from notify.infra import process_metrics

            process_metrics.process_replaced(self._site.name)
            structlog.get_logger(__name__).warning("a hung process was replaced", process=self._site.name)
        ConnectionGuard(self._site.port, self._limits.of_connections).start()
        return app


class _Aside:
    """A further site: a child process that is kept running."""

    def __init__(self, site: Site, limits: ServerLimits) -> None:
        self._site = site
        self._limits = limits
        self._stopping = threading.Event()
        self._process = self._start()
        threading.Thread(target=self._keep_alive, name=f"site-{site.name}", daemon=True).start()

    def _start(self) -> Any:
        process = multiprocessing.Process(target=_serve_aside, args=(self._site, self._limits, os.getpid()))
        process.start()
        return process

    def _keep_alive(self) -> None:
        while not self._stopping.wait(_RESTART_SECONDS):
            if not self._process.is_alive():
                self._process = self._start()

    def stop(self) -> None:
        """Stop it and wait."""
        self._stopping.set()
        self._process.terminate()
        self._process.join(2 * STOP_SECONDS)
        if self._process.is_alive():
            self._process.kill()


def _serve_aside(site: Site, limits: ServerLimits, parent: int) -> None:
    def end_with_parent() -> None:
        while os.getppid() == parent:
            time.sleep(_RESTART_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    with suppress(OSError):
        os.setpgid(0, 0)  # so that Ctrl-C in a terminal only reaches the parent, which forwards it
    threading.Thread(target=end_with_parent, name="parent", daemon=True).start()
    _serve_one(site, limits)


def allow_descriptors(wanted: int) -> None:
    """Raise the limit of open files to `wanted`, or as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ceiling = sys.maxsize if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, ceiling), hard))


def _server_logging() -> dict[str, Any]:
    """Logging configuration of the HTTP server's own lines: as JSON, like everything else."""
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
