"""The sandbox provider's server: a small HTTP server for development and tests.

It stores messages in the table `sandbox_messages` and answers after the commit; requests that arrive together share a
write. After a delay it sends a receipt for each to our API, and retries until the API accepts it. Pending receipts are
in the table, so a restart loses none.

It shows all messages to anyone, so it only answers programs, under its own host name and the machine's local names: no
web pages (requests that a browser makes for them), and no foreign names that resolve to it (DNS rebinding).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import orjson
import psycopg
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from notify.infra.ids import new_id
from notify.infra.outbound import cancel, open_session
from notify.infra.times import format_datetime, utc_now
from notify.providers.sandbox.receive import SandboxReceipt
from notify.providers.settings import EmailProviderSettings
from notify.providers.simulation import SimulatedOutcome, simulated_outcome
from notify.settings import Settings

logger = structlog.get_logger(__name__)

MAX_BODY_BYTES: Final = 8 * 1024 * 1024
RECEIPTS_AT_ONCE: Final = 32
RECEIPTS_PER_ROUND: Final = 500
ROUND_SECONDS: Final = 0.05
"""Receipts that become due within this time are sent, and recorded, together."""
RECEIPT_TIMEOUT_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 2.0
"""Pause before retrying receipts that our API did not accept."""

LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})

# PostgreSQL's texts cannot hold the character NUL
_Text = Annotated[
    str, BeforeValidator(lambda value: value.replace("\0", "\ufffd") if isinstance(value, str) else value)
]
_Address = Annotated[_Text, Field(min_length=1, max_length=1000)]


class _SMS(BaseModel):
    """The body of `POST /sms`."""

    notification_id: UUID
    to: _Address
    sender: _Text
    body: _Text


class _Email(BaseModel):
    """The body of `POST /email`."""

    notification_id: UUID
    to: _Address
    sender: _Text
    reply_to: _Text | None = None
    subject: _Text
    body: _Text
    html: _Text | None = None
    headers: dict[_Text, _Text] = {}


class _Entry:
    """A message to write to the table."""

    __slots__ = ("row", "stored")

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.row = row
        self.stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class _Due(BaseModel):
    """A message whose receipt is due."""

    id: UUID
    notification_id: UUID
    channel: Literal["sms", "email"]
    outcome: SimulatedOutcome
    created_at: datetime
    receipt_due_at: datetime


_COPY = """COPY sandbox_messages (id, notification_id, channel, recipient, sender, reply_to, subject, body, html,
    headers, created_at, outcome, receipt_due_at) FROM STDIN"""
_DUE = """SELECT id, notification_id, channel, outcome, created_at, receipt_due_at FROM sandbox_messages
    WHERE receipt_sent_at IS NULL ORDER BY receipt_due_at LIMIT %s"""
_NEWEST = """SELECT id, notification_id, channel, recipient, sender, reply_to, subject, body, html, headers, created_at,
    outcome, receipt_sent_at FROM sandbox_messages
    WHERE (%(to)s::text IS NULL OR recipient = %(to)s)
    AND (%(notification_id)s::uuid IS NULL OR notification_id = %(notification_id)s)
    ORDER BY id DESC LIMIT %(limit)s"""


class Messages:
    """The table, and its two loops: one writes the messages that arrive, one sends the receipts that are due."""

    def __init__(self, pool: AsyncConnectionPool, session: aiohttp.ClientSession, settings: Settings) -> None:
        self._pool = pool
        self._session = session
        self._receipts_url = f"{settings.api_host_name_internal.rstrip('/')}/notifications"
        self._delay = timedelta(milliseconds=settings.part(EmailProviderSettings).sandbox_receipt_delay_ms)
        self._arrived: list[_Entry] = []
        self._has_arrived = asyncio.Event()
        self._has_stored = asyncio.Event()

    async def keep(self, channel: Literal["sms", "email"], message: _SMS | _Email) -> UUID:
        """Store a message. Returns its id after the commit. Raises the database's error."""
        id_, now = new_id(), utc_now()
        email = message if isinstance(message, _Email) else None
        entry = _Entry(
            (
                id_,
                message.notification_id,
                channel,
                message.to,
                message.sender,
                email.reply_to if email else None,
                email.subject if email else None,
                message.body,
                email.html if email else None,
                Jsonb(email.headers if email else {}),
                now,
                simulated_outcome(channel, message.to),
                now + self._delay,
            )
        )
        self._arrived.append(entry)
        self._has_arrived.set()
        await entry.stored
        return id_

    async def write(self) -> None:
        """Write messages forever. Those that arrive during a write are written next."""
        while True:
            await self._has_arrived.wait()
            self._has_arrived.clear()
            entries, self._arrived = self._arrived, []
            try:
                async with (
                    self._pool.connection() as connection,
                    connection.cursor() as cursor,
                    cursor.copy(_COPY) as copy,
                ):
                    for entry in entries:
                        await copy.write_row(entry.row)
            except Exception as error:  # any error: answer the requests, and keep the loop running
                logger.warning("sandbox could not store", messages=len(entries), error=type(error).__name__)
                _settle(entries, error)
            else:
                _settle(entries, None)
                self._has_stored.set()

    async def report(self) -> None:
        """Send due receipts forever."""
        while True:
            try:
                pause = await self._report_due()
            except Exception as error:  # keep the loop running
                logger.warning("sandbox could not report", error=type(error).__name__)
                pause = RETRY_SECONDS
            if pause is None:
                await self._has_stored.wait()
                pause = self._delay.total_seconds()
            self._has_stored.clear()
            await asyncio.sleep(max(pause, ROUND_SECONDS))

    async def _report_due(self) -> float | None:
        """Send due receipts. Returns the seconds until the next is due, or None if there is none."""
        async with self._pool.connection() as connection, connection.cursor(row_factory=class_row(_Due)) as cursor:
            await cursor.execute(_DUE, (RECEIPTS_PER_ROUND,))
            waiting = await cursor.fetchall()
        now = utc_now()
        due = [message for message in waiting if message.receipt_due_at <= now]
        if not due:
            # postpone failed ones, so that they do not delay later ones
            return min(waiting[0].receipt_due_at - now, self._delay).total_seconds() if waiting else None
        at_once = asyncio.Semaphore(RECEIPTS_AT_ONCE)
        taken = await asyncio.gather(*(self._report_one(message, at_once) for message in due))
        done = [message.id for message, is_taken in zip(due, taken, strict=True) if is_taken]
        failed = [message.id for message, is_taken in zip(due, taken, strict=True) if not is_taken]
        now = utc_now()
        async with self._pool.connection() as connection:
            await connection.execute("UPDATE sandbox_messages SET receipt_sent_at = %s WHERE id = ANY(%s)", (now, done))
            if failed:
                await connection.execute(
                    "UPDATE sandbox_messages SET receipt_due_at = %s WHERE id = ANY(%s)",
                    (now + timedelta(seconds=RETRY_SECONDS), failed),
                )
        return 0.0

    async def _report_one(self, message: _Due, at_once: asyncio.Semaphore) -> bool:
        """Whether our API has answered a receipt. A refused one is not sent again."""
        receipt = SandboxReceipt(
            notification_id=message.notification_id,
            reference=message.id,
            status=message.outcome,
            delivered_at=max(message.receipt_due_at, message.created_at),
        )
        async with at_once:
            try:
                async with self._session.post(
                    f"{self._receipts_url}/{message.channel}/sandbox",
                    data=receipt.model_dump_json().encode(),
                    headers={"Content-Type": "application/json"},
                    timeout=aiohttp.ClientTimeout(total=RECEIPT_TIMEOUT_SECONDS),
                    allow_redirects=False,
                ) as answer:
                    await answer.read()
            except (aiohttp.ClientError, TimeoutError, OSError):
                return False
        if 400 <= answer.status < 500:
            logger.warning("receipt refused", status=answer.status, channel=message.channel)
        return answer.status < 500

    async def newest(self, to: str | None, notification_id: UUID | None, limit: int) -> Sequence[dict[str, Any]]:
        """The newest messages first."""
        async with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_NEWEST, {"to": to, "notification_id": notification_id, "limit": limit})
            return await cursor.fetchall()


