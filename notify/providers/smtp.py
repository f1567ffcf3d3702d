"""SMTP: email through any mail server (RFC 5321).

The server's yes is the last we hear of a message, so it counts as delivered from then on; a refused recipient counts as
the permanent failure that it is.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import unquote, urlsplit

import aiosmtplib

from notify.infra.outbound import Outbound
from notify.infra.times import utc_now
from notify.providers.base import Accepted, Outcome, OutgoingEmail, Provider, ProviderError, ProviderType
from notify.providers.mime import UnsendableError, ascii_address, message_id, source
from notify.settings import Settings

COMMAND_SECONDS: Final = 30.0
SEND_SECONDS: Final = 60.0
"""Longest that one email may take, connecting included, waiting for a connection to be free excluded."""

_AUTHENTICATION = frozenset({454, 530, 534, 535, 538})
_POLICY = re.compile(r"\b5\.7\.\d")


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

    def tls(self) -> ssl.SSLContext:
        """Certificates are checked wherever encryption was asked for or a password depends on it. Elsewhere encryption
        is taken when offered, as between mail servers: with an unknown certificate it is still better than none.
        """
        context = ssl.create_default_context()
        if not (self.implicit_tls or self.username):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class _StaleError(Exception):
    """A kept connection turned out to be of no use before anything was handed over."""


class SMTP(Provider[OutgoingEmail]):
    """The provider `smtp`. Keeps up to `SMTP_CONNECTIONS` connections."""

    identifier: ClassVar[str] = "smtp"
    notification_type: ClassVar[ProviderType] = "email"

    @classmethod
    def is_configured(cls, settings: Settings) -> bool:
        """With an address."""
        return bool(settings.smtp_url)

    def __init__(self, settings: Settings, outbound: Outbound) -> None:
        super().__init__(settings, outbound)
        self._server = _Server.parse(settings.smtp_url)
        self._tls = self._server.tls()
        self._idle: list[aiosmtplib.SMTP] = []
        self._turns = asyncio.Semaphore(settings.smtp_connections)

    @property
    def calls_at_a_time(self) -> int:
        """One email on each connection."""
        return self.settings.smtp_connections

    async def send(self, message: OutgoingEmail) -> Accepted:
        """Hand over one email. Its reference is its Message-ID."""
        try:
            sender = ascii_address(message.from_address)
            recipient = ascii_address(message.to)
            raw, reference = source(message, utc_now()), message_id(message)
        except UnsendableError as error:
            raise ProviderError(self.identifier, str(error), retryable=False) from None
        async with self._turns:
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
            await client.connect()  # and STARTTLS, when offered
        if not server.username:
            return client
        try:
            if client.get_transport_info("sslcontext") is None and not self.settings.is_safe_environment:
                raise ProviderError(self.identifier, "unencrypted")
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
            # such as a server that has had enough of this connection
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
        """Whatever the library raises, as `ProviderError`."""
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
        if error.code in _AUTHENTICATION or isinstance(error, aiosmtplib.SMTPAuthenticationError):
            # ours to put right: the messages wait for it
            return ProviderError(self.identifier, "authentication", code=error.code)
        is_about_message = isinstance(
            error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPSenderRefused | aiosmtplib.SMTPDataError
        )
        if not is_about_message or not 500 <= error.code < 600:
            return ProviderError(self.identifier, "refused", code=error.code)
        is_about_recipient = isinstance(error, aiosmtplib.SMTPRecipientRefused) and not _POLICY.search(error.message)
        outcome: Outcome = "permanent-failure" if is_about_recipient else "technical-failure"
        kind = "recipient_refused" if is_about_recipient else "refused"
        return ProviderError(self.identifier, kind, code=error.code, retryable=False, outcome=outcome)

    async def close(self) -> None:
        """Take leave of the server on every kept connection."""
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
