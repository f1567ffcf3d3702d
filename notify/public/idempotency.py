"""Answers requests with an idempotency key: an equal request gets the first answer again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final, Self
from uuid import UUID

from flask import Response

from notify.infra.container import Container
from notify.infra.http import json_answer
from notify.infra.json_values import dump_json
from notify.messages.accept.base import Caller
from notify.messages.idempotency import (
    AlreadyAcceptedError,
    Answer,
    IdempotencyKeys,
    KeptAnswer,
    KeyedRequest,
    UnderWayError,
)

HEADER: Final = "HTTP_IDEMPOTENCY_KEY"
REPLAYED: Final = "Idempotent-Replayed"

MOST_HELD: Final = 2
"""Long requests that keep a connection each while they are under way."""


class RepeatedRequests:
    """Keeps track of the keys of running requests of this process, and finds earlier answers in the database."""

    def __init__(self, keys: IdempotencyKeys) -> None:
        self._keys = keys
        self._under_way: set[UUID] = set()
        self._lock = threading.Lock()
        self._holds = threading.BoundedSemaphore(MOST_HELD)

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.get(IdempotencyKeys))

    def answer(
        self,
        key: str,
        caller: Caller,
        *,
        address: str,
        body: Any,
        status: int,
        show: Callable[[Any], Any],
        make: Callable[[Callable[[Any], KeptAnswer]], Any],
        is_long: bool = False,
    ) -> Response:
        """The answer to a request with this key. `make` does what was asked for, with a function that gives the row to
        be stored with what was accepted; `show` is the JSON of that, and `status` that of a success. `is_long`: it may
        take seconds, during which other processes refuse an equal one, too.

        Raises `InvalidKeyError`, `KeyReusedError`, `UnderWayError` and what `make` raises.
        """
        request = KeyedRequest.of(
            key, service_id=caller.service.id, key_type=caller.key.key_type, address=address, body=body
        )

        def keep(accepted: Any) -> KeptAnswer:
            return self._keys.seal(request, Answer(status, dump_json(show(accepted)).decode()))

        with self._alone(request, is_long=is_long):
            if (answer := self._keys.find(request)) is not None:
                return _replayed(answer)
            try:
                return json_answer(show(make(keep)), status)
            except AlreadyAcceptedError:  # by another process
                answer = self._keys.find(request)
        if answer is None:
            raise UnderWayError
        return _replayed(answer)

    @contextmanager
    def _alone(self, request: KeyedRequest, *, is_long: bool) -> Iterator[None]:
        with self._lock:
            if request.key_id in self._under_way:
                raise UnderWayError
            self._under_way.add(request.key_id)
        try:
            with self._held(request) if is_long else nullcontext():
                yield
        finally:
            with self._lock:
                self._under_way.discard(request.key_id)

    @contextmanager
    def _held(self, request: KeyedRequest) -> Iterator[None]:
        """Held in the database, as far as its connections go; without, the last statement decides."""
        if not self._holds.acquire(blocking=False):
            yield
            return
        try:
            with self._keys.hold(request):
                yield
        finally:
            self._holds.release()


def _replayed(answer: Answer) -> Response:
    return Response(answer.body, answer.status, {REPLAYED: "true"}, content_type="application/json")
