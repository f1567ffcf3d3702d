"""Hands messages to providers: the concurrent calls of a batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import structlog

from notify.infra.steady_loop import skipped_seconds
from notify.infra.times import utc_now
from notify.messages.deliver.locks import MessageLocks
from notify.messages.deliver.prepare import Prepared, Preparer
from notify.messages.deliver.write import Result
from notify.providers.base import ProviderError
from notify.providers.choice import NoProviderError
from notify.providers.router import AllDownError, NotBegunError, ProviderRouter

logger = structlog.get_logger(__name__)

WRITE_EVERY_SECONDS: Final = 0.25
"""Results are written this often (seconds) while a batch is running, which bounds what a killed worker loses."""
QUIET_SECONDS: Final = 1.0
"""A batch without a completed call for this long (seconds) is suspended."""


class Attempt(NamedTuple):
    """Shared by the tasks of a batch: the type of their messages, the minimum number of earlier tries, and the time of
    this try (`due`, as in the row; None for the first one).
    """

    notification_type: str
    tries: int = 0
    due: datetime | None = None


class Unsent(NamedTuple):
    """A message that was not sent: no provider accepts calls, or the batch was stopped."""

    message: Prepared
    is_stopped: bool = False


@dataclass(slots=True)
class Batch:
    """Messages that are sent together, and those left. `whole`: large messages are not put off.

    `again` holds messages to publish again: by their next attempt, and the seconds until then (None: until it is due).
    `later` holds those that follow in separate batches.
    """

    attempt: Attempt
    whole: bool = False
    under_way: set[asyncio.Task[Result | Unsent]] = field(default_factory=set)
    again: dict[tuple[Attempt, float | None], list[UUID]] = field(default_factory=dict)
    later: list[list[UUID]] = field(default_factory=list)

    def repeat(self, id_: UUID, tries: int, due: datetime | None, pause: float | None = None) -> None:
        """Publish a message again, for `pause` seconds from now, or for when its next try is due."""
        self.again.setdefault((self.attempt._replace(tries=tries, due=due), pause), []).append(id_)


class Caller:
    """Calls providers."""

    def __init__(self, router: ProviderRouter, preparer: Preparer) -> None:
        self._router = router
        self._preparer = preparer

    async def start(
        self,
        batch: Batch,
        locks: MessageLocks,
        messages: Sequence[Prepared],
        settle: Callable[[Batch, Sequence[Result | Unsent]], None],
    ) -> None:
        """Hand messages to providers, until all calls have ended, or none has for a while."""
        await self._look_at(locks)
        kind = batch.attempt.notification_type
        batch.under_way = {asyncio.create_task(self._send(kind, locks, message)) for message in messages}
        await self.finish(batch, locks, settle, quiet_seconds=QUIET_SECONDS)

    async def finish(
        self,
        batch: Batch,
        locks: MessageLocks,
        settle: Callable[[Batch, Sequence[Result | Unsent]], None],
        *,
        quiet_seconds: float | None = None,
    ) -> None:
        """Wait for the calls of a batch, and settle completed ones from time to time."""
        loop = asyncio.get_running_loop()
        ended_at = loop.time()
        while batch.under_way:
            # a batch of a fast provider is written at once, one of a slow provider in parts
            done, batch.under_way = await asyncio.wait(batch.under_way, timeout=WRITE_EVERY_SECONDS)
            self._router.look()
            if done:
                await loop.run_in_executor(None, settle, batch, [task.result() for task in done])
                ended_at = loop.time()
            elif quiet_seconds is not None and loop.time() - ended_at >= quiet_seconds:
                return
            await self._look_at(locks)

    async def _look_at(self, locks: MessageLocks) -> None:
        """Check that we still hold the locks. While that is uncertain, no call begins."""
        if locks.must_ask:
            await asyncio.get_running_loop().run_in_executor(None, locks.ask)
        else:
            locks.look()

    async def _send(self, notification_type: str, locks: MessageLocks, message: Prepared) -> Result | Unsent:
        """One try. If it fails the first time, another provider is tried at once. A text may be sent through the same
        one again (workers 6.2), an email is not.
        """
        failed: list[str] = []
        skipped = skipped_seconds()
        for _ in range(2 if message.tries == 0 else 1):
            if failed and skipped_seconds() != skipped:
                # this process was stopped meanwhile: read the message's status again before the next try
                break
            try:
                sent = await self._router.send(
                    notification_type,
                    message.outgoing,
                    international=message.international,
                    failed=failed,
                    only_others=bool(failed) and notification_type == "email",
                    may_begin=lambda: locks.are_held,
                )
            except NoProviderError as error:
                logger.error("no provider", reason=str(error))
                break
            except NotBegunError:
                if failed:
                    break
                return Unsent(message, is_stopped=True)
            except AllDownError:
                if failed:
                    break
                return Unsent(message)
            except ProviderError as error:
                logger.warning(
                    "provider failed", provider=error.provider, kind=error.kind, code=error.code, id=message.id
                )
                failed.append(error.provider)
                if not error.retryable:
                    return Result(message.id, error.outcome, utc_now(), message.units)
            except Exception:
                logger.exception("could not send", id=message.id)
                break
            else:
                status = sent.accepted.outcome or ("sent" if message.international else "sending")
                return Result(message.id, status, utc_now(), message.units, sent.provider, sent.accepted.reference)
        return self._preparer.failure(notification_type, message.id, message.tries, message.units)
