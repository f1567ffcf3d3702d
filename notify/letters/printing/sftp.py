"""The printer that takes zip files over SFTP, as in 2020 (contract: letters 11.2)."""

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
from notify.infra.objects import Bucket, ObjectMissingError
from notify.infra.queue import TaskName
from notify.infra.times import utc_now
from notify.letters.files import LetterFiles, exists, put, reference_of
from notify.letters.printing.base import LETTER_PROVIDER, PrinterError, RetryablePrinterError
from notify.letters.printing.responses import ACKNOWLEDGED
from notify.letters.printing.zip_notes import ZipNotes
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
        """The instance of this process. Raises `SettingsError`."""
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
        """Upload a file completely. False if it was already there with this size.

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
    """Sends zip files of letters, and records their status."""

    def __init__(
        self,
        database: Database,
        files: LetterFiles,
        notes: ZipNotes,
        responses: Bucket,
        server: Callable[[], SftpServer],
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._files = files
        self._notes = notes
        self._responses = responses
        self._server = server
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        return cls(
            parts.database,
            container.get(LetterFiles),
            container.get(ZipNotes),
            parts.objects.bucket(parts.settings.part(PrinterSettings).response_bucket),
            lambda: container.get(SftpServer),
        )

    def send(self, keys: Sequence[str], name: str) -> int:
        """Send a zip file of these PDFs, and set their letters to `sending`. Returns their number.

        The file only gets letters that still wait, and are in no other unfinished file. It is recorded before it is
        sent, with the rows of its letters locked. So no letter reaches the printer in two files, whichever process
        collates, and however often. If a worker was killed after sending a file, it is found on the server, or by its
        acknowledgement, and not sent again. Raises `RetryablePrinterError`.
        """
        noted = self._note(keys, name)
        if not noted:
            return 0
        marker = marker_key(noted[0], name)
        with self._database.connection() as connection:
            chosen = _waiting(connection, noted)
            if chosen and not self._has_arrived(name, marker):
                if not self._server().send(name, self._zip(chosen)):
                    logger.warning("the printer had this zip file already", name=name)
                put(self._files.live, marker, json.dumps(chosen).encode())
            else:
                logger.warning("zip file was sent already", name=name, waiting=len(chosen))
            self._notes.end(connection, name)
            return self._mark(connection, _SENT, "sending", [reference_of(key) for key in chosen])

    def _note(self, keys: Sequence[str], name: str) -> list[str]:
        """Record a file before it is sent. Returns the keys of its letters; a file recorded before keeps its keys."""
        with self._database.connection() as connection:
            waiting = _waiting(connection, keys)  # locks their rows, so that notes of other processes are visible now
            noted = self._notes.find(connection, name)
            if noted is not None:
                return noted.keys
            elsewhere = {key for note in self._notes.read_under_way(connection) for key in note.keys}
            chosen = [key for key in waiting if key not in elsewhere]
            if chosen:
                self._notes.add(connection, name, chosen)
            else:
                logger.warning("letters of a zip file do not wait any more", name=name, number=len(keys))
            return chosen

    def _has_arrived(self, name: str, marker: str) -> bool:
        """Whether the file was marked as sent, or the printer has acknowledged it."""
        acknowledgements = (f"{ACKNOWLEDGED}{stem}.ACK.txt" for stem in (name.removesuffix(".ZIP"), name))
        return exists(self._files.live, marker) or any(exists(self._responses, key) for key in acknowledgements)

    def give_up(self, keys: Sequence[str], name: str) -> int:
        """Set the letters of a file that cannot be sent to `technical-failure`. Returns their number. Leaves out
        letters that are in another unfinished file.
        """
        chosen = self._note(keys, name)
        with self._database.connection() as connection:
            self._notes.end(connection, name)
            return self._mark(connection, _FAILED, "technical-failure", [reference_of(key) for key in chosen])

    def _zip(self, keys: Sequence[str]) -> bytes:
        """The zip file. The same letters give the same bytes. Raises `RetryablePrinterError`."""
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
        except Exception as error:  # any error of the store
            raise RetryablePrinterError(f"object store: {type(error).__name__}") from None

    def mark_sent(self, references: Sequence[str]) -> int:
        """Set waiting letters to `sending`. Returns their number."""
        with self._database.connection() as connection:
            return self._mark(connection, _SENT, "sending", references)

    def mark_failed(self, references: Sequence[str]) -> int:
        """Set waiting letters to `technical-failure`. Returns their number."""
        with self._database.connection() as connection:
            return self._mark(connection, _FAILED, "technical-failure", references)

    def _mark(self, connection: Connection[Any], query: str, status: str, references: Sequence[str]) -> int:
        values = {"by": LETTER_PROVIDER, "now": self._now(), "references": list(references)}
        rows = connection.execute(query.encode(), values).fetchall()
        measure_statuses(("letter", str(row[0]), status) for row in rows)
        return len(rows)


def marker_key(first_key: str, name: str) -> str:
    """The key of the marker that a zip file was sent: next to its first PDF."""
    folder = first_key.rpartition("/")[0]
    return f"{folder}/zips_sent/{name}.TXT"


def _waiting(connection: Connection[Any], keys: Sequence[str]) -> list[str]:
    """Those of these PDFs whose letters wait for the printer. Locks their rows."""
    by_reference = {reference_of(key): key for key in keys}
    waiting = {str(row[0]) for row in connection.execute(_LOCK_WAITING, (list(by_reference),)).fetchall()}
    return [key for reference, key in by_reference.items() if reference in waiting]
