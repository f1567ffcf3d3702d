"""The printer that takes zip files over SFTP (contract: letters 11.2). This is how letters were printed in 2020."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

import structlog
from psycopg import Connection

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.objects import ObjectMissingError
from notify.infra.queue import TaskName
from notify.infra.times import utc_now
from notify.letters.files import LetterFiles, exists, put, reference_of
from notify.letters.printing.base import LETTER_PROVIDER, PrinterError, RetryablePrinterError
from notify.letters.settings import PrinterSettings
from notify.messages.metrics import measure_statuses
from notify.settings import SettingsError

if TYPE_CHECKING:
    import asyncssh

logger = structlog.get_logger(__name__)

ZIP_AND_SEND: Final = TaskName("zip-and-send-letter-pdfs")
REMOTE_FOLDER: Final = "notify"
CONNECT_SECONDS: Final = 30

_LOCK_WAITING: Final = """
SELECT reference FROM notifications
WHERE reference = ANY(%s) AND notification_type = 'letter' AND notification_status = 'created'
ORDER BY id FOR UPDATE
"""
_SENT: Final = """
UPDATE notifications SET notification_status = 'sending', sent_by = %(by)s, sent_at = %(now)s, updated_at = %(now)s
WHERE reference = ANY(%(references)s) AND notification_type = 'letter' AND notification_status = 'created'
RETURNING key_type
"""
_FAILED: Final = """
UPDATE notifications SET notification_status = 'technical-failure', updated_at = %(now)s
WHERE reference = ANY(%(references)s) AND notification_type = 'letter' AND notification_status = 'created'
RETURNING key_type
"""


class SftpServer:
    """The printer's server."""

    def __init__(self, host: str, port: int, *, user: str, password: str, host_key: str) -> None:
        self._host = host
        self._port = port
        self._user = user
        self._password = password
        self._host_key = host_key

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own. Raises `SettingsError`."""
        settings = container.parts.settings
        printer = settings.part(PrinterSettings)
        if not printer.ftp_host:
            raise SettingsError("FTP_HOST: must be set for LETTER_PRINTER=sftp")
        if not printer.ftp_host_key and not settings.is_safe_environment:
            raise SettingsError("FTP_HOST_KEY: must be set, as anybody could be the printer without it")
        return cls(
            printer.ftp_host,
            printer.ftp_port,
            user=printer.ftp_username,
            password=printer.ftp_password,
            host_key=printer.ftp_host_key,
        )

    def send(self, name: str, content: bytes) -> bool:
        """Have a file on the server, complete; False: it was there already, with this size.

        Raises `RetryablePrinterError`.
        """
        import asyncssh

        try:
            return asyncio.run(self._send(name, content))
        except (asyncssh.Error, OSError, TimeoutError) as error:
            raise RetryablePrinterError(f"SFTP: {type(error).__name__}") from None

    async def _send(self, name: str, content: bytes) -> bool:
        async with await self._connect() as connection, connection.start_sftp_client() as client:
            path = f"{REMOTE_FOLDER}/{name}"
            if await self._size(client, path) == len(content):
                return False
            async with client.open(path, "wb") as file:
                await file.write(content)
            if await self._size(client, path) != len(content):
                raise OSError("the file has another size on the server")
        return True

    async def _connect(self) -> asyncssh.SSHClientConnection:
        import asyncssh

        known: Any = ([asyncssh.import_public_key(self._host_key)], [], []) if self._host_key else None
        return await asyncssh.connect(
            self._host,
            self._port,
            username=self._user,
            password=self._password,
            known_hosts=known,
            client_keys=None,
            agent_path=None,
            config=None,
            connect_timeout=CONNECT_SECONDS,
            login_timeout=CONNECT_SECONDS,
        )

    @staticmethod
    async def _size(client: asyncssh.SFTPClient, path: str) -> int | None:
        import asyncssh

        try:
            return (await client.stat(path)).size
        except asyncssh.SFTPNoSuchFile:
            return None


class ZipPrinter:
    """Sends zip files of letters, and writes down what became of these."""

    def __init__(
        self,
        database: Database,
        files: LetterFiles,
        server: Callable[[], SftpServer],
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._files = files
        self._server = server
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        return cls(container.parts.database, container.get(LetterFiles), lambda: container.get(SftpServer))

    def send(self, keys: Sequence[str], name: str) -> int:
        """Send a zip file of these PDFs, and make their letters `sending`; their number.

        The rows are held meanwhile, and only letters that still wait go into the file. So no letter is in two files
        that reach the printer, whoever collates, and however often. A file that was sent by a worker that was killed
        is found on the server, and not sent again. Raises `RetryablePrinterError`.
        """
        if not keys:
            return 0
        marker = marker_key(keys[0], name)
        by_reference = {reference_of(key): key for key in keys}
        with self._database.connection() as connection:
            waiting = _waiting(connection, list(by_reference))
            chosen = [key for reference, key in by_reference.items() if reference in waiting]
            if not chosen or exists(self._files.live, marker):
                logger.warning("zip file was sent already", name=name, waiting=len(chosen))
                return self._mark(connection, _SENT, "sending", [reference_of(key) for key in chosen])
            if not self._server().send(name, self._zip(chosen)):
                logger.warning("the printer had this zip file already", name=name)
            put(self._files.live, marker, json.dumps(chosen).encode())
            return self._mark(connection, _SENT, "sending", [reference_of(key) for key in chosen])

    def _zip(self, keys: Sequence[str]) -> bytes:
        """The zip file; the same letters give the same bytes. Raises `RetryablePrinterError`."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for key in keys:
                entry = zipfile.ZipInfo(key.rpartition("/")[2])
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, self._read(key))
        return content.getvalue()

    def _read(self, key: str) -> bytes:
        try:
            return self._files.live.get(key)
        except ObjectMissingError:
            raise PrinterError(f"{key} is missing") from None
        except Exception as error:  # whatever the store raises
            raise RetryablePrinterError(f"object store: {type(error).__name__}") from None

    def mark_sent(self, references: Sequence[str]) -> int:
        """Letters that wait become `sending`; their number."""
        with self._database.connection() as connection:
            return self._mark(connection, _SENT, "sending", references)

    def mark_failed(self, references: Sequence[str]) -> int:
        """Letters that wait become `technical-failure`; their number."""
        with self._database.connection() as connection:
            return self._mark(connection, _FAILED, "technical-failure", references)

    def _mark(self, connection: Connection[Any], query: str, status: str, references: Sequence[str]) -> int:
        values = {"by": LETTER_PROVIDER, "now": self._now(), "references": list(references)}
        rows = connection.execute(query.encode(), values).fetchall()
        measure_statuses(("letter", str(row[0]), status) for row in rows)
        return len(rows)


def marker_key(first_key: str, name: str) -> str:
    """Where it is noted that a zip file was sent: beside its first PDF."""
    folder = first_key.rpartition("/")[0]
    return f"{folder}/zips_sent/{name}.TXT"


def _waiting(connection: Connection[Any], references: list[str]) -> set[str]:
    return {str(row[0]) for row in connection.execute(_LOCK_WAITING, (references,)).fetchall()}
