"""The page for Prometheus (contract: public-api 14.5, workers 19): the metrics of this host's processes, and the
current state of the system.
"""

from __future__ import annotations

import gzip
import hmac
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from threading import Condition
from typing import TYPE_CHECKING, Final, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import psycopg
import structlog
from cachetools import TTLCache, cached
from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy.exc import SQLAlchemyError

from notify import queues
from notify.infra import metrics
from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.messages.maintenance import oldest_created
from notify.providers.queries import Weight, weights

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = structlog.get_logger(__name__)

KEPT_SECONDS: Final = 5.0
"""Seconds to cache an answer, so that several scrapers query the database and the broker no more often than one."""


class SystemStateCollector:
    """The current state: waiting tasks and messages, their age, and providers' shares. The same in every process."""

    def __init__(self, parts: Parts, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._kept = cached(TTLCache(1, KEPT_SECONDS, timer=clock), condition=Condition())(lambda: list(self._look()))

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts)

    def collect(self) -> Iterable[Metric]:
        """Called by the library."""
        return self._kept()

    def _look(self) -> Iterator[Metric]:
        answers = GaugeMetricFamily(
            "metrics_source_up", "Whether the source of these metrics answered", labels=["source"]
        )
        broker = list(self._queues())
        answers.add_metric(["broker"], float(bool(broker)))
        yield from broker
        try:
            database = [self._oldest(), *self._providers()]
        except (SQLAlchemyError, psycopg.Error) as error:
            logger.warning("database failed", error=type(error).__name__)
            database = []
        answers.add_metric(["database"], float(bool(database)))
        yield from database
        yield answers

    def _queues(self) -> Iterator[Metric]:
        states = self._parts.queue.states(queues.QUEUES)
        if states is None:
            return
        depth = GaugeMetricFamily("queue_depth", "Tasks that wait in a queue", labels=["queue"])
        age = GaugeMetricFamily(
            "queue_oldest_age_seconds", "Age of the oldest waiting task; Redis only", labels=["queue"]
        )
        now = time.time()
        for name, state in states.items():
            depth.add_metric([name], state.waiting)
            if state.published_at is not None:
                age.add_metric([name], max(now - state.published_at, 0.0))
            elif not state.waiting:
                age.add_metric([name], 0.0)
        yield depth
        yield age
        kept = self._parts.queue.kept_by_workers()
        if kept is not None:
            yield GaugeMetricFamily("queue_kept_by_workers", "Tasks that workers hold, running or not yet due", kept)

    def _oldest(self) -> Metric:
        family = GaugeMetricFamily(
            "notifications_oldest_created_age_seconds",
            "Age of the oldest message that was not sent yet",
            labels=["notification_type"],
        )
        now = utc_now()
        for kind, moment in oldest_created(self._parts.database).items():
            family.add_metric([kind], max((now - moment).total_seconds(), 0.0) if moment else 0.0)
        return family

    def _providers(self) -> Iterator[Metric]:
        labels = ["provider_name", "notification_type"]
        priority = GaugeMetricFamily("provider_priority", "Share of a provider in the traffic", labels=labels)
        updated = GaugeMetricFamily("provider_updated_at", "When the share changed, in epoch seconds", labels=labels)
        info = GaugeMetricFamily(
            "provider_info", "Providers", labels=[*labels, "provider_active", "provider_supports_international"]
        )
        for one in self._weights():
            key = [one.identifier, one.notification_type]
            priority.add_metric(key, one.priority)
            moment = one.updated_at or datetime.fromtimestamp(0, UTC)
            updated.add_metric(key, moment.timestamp())
            info.add_metric([*key, _word(one.active), _word(one.supports_international)], 1)
        yield from (priority, updated, info)

    def _weights(self) -> list[Weight]:
        with self._parts.database.session() as session:
            return weights(session)


def _word(value: bool) -> str:
    return "true" if value else "false"


class MetricsPage:
    """The page as a WSGI application: within the API, or on its own port in a worker."""

    def __init__(self, token: str, situation: SystemStateCollector | None) -> None:
        """An empty `token` lets everyone see it."""
        self._token = token
        self._registries = [metrics.registry()]
        if situation is not None:
            standing = CollectorRegistry()
            standing.register(situation)
            self._registries.append(standing)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve it."""
        status, headers, body = self.answer(environ.get("HTTP_AUTHORIZATION"), environ.get("HTTP_ACCEPT_ENCODING", ""))
        start_response(status, list(headers.items()))
        return [body]

    def answer(self, authorization: str | None, accepted_encodings: str) -> tuple[str, Mapping[str, str], bytes]:
        """Status line, headers and body."""
        if self._token:
            if not authorization:
                return "401 Unauthorized", {"Content-Type": "text/plain; charset=utf-8"}, b""
            given = authorization.removeprefix("Bearer ").encode()
            if not authorization.startswith("Bearer ") or not hmac.compare_digest(given, self._token.encode()):
                return "403 Forbidden", {"Content-Type": "text/plain; charset=utf-8"}, b""
        body = b"".join(generate_latest(registry) for registry in self._registries)
        headers = {"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Vary": "Accept-Encoding"}
        if "gzip" in accepted_encodings.lower():
            body = gzip.compress(body, compresslevel=5)
            headers["Content-Encoding"] = "gzip"
        return "200 OK", headers | {"Content-Length": str(len(body))}, body


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: scrapes are not logged."""


def serve_apart(page: MetricsPage, host: str, port: int) -> WSGIServer:
    """Serve the page on a separate port, in a thread of this process. Raises `OSError` if the port is taken."""
    server = WSGIServer((host, port), _Quiet)
    server.set_app(page)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def blueprint(container: Container) -> Blueprint:
    """The page within the API, at the path that the settings name."""
    settings = container.parts.settings
    page = MetricsPage(settings.effective_metrics_token, container.get(SystemStateCollector))
    routes = Blueprint("metrics", __name__)

    @routes.get(settings.prometheus_metrics_path)
    def show() -> Response:
        headers = request.headers
        status, shown, body = page.answer(headers.get("Authorization"), headers.get("Accept-Encoding", ""))
        return Response(body, status, shown)

    return routes
