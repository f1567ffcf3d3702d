"""Sending through a mail server (RFC 5321).

There are no receipts, so a message counts as delivered once the server has taken it; a refused recipient is a permanent
failure.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import unquote, urlsplit

import aiosmtplib

from notify.infra.outbound import Outbound
from notify.infra.times import utc_now
from notify.providers.base import Accepted, OutgoingEmail, Provider, ProviderError, ProviderType
from notify.providers.mime import UnsendableError, ascii_address, message_id, source
from notify.providers.settings import EmailProviderSettings
from notify.providers.smtp.replies import Stage, read_refusal
from notify.settings import Settings

COMMAND_SECONDS: Final = 30.0
SEND_SECONDS: Final = 60.0
"""Longest that one email may take, with connecting but without the wait for a free connection."""

_STAGES: Final[tuple[tuple[type[aiosmtplib.SMTPResponseException], Stage], ...]] = (
    (aiosmtplib.SMTPAuthenticationError, "login"),
    (aiosmtplib.SMTPSenderRefused, "mail"),
    (aiosmtplib.SMTPRecipientRefused, "rcpt"),
    (aiosmtplib.SMTPDataError, "data"),
)


@dataclass(frozen=True)
class _Server:
    host: str
    port: int
    implicit_tls: bool
    username: str
    password: str

    @classmethod
    def parse(cls, url: str) -> _Server:
        parts = urlsplit(url)
        implicit_tls = parts.scheme == "smtps"
        username = unquote(parts.username or "")
        default_port = 465 if implicit_tls else 587 if username else 25
        return cls(
            host=parts.hostname or "localhost",
            port=parts.port or default_port,
            implicit_tls=implicit_tls,
            username=username,
            password=unquote(parts.password or ""),
        )

    def tls(self, *, must_be_safe: bool) -> ssl.SSLContext:
        """Certificates are checked where encryption was asked for, a password depends on it, or the content of emails
        does (`must_be_safe`). Elsewhere an unknown certificate is taken, as between mail servers.
        """
        context = ssl.create_default_context()
        if not (self.implicit_tls or self.username or must_be_safe):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class _StaleError(Exception):
    """A kept connection failed before anything was handed over."""


class SMTP(Provider[OutgoingEmail]):
    """The provider `smtp`. Keeps up to `SMTP_CONNECTIONS` connections. Outside development and test they are encrypted,
    and the server's certificate is a known one; `ALLOW_PLAINTEXT_INTERNAL` does without, but not with a password.
    """

    identifier: ClassVar[str] = "smtp"
    notification_type: ClassVar[ProviderType] = "email"

    def __init__(self, settings: Settings, outbound: Outbound) -> None:
        super().__init__(settings, outbound)
        self._own = settings.part(EmailProviderSettings)
        self._server = _Server.parse(self._own.smtp_url)
        allowed = settings.allow_plaintext_internal and not self._server.username
        self._must_be_safe = not (settings.is_safe_environment or allowed)
        self._tls = self._server.tls(must_be_safe=self._must_be_safe)
        self._idle: list[aiosmtplib.SMTP] = []
        self._slots = asyncio.Semaphore(self._own.smtp_connections)

    @property
    def calls_at_a_time(self) -> int:
        """One email on each connection."""
        return self._own.smtp_connections

    async def send(self, message: OutgoingEmail) -> Accepted:
        """Hand over one email. Its reference is its Message-ID."""
        try:
            sender = ascii_address(message.from_address)
            recipient = ascii_address(message.to)
            raw, reference = source(message, utc_now()), message_id(message)
        except UnsendableError as error:
            raise ProviderError(self.identifier, str(error), retryable=False) from None
        async with self._slots:
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await self._deliver(sender, recipient, raw)
            except TimeoutError:
                raise ProviderError(self.identifier, "timeout") from None
        return Accepted(reference=reference, outcome="delivered")

    async def _deliver(self, sender: str, recipient: str, raw: bytes) -> None:
        while self._idle:
            client = self._idle.pop()
            if client.is_connected:
                try:
                    return await self._transmit(client, sender, recipient, raw, kept=True)
                except _StaleError:
                    client.close()
        return await self._transmit(await self._connect(), sender, recipient, raw, kept=False)

    async def _connect(self) -> aiosmtplib.SMTP:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=_own_name(self.settings.notify_email_domain),
            use_tls=server.implicit_tls,
            tls_context=self._tls,
            timeout=COMMAND_SECONDS,
        )
        with self._errors():
            await client.connect()  # with STARTTLS, when offered
        try:
            if self._must_be_safe and client.get_transport_info("sslcontext") is None:
                raise ProviderError(self.identifier, "unencrypted")
            if server.username:
                with self._errors("authentication"):
                    await client.login(server.username, server.password)
        except BaseException:
            client.close()
            raise
        return client

    async def _transmit(self, client: aiosmtplib.SMTP, sender: str, recipient: str, raw: bytes, *, kept: bool) -> None:
        try:
            with self._errors():
                await self._envelope(client, sender, recipient, kept)
                await client.data(raw)
        except ProviderError:
            await self._recover(client)
            raise
        except BaseException:
            client.close()
            raise
        self._idle.append(client)

    async def _envelope(self, client: aiosmtplib.SMTP, sender: str, recipient: str, kept: bool) -> None:
        try:
            await client.mail(sender)
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError) as error:
            # nothing was handed over: another connection may do
            raise _StaleError if kept else error from None
        except aiosmtplib.SMTPSenderRefused as error:
            # for example a server that takes only so many messages on a connection
            raise _StaleError if kept and error.code < 500 else error from None
        await client.rcpt(recipient)

    async def _recover(self, client: aiosmtplib.SMTP) -> None:
        """Keep a connection on which a message was refused, if it is fit for the next."""
        if not client.is_connected:
            return
        try:
            await client.rset()
        except aiosmtplib.SMTPException:
            client.close()
        else:
            self._idle.append(client)

    @contextmanager
    def _errors(self, kind: str | None = None) -> Iterator[None]:
        """Turns every error of the library into `ProviderError`."""
        try:
            yield
        except aiosmtplib.SMTPResponseException as error:
            raise self._refused(error) from None
        except aiosmtplib.SMTPTimeoutError:
            raise ProviderError(self.identifier, "timeout") from None
        except ssl.SSLError:
            raise ProviderError(self.identifier, "tls") from None
        except aiosmtplib.SMTPConnectError as error:
            raise ProviderError(
                self.identifier, "tls" if isinstance(error.__cause__, ssl.SSLError) else "connection"
            ) from None
        except (aiosmtplib.SMTPServerDisconnected, ConnectionError):
            raise ProviderError(self.identifier, "disconnected") from None
        except (aiosmtplib.SMTPException, OSError, ValueError):
            raise ProviderError(self.identifier, kind or "invalid_answer") from None

    def _refused(self, error: aiosmtplib.SMTPResponseException) -> ProviderError:
        stage: Stage = next((stage for kind, stage in _STAGES if isinstance(error, kind)), "connect")
        refusal = read_refusal(stage, error.code, error.message)
        return ProviderError(
            self.identifier, refusal.kind, code=error.code, retryable=refusal.retryable, outcome=refusal.outcome
        )

    async def close(self) -> None:
        """Close every kept connection."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(_quit(client) for client in idle))


async def _quit(client: aiosmtplib.SMTP) -> None:
    try:
        await client.quit(timeout=2)
    except (aiosmtplib.SMTPException, OSError):
        client.close()


def _own_name(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii") or "localhost"
    except UnicodeError:
        return "localhost"
