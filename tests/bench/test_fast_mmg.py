"""The benchmarks' provider behaves like MMG."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from aiohttp import web

from notify.infra.outbound import Outbound
from notify.providers.base import OutgoingText
from notify.providers.mmg.receive import MMGReceiver
from notify.providers.mmg.send import MMG
from notify.settings import load
from tests.servers.http import HTTPServer, Trouble


class ReceiptTaker(HTTPServer):
    """Stands for our API."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        super().__init__()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.bodies.append(await request.read())
        return web.json_response({"result": "success"})


@pytest.fixture
def outbound() -> Iterator[Outbound]:
    outbound = Outbound(connections=50)
    yield outbound
    outbound.close()


@pytest.fixture
def api() -> Iterator[ReceiptTaker]:
    with ReceiptTaker() as api:
        yield api


@contextmanager
def running(*arguments: str) -> Iterator[str]:
    command = [sys.executable, "-m", "bench.fast_mmg", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield "http://" + process.stdout.readline().split()[-1]
            process.terminate()
            assert process.wait(timeout=5) == 0
        finally:
            process.kill()


def send(outbound: Outbound, address: str, ids: list[UUID]) -> None:
    mmg = MMG(load(mmg_url=f"{address}/send", mmg_api_key="abc"), outbound)
    futures = [outbound.run(mmg.send(OutgoingText(id_, "447700900123", "us", "hello"))) for id_ in ids]
    for future in futures:
        future.result(timeout=10)


def stats(outbound: Outbound, address: str) -> dict[str, Any]:
    answer = outbound.run(outbound.request("GET", f"{address}/stats")).result(timeout=10)
    counted: dict[str, Any] = orjson.loads(answer.body)
    return counted


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_counts_messages_and_sends_a_receipt_for_each(outbound: Outbound, api: ReceiptTaker) -> None:
    ids = [uuid4() for _ in range(100)]
    with running("--receipts", f"{api.url}/notifications/sms/mmg", "--receipt-delay-ms", "1") as address:
        send(outbound, address, [*ids, ids[0]])
        wait_until(lambda: stats(outbound, address)["receipts"] == 101)
        assert stats(outbound, address) == {
            "requests": 101,
            "messages": 100,
            "duplicates": 1,
            "receipts": 101,
            "refused_receipts": 0,
        }
    receipts = [MMGReceiver(load()).read_receipt(body, {}) for body in api.bodies]
    assert {receipt.notification_id for receipt in receipts} == set(ids)
    assert {receipt.outcome for receipt in receipts} == {"delivered"}


@pytest.mark.parametrize("trouble", [Trouble(status=500), Trouble(drop=True)], ids=str)
def test_a_receipt_that_is_not_taken_is_sent_again(outbound: Outbound, api: ReceiptTaker, trouble: Trouble) -> None:
    api.fail(trouble, times=3)
    with running("--receipts", api.url, "--receipt-delay-ms", "0") as address:
        send(outbound, address, [uuid4() for _ in range(10)])
        wait_until(lambda: len(api.bodies) == 10)
        assert stats(outbound, address)["receipts"] == 10


def test_an_answer_takes_the_time_it_is_told_to(outbound: Outbound) -> None:
    with running("--delay-ms", "200") as address:
        started = time.monotonic()
        send(outbound, address, [uuid4() for _ in range(20)])
        assert 0.2 <= time.monotonic() - started < 1.5
