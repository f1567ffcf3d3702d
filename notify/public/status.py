"""Liveness, version and readiness endpoints (contract: public-api 14.5)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Final, Generic, TypeVar

import psycopg
import structlog
from flask import Blueprint, Response, request

from notify import queues
from notify.infra import key_check
from notify.infra.container import Container
from notify.infra.database import read_scalar
from notify.infra.http import json_answer
from notify.infra.parts import Parts
from notify.settings import Settings

logger = structlog.get_logger(__name__)
T = TypeVar("T")

CHECK_SECONDS: Final = 3.0
FRESH_SECONDS: Final = 1.0
NEEDED: Final = ("database", "encryption")
"""Parts without which no message can be accepted."""
REVISION: Final = "SELECT version_num FROM alembic_version"


class Check(Generic[T]):
    """Checks one part: never more than one check at a time, and at most one per second, however many load balancers
    ask. Uses neither a thread nor a connection of requests.
    """

    def __init__(self, name: str, ask: Callable[[], T]) -> None:
        """`name` is for the log."""
        self.name = name
        self._ask = ask
        self._lock = threading.Lock()
        self._current: Future[T] | None = None
        self._asked_at = 0.0

    def start(self) -> Future[T]:
        """The result, which may be pending."""
        with self._lock:
            current = self._current
            is_recent = time.monotonic() - self._asked_at < FRESH_SECONDS
            if current is not None and (not current.done() or is_recent):
                return current
            future: Future[T] = Future()
            self._current, self._asked_at = future, time.monotonic()
        threading.Thread(target=self._run, args=(future,), name=f"check-{self.name}", daemon=True).start()
        return future

    def _run(self, future: Future[T]) -> None:
        try:
            answer = self._ask()
        except Exception as error:
            logger.warning("check failed", part=self.name, error=type(error).__name__)
            future.set_exception(error)
        else:
            future.set_result(answer)


def has_right_keys(parts: Parts) -> bool:
    """Whether the configured keys are those of the database's data. True if that cannot be checked."""
    try:
        with key_check.connect(parts.settings.sqlalchemy_database_uri) as connection:
            return key_check.is_right(connection, parts.encryptor) is not False
    except psycopg.Error:  # the check of the database reports this
        return True


class Readiness:
    """Whether the parts answer. Only the database and the keys of its data are required to accept messages: without the
    cache there are no limits, and without the broker messages wait for the sweeper. Both are better than no service.

    """

    def __init__(self, parts: Parts) -> None:
        self._checks = [
            Check("database", lambda: parts.database.answers(CHECK_SECONDS)),
            Check("encryption", lambda: has_right_keys(parts)),
            Check("cache", parts.cache.is_ready),
            Check("broker", lambda: parts.queue.is_ready(queues.PERIODIC)),
        ]

    def look(self) -> dict[str, bool]:
        """Whether each part (by name) answers within three seconds."""
        deadline = time.monotonic() + CHECK_SECONDS
        futures = [(check.name, check.start()) for check in self._checks]
        return {name: _is_good(future, deadline) for name, future in futures}


def _is_good(future: Future[bool], deadline: float) -> bool:
    try:
        return future.result(timeout=max(deadline - time.monotonic(), 0))
    except Exception:  # a timeout, or any other error
        return False


class Versions:
    """The revisions of the databases."""

    def __init__(self, settings: Settings) -> None:
        self._primary = Check("database", partial(_revision, settings.sqlalchemy_database_uri))
        replica = settings.sqlalchemy_database_uri_bulk
        self._replica = Check("replica", partial(_revision, replica)) if replica else self._primary

    def primary(self) -> Any:
        """The revision of the primary database. Raises `psycopg.Error`, `TimeoutError`."""
        return self._primary.start().result(timeout=CHECK_SECONDS)

    def replica(self) -> Any:
        """The revision of the replica; None if it does not answer."""
        try:
            return self._replica.start().result(timeout=CHECK_SECONDS)
        except (psycopg.Error, TimeoutError):
            return None


def _revision(uri: str) -> Any:
    return read_scalar(uri, REVISION, seconds=CHECK_SECONDS)


def blueprint(container: Container) -> Blueprint:
    """`/`, `/_status` and what is below it."""
    parts = container.parts
    routes = Blueprint("status", __name__)
    readiness, versions = Readiness(parts), Versions(parts.settings)
    settings = parts.settings

    @routes.get("/")
    @routes.route("/_status", methods=["GET", "POST"])
    def status() -> Response:
        if request.args.get("simple"):
            return json_answer({"status": "ok"})
        return json_answer(
            {
                "status": "ok",
                "git_commit": settings.git_commit,
                "build_time": settings.build_time,
                "db_version": versions.primary(),
                "db_bulk_version": versions.replica(),
            }
        )

    @routes.get("/_status/ready")
    def ready() -> Response:
        """Readiness for a load balancer. With `strict`, optional parts must answer as well."""
        found = readiness.look()
        needed = found if request.args.get("strict") else {name: found[name] for name in NEEDED}
        word = "ok" if all(found.values()) else "degraded" if all(needed.values()) else "fail"
        body = {"status": word, **{name: "ok" if answers else "fail" for name, answers in found.items()}}
        return json_answer(body, 200 if all(needed.values()) else 503)

    return routes