def _settle(entries: list[_Entry], error: Exception | None) -> None:
    for entry in entries:
        if entry.stored.done():  # the client has disconnected
            continue
        if error is None:
            entry.stored.set_result(None)
        else:
            entry.stored.set_exception(error)


_MESSAGES_KEY = web.AppKey("messages", Messages)


def _json(content: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(content), status=status, content_type="application/json")


async def _take(request: web.Request, channel: Literal["sms", "email"], model: type[_SMS | _Email]) -> web.Response:
    try:
        message = model.model_validate_json(await request.read())
    except ValidationError as error:
        return _json({"errors": [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]}, 400)
    try:
        id_ = await request.app[_MESSAGES_KEY].keep(channel, message)
    except Exception:  # already logged
        return _json({"errors": ["the message cannot be stored"]}, 503)
    return _json({"id": str(id_)})


async def _take_sms(request: web.Request) -> web.Response:
    return await _take(request, "sms", _SMS)


async def _take_email(request: web.Request) -> web.Response:
    return await _take(request, "email", _Email)


async def _show(request: web.Request) -> web.Response:
    try:
        limit = min(max(int(request.query.get("limit", "50")), 1), 1000)
        notification_id = UUID(request.query["notification_id"]) if "notification_id" in request.query else None
    except ValueError:
        return _json({"errors": ["limit must be a number, notification_id a UUID"]}, 400)
    messages = await request.app[_MESSAGES_KEY].newest(request.query.get("to"), notification_id, limit)
    times = ("created_at", "receipt_sent_at")
    return _json(
        {
            "messages": [
                {**message, **{name: message[name] and format_datetime(message[name]) for name in times}}
                for message in messages
            ]
        }
    )


