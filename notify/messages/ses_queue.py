"""Events of SES from an SQS queue that its SNS topic feeds directly.

(If another program in between turns them into tasks `process-ses-result`, workers handle those.)
Messages on the queue are trusted: the queue's policy decides who may put them there.
"""

from __future__ import annotations

import re
import threading
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import structlog

from notify.infra.json_values import InvalidJSONError, parse_json
from notify.infra.retrying import retry
from notify.messages.ses_events import EARLY_RETRY_SECONDS, SesEvents
from notify.providers.base import ReceiptError
from notify.providers.ses.receive import SESEvent, parse_envelope, parse_event

logger = structlog.get_logger(__name__)

MESSAGES_AT_A_TIME: Final = 10
"""Most messages that SQS returns at once."""
MESSAGES_PER_ROUND: Final = 100
WAIT_SECONDS: Final = 10
VISIBILITY_SECONDS: Final = 60
MOST_TRIES: Final = 6
"""An unreadable message is received this often, so that a dead-letter queue can take it; then it is deleted."""
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 10.0
"""Longest pause (seconds) after an error of the queue or the database. A stopping process waits for its end."""

_AMAZON: Final = re.compile(r"sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?")


class _Received(NamedTuple):
    """An event, and the SQS handle to delete or postpone its message."""

    handle: str
    event: SESEvent


class SESQueue:
    """Reads one queue. Several processes can read the same one; an unfinished message is received again."""

    def __init__(self, url: str, region: str, receipts: SesEvents, *, wait_seconds: int = WAIT_SECONDS) -> None:
        """`region` is used if the address does not name one."""
        import boto3
        from botocore.config import Config

        self._url = url
        self._receipts = receipts
        self._wait_seconds = wait_seconds
        place = urlsplit(url)
        amazon = _AMAZON.fullmatch(place.hostname or "")
        self._client = boto3.client(
            "sqs",
            region_name=amazon[1] if amazon else region,
            endpoint_url=None if amazon else f"{place.scheme}://{place.netloc}",
            config=Config(connect_timeout=5, read_timeout=WAIT_SECONDS + 10, retries={"mode": "standard"}),
        )

    def run(self, stop: threading.Event) -> None:
        """Apply events until `stop` is set. After an error of queue or database, messages are received again."""
        while not stop.is_set():
            try:
                retry(
                    self.poll,
                    on=lambda _error: not stop.is_set(),
                    first=FIRST_PAUSE_SECONDS,
                    longest=LONGEST_PAUSE_SECONDS,
                )
            except Exception as error:  # only while stopping
                logger.warning("events of SES failed", error=type(error).__name__)

    def poll(self) -> int:
        """Apply the events that wait, or arrive within `wait_seconds`. Returns the number of messages."""
        messages = self._receive()
        done: list[str] = []
        later: list[str] = []
        received: list[_Received] = []
        for message in messages:
            handle = str(message["ReceiptHandle"])
            try:
                event = _parse(message["Body"])
            except ReceiptError as error:
                tries = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1))
                logger.error("event of SES cannot be read", reason=str(error), tries=tries)
                (done if tries >= MOST_TRIES else later).append(handle)
                continue
            if event is None:
                done.append(handle)
            else:
                received.append(_Received(handle, event))
        settled = self._receipts.record_many([one.event for one in received])
        for one, is_settled in zip(received, settled, strict=True):
            (done if is_settled else later).append(one.handle)
        self._delete(done)
        self._postpone(later)
        return len(messages)

    def _receive(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        while len(messages) < MESSAGES_PER_ROUND:
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=MESSAGES_AT_A_TIME,
                # only wait for the first message, so that received ones are not delayed
                WaitTimeSeconds=0 if messages else self._wait_seconds,
                VisibilityTimeout=VISIBILITY_SECONDS,
                AttributeNames=["ApproximateReceiveCount"],
            )
            received = answer.get("Messages", [])
            messages += received
            if len(received) < MESSAGES_AT_A_TIME:
                break
        return messages

    def _delete(self, handles: list[str]) -> None:
        for entries in _entries(handles):
            self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def _postpone(self, handles: list[str]) -> None:
        for entries in _entries(handles):
            self._client.change_message_visibility_batch(
                QueueUrl=self._url, Entries=[{**entry, "VisibilityTimeout": EARLY_RETRY_SECONDS} for entry in entries]
            )


def _entries(handles: list[str]) -> list[list[dict[str, Any]]]:
    """Batches in the form and size that SQS accepts."""
    entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles)]
    return [entries[start : start + MESSAGES_AT_A_TIME] for start in range(0, len(entries), MESSAGES_AT_A_TIME)]


def _parse(body: str) -> SESEvent | None:
    """The event in a message: in SNS's envelope, or SES's notification itself if SNS delivers raw messages."""
    try:
        parsed = parse_json(body)
    except InvalidJSONError:
        parsed = None
    if isinstance(parsed, dict) and "Message" in parsed:
        return parse_envelope(parsed)
    return parse_event(body)
