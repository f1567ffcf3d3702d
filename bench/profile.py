"""Where the time goes: `python -m bench.profile [accept|read|deliver]`.

Of `deliver` it shows the thread that prepares and writes, and the one that talks to the provider. One thread does one
thing after the other in this process, against the real PostgreSQL, Valkey and provider, and is sampled all the while.
So waiting is in the shares too, and batches are as small as they get: what several requests share under load, one
bears alone here.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from pyinstrument import Profiler

from bench.stack import Stack, running
from notify.app import create_app
from notify.infra.container import Container
from notify.infra.outbound import Outbound
from notify.messages.deliver import Deliverer

INTERVAL_SECONDS = 0.0002
WARM_UP = 50


def _caller(app: Flask, raw: Callable[[], bytes]) -> Callable[[], None]:
    """What sends a request, given as it goes over the wire, to the application directly."""

    def call() -> None:
        head, _, body = raw().partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, path, _ = first.split(" ")
        headers = dict(line.split(": ", 1) for line in lines)
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "6011",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": headers["Host"],
            "HTTP_AUTHORIZATION": headers["Authorization"],
            "CONTENT_LENGTH": headers.get("Content-Length", ""),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": None,
        }
        statuses: list[str] = []

        def start(status: str, _headers: list[tuple[str, str]], *_rest: Any) -> Callable[[bytes], object]:
            statuses.append(status)
            return lambda _data: None

        for _chunk in app.wsgi_app(environ, start):
            pass
        assert statuses[0].startswith("20"), statuses

    return call


def _profiler() -> Profiler:
    return Profiler(interval=INTERVAL_SECONDS, async_mode="disabled")


def _show(profiler: Profiler) -> None:
    print(profiler.output_text(unicode=True, show_all=False, timeline=False))


def requests(stack: Stack, number: int, *, reading: bool) -> None:
    """Send messages, or read one."""
    app = create_app()
    call = _caller(app, stack.sms_request)
    for _ in range(WARM_UP):
        call()
    if reading:
        found = str(stack.execute("SELECT id FROM notifications LIMIT 1")[0][0])
        call = _caller(app, lambda: stack.get_request(found))
        for _ in range(WARM_UP):
            call()
    profiler = _profiler()
    with profiler:
        for _ in range(number):
            call()
    _show(profiler)
    container: Container = app.extensions["notify"]
    container.close()


def deliver(stack: Stack, number: int) -> None:
    """Hand over messages, fifty at a time as a task has them."""
    stack.start_provider("--delay-ms", "0")
    app = create_app()
    container: Container = app.extensions["notify"]
    call = _caller(app, stack.sms_request)
    for _ in range(number + WARM_UP):
        call()
    ids: list[UUID] = [row[0] for row in stack.execute("SELECT id FROM notifications ORDER BY id")]
    deliverer = container.get(Deliverer)
    deliverer.deliver("sms", ids[:WARM_UP])
    here, there = _profiler(), _profiler()
    outbound: Outbound = deliverer._outbound

    async def begin() -> None:
        there.start()

    async def end() -> None:
        there.stop()

    outbound.run(begin()).result()
    with here:
        for start in range(WARM_UP, len(ids), 50):
            deliverer.deliver("sms", ids[start : start + 50])
    outbound.run(end()).result()
    print("The thread that prepares and writes")
    _show(here)
    print("The thread that talks to the provider")
    _show(there)
    container.close()


def main() -> None:
    """Profile what is named."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["accept", "read", "deliver"], default="accept")
    parser.add_argument("--number", type=int, default=3000, help="messages (default 3000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="notify-bench-") as name, running(Path(name)) as stack:
        os.environ.update(stack.environment | {"NOTIFY_LOG_LEVEL": "WARNING"})
        if options.what == "deliver":
            deliver(stack, options.number)
        else:
            requests(stack, options.number, reading=options.what == "read")


if __name__ == "__main__":
    main()
