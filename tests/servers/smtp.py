"""A mail server on loopback (aiosmtpd), with and without TLS and passwords, that can be told to fail."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.loop import LoopThread


@dataclass(frozen=True)
class Received:
    """An email that the server took."""

    mail_from: str
    recipients: list[str]
    raw: bytes
    peer: object
    encrypted: bool
    user: str | None

    @property
    def message(self) -> EmailMessage:
        return BytesParser(policy=policy.default).parsebytes(self.raw)


class SMTPServer:
    """`replies` maps a command (MAIL, RCPT, DATA) to the reply that it gets instead of yes; a reply may also be `hang`
    or `close`. `messages_per_connection` makes the server say 421 after so many. `accounts` are users and passwords:
    where there are any, nothing is taken without.
    """

    def __init__(
        self,
        *,
        certificate: tuple[Path, Path] | None = None,
        implicit_tls: bool = False,
        accounts: Mapping[str, str] | None = None,
    ) -> None:
        self.received: list[Received] = []
        self.replies: dict[str, str] = {}
        self.messages_per_connection: int | None = None
        self.connections = 0
        self.open_connections = 0
        self.most_at_once = 0
        self.delay = 0.0
        self._accounts = dict(accounts or {})
        self._tls = _context(*certificate) if certificate else None
        self._implicit_tls = implicit_tls
        self._loop = LoopThread()
        self._server = self._loop.run(self._start(0))
        self.port = int(self._server.sockets[0].getsockname()[1])

    def url(self, credentials: str = "") -> str:
        scheme = "smtps" if self._implicit_tls else "smtp"
        return f"{scheme}://{credentials}{'@' if credentials else ''}localhost:{self.port}"

    def restart(self) -> None:
        """Close every connection, and take new ones at the same port."""
        self._loop.run(self._stop())
        self._server = self._loop.run(self._start(self.port))

    def wait_until_empty(self) -> None:
        """Until every client has left."""
        deadline = time.monotonic() + 5
        while self.open_connections:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def close(self) -> None:
        self._loop.run(self._stop())
        self._loop.close()

    async def _start(self, port: int) -> asyncio.Server:
        self._sessions: set[_Protocol] = set()
        return await asyncio.get_running_loop().create_server(
            self._protocol, "127.0.0.1", port, ssl=self._tls if self._implicit_tls else None
        )

    async def _stop(self) -> None:
        self._server.close()
        for session in list(self._sessions):
            session.break_off()
        await asyncio.sleep(0.05)

    def _protocol(self) -> SMTP:
        return _Protocol(
            self,
            self._sessions,
            hostname="mail.test",
            tls_context=None if self._implicit_tls else self._tls,
            auth_required=bool(self._accounts),
            auth_require_tls=self._tls is not None and not self._implicit_tls,
            authenticator=self._authenticate if self._accounts else None,
            loop=asyncio.get_running_loop(),
        )

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        if isinstance(data, LoginPassword):
            user, password = data.login.decode(), data.password.decode()
            if self._accounts.get(user) == password:
                return AuthResult(success=True, auth_data=user)
        return AuthResult(success=False, handled=False)

    # -- what aiosmtpd calls

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        server.messages += 1
        if self.messages_per_connection is not None and server.messages > self.messages_per_connection:
            server.leave_soon()
            return "421 4.7.0 that is enough for one connection"
        reply = await self._reply("MAIL", server)
        if reply.startswith("2"):
            envelope.mail_from = address
        return reply

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = await self._reply("RCPT", server)
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self.delay)
        reply = await self._reply("DATA", server)
        if reply.startswith("2"):
            assert isinstance(envelope.content, bytes)
            self.received.append(
                Received(
                    mail_from=envelope.mail_from or "",
                    recipients=list(envelope.rcpt_tos),
                    raw=envelope.content,
                    peer=session.peer,
                    encrypted=server.transport.get_extra_info("sslcontext") is not None,
                    user=session.auth_data if session.authenticated else None,
                )
            )
        return reply

    async def _reply(self, command: str, server: _Protocol) -> str:
        reply = self.replies.get(command, "250 fine")
        if reply == "hang":
            await asyncio.Event().wait()
        if reply == "close":
            server.break_off()
        return reply

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Protocol(SMTP):
    def __init__(self, owner: SMTPServer, sessions: set[_Protocol], **options: Any) -> None:
        super().__init__(owner, **options)
        self._owner = owner
        self._sessions = sessions
        self._counted = False
        self.messages = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._counted:  # after STARTTLS it is called again
            self._counted = True
            self._sessions.add(self)
            self._owner.connections += 1
            self._owner.open_connections += 1
            self._owner.most_at_once = max(self._owner.most_at_once, self._owner.open_connections)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        if self in self._sessions:
            self._sessions.discard(self)
            self._owner.open_connections -= 1

    def break_off(self) -> None:
        if self.transport is not None:
            self.transport.abort()  # type: ignore[attr-defined]

    def leave_soon(self) -> None:
        asyncio.get_running_loop().call_later(0.01, self.break_off)


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