async def _health(request: web.Request) -> web.Response:
    try:
        await request.app[_MESSAGES_KEY].newest(None, None, 1)
    except (psycopg.Error, PoolTimeout):
        return _json({"status": "error"}, 503)
    return _json({"status": "ok"})


def _only_programs_on(names: frozenset[str]) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            host = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
        except ValueError:
            host = ""
        if host not in names:
            return _json({"errors": ["unknown host name"]}, 403)
        # browsers name the requesting page, except for typed addresses and bookmarks
        if "Origin" in request.headers or request.headers.get("Sec-Fetch-Site", "none") != "none":
            return _json({"errors": ["web pages are not answered"]}, 403)
        return await handler(request)

    return check


def create_app(settings: Settings) -> web.Application:
    """The server as an aiohttp application; it needs the database and its tables."""
    names = LOCAL_NAMES | {urlsplit(settings.part(EmailProviderSettings).sandbox_url).hostname or ""} - {""}
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_only_programs_on(names)])
    app.router.add_post("/sms", _take_sms)
    app.router.add_post("/email", _take_email)
    app.router.add_get("/outbox", _show)
    app.router.add_get("/health", _health)

    async def work(app: web.Application) -> AsyncIterator[None]:
        uri = settings.sqlalchemy_database_uri.replace("postgresql+psycopg://", "postgresql://", 1)
        async with (
            AsyncConnectionPool(
                uri,
                min_size=1,
                max_size=4,
                timeout=5,
                open=False,
                check=AsyncConnectionPool.check_connection,
                kwargs={"application_name": "notify-sandbox"},
            ) as pool,
            open_session() as session,
        ):
            messages = app[_MESSAGES_KEY] = Messages(pool, session, settings)
            loops = [asyncio.create_task(messages.write()), asyncio.create_task(messages.report())]
            yield
            await cancel(loops)

    app.cleanup_ctx.append(work)
    return app


def run(settings: Settings) -> None:
    """Serve at `SANDBOX_URL` until SIGINT or SIGTERM. Raises `OSError` where the port is taken."""
    address = urlsplit(settings.part(EmailProviderSettings).sandbox_url)
    web.run_app(
        create_app(settings),
        host=address.hostname,
        port=address.port or 80,
        access_log=None,
        print=None,
        shutdown_timeout=2,
    )
