"""Load over HTTP at a steady rate, with a record of every answer."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from time import monotonic
from typing import Any, NamedTuple

import aiohttp

from bench.stack import Tokens

IN_FLIGHT = 200
"""More than these are not begun: a client's own limit."""
PATIENCE_SECONDS = 20.0


class Sent(NamedTuple):
    """A message that was accepted with a 201."""

    number: str
    reference: str
    at: float


@dataclass
class Record:
    """What the clients saw of one scenario."""

    name: str
    accepted: dict[str, Sent] = field(default_factory=dict)
    refused: Counter[int] = field(default_factory=Counter)
    """Answers of 500 and above, by status."""
    broken: Counter[str] = field(default_factory=Counter)
    """Requests without an answer, by error."""
    wrong: list[str] = field(default_factory=list)
    """Answers that no fault excuses."""
    slowest_refusal: float = 0.0
    seconds: list[float] = field(default_factory=list)
    """How long each answer took."""
    log: list[str] = field(default_factory=list)
    """Each request: when it began, how long it took, what came of it."""
    began: float = 0.0
    ended: float = 0.0

    def longest_gap(self) -> float:
        """The longest time without an accepted message."""
        times = [self.began, *sorted(sent.at for sent in self.accepted.values()), self.ended]
        return max(later - earlier for earlier, later in pairwise(times))


class Load:
    """Sends text messages to separate numbers."""

    def __init__(self, base_url: str, demo: dict[str, Any], rate: float) -> None:
        self._url = f"{base_url}/v2/notifications/sms"
        self._template = demo["templates"]["sms"]
        self._tokens = Tokens(demo["api_keys"]["normal"])
        self._rate = rate
        self._next = 0

    async def run(self, record: Record, stop: asyncio.Event) -> None:
        """Until `stop` is set, and every answer has come or been given up."""
        requests: set[asyncio.Task[None]] = set()
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            record.began, begun = monotonic(), 0
            while not stop.is_set():
                due = int((monotonic() - record.began) * self._rate)
                for _ in range(min(due - begun, IN_FLIGHT - len(requests))):
                    request = asyncio.create_task(self._send(session, record))
                    requests.add(request)
                    request.add_done_callback(requests.discard)
                begun = due
                await asyncio.sleep(0.01)
            record.ended = monotonic()
            await asyncio.gather(*requests)

    async def _send(self, session: aiohttp.ClientSession, record: Record) -> None:
        self._next += 1
        number = f"0{7900000000 + self._next}"
        reference = f"{record.name}-{self._next}"
        body = {
            "phone_number": number,
            "template_id": self._template,
            "personalisation": {"name": "Amala", "date": "Monday 3 June"},
            "reference": reference,
        }
        headers = {"Authorization": f"Bearer {self._tokens.current()}"}
        began = monotonic()
        try:
            async with session.post(self._url, json=body, headers=headers) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            record.broken[type(error).__name__] += 1
            record.log.append(f"{began:.2f} {monotonic() - began:.2f} {type(error).__name__} {reference}")
            return
        now = monotonic()
        record.seconds.append(now - began)
        record.log.append(f"{began:.2f} {now - began:.2f} {answer.status} {reference}")
        if answer.status == 201:
            record.accepted[json.loads(text)["id"]] = Sent(number, reference, now)
        elif answer.status >= 500 and _is_envelope(text, answer.status):
            record.refused[answer.status] += 1
            record.slowest_refusal = max(record.slowest_refusal, now - began)
        else:
            record.wrong.append(f"{reference}: {answer.status} {text[:200]}")


def _is_envelope(text: str, status: int) -> bool:
    """Whether an error looks as the API's errors do."""
    try:
        body = json.loads(text)
    except ValueError:
        return False
    return bool(body["status_code"] == status and body["errors"][0]["message"])
