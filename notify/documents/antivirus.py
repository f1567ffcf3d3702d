"""Scans files for viruses: with ClamAV, or else by signatures in a file's bytes (contract: letters 9)."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol, Self
from urllib.parse import urlsplit

import structlog

from notify.documents.files import InfectedFileError
from notify.documents.recognise import DOCX, ODT, XLSX, recognise
from notify.documents.settings import FileCheckSettings
from notify.infra.container import Container

logger = structlog.get_logger(__name__)

CONNECT_SECONDS: Final = 5.0
SCAN_SECONDS: Final = 60.0
"""Timeout of `clamd`."""
PIECE_BYTES: Final = 64 * 1024
LONGEST_REPLY: Final = 4096
DEFAULT_PORT: Final = 3310

EICAR: Final = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!"
"""Part of the EICAR test file, which is harmless and made to test scanners."""
_PROGRAMS: Final = (b"\x7fELF", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!")
"""First bytes of executables. A PDF may have other bytes before its header, so a file can be both."""
_DOS_PROGRAM: Final = b"MZ"
_ARCHIVE: Final = b"PK\x03\x04"
_DOCUMENTS: Final = (DOCX, XLSX, ODT)
"""Types of archives that may be sent."""
_HEADER_BYTES: Final = 1024
"""A PDF's header may be so far from its start (ISO 32000-1, annex H, note 13)."""
_STARTS_PROGRAM: Final = re.compile(rb"/S\s*/(?:Launch|#4[cC]aunch)\b")
"""An action of a PDF that starts a program when it is opened (ISO 32000-1, 12.6.4.5)."""


class ScannerError(Exception):
    """The scanner could not be reached, or could not scan the file."""


class Scanner(Protocol):
    """Scans files for viruses."""

    def scan(self, content: bytes) -> str | None:
        """The name of the virus in a file; `None` for a clean one. Raises `ScannerError`."""

    def check(self) -> None:
        """Raises `ScannerError` if it does not work."""


class ClamdScanner:
    """Asks ClamAV's `clamd`, which is sent the content (its command INSTREAM)."""

    def __init__(self, address: str) -> None:
        self._address = urlsplit(address)

    def scan(self, content: bytes) -> str | None:
        """As `Scanner.scan`."""
        words = self._reply(content).removeprefix("stream: ")
        if words == "OK":
            return None
        if words.endswith(" FOUND"):
            return words.removesuffix(" FOUND")
        raise ScannerError(f"clamd: {words[:200] or 'no reply'}")

    def check(self) -> None:
        """As `Scanner.check`."""
        if self._reply(None) != "PONG":
            raise ScannerError("clamd: no reply")

    def _reply(self, content: bytes | None) -> str:
        """Its answer to a file, or, without content, to a ping."""
        try:
            with self._connection() as connection:
                _send(connection, content)
                return _receive(connection)
        except OSError as error:
            raise ScannerError(f"clamd: {type(error).__name__}") from error

    @contextmanager
    def _connection(self) -> Iterator[socket.socket]:
        if self._address.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(CONNECT_SECONDS)
                connection.connect(self._address.path)
                yield connection
            return
        where = (self._address.hostname or "localhost", self._address.port or DEFAULT_PORT)
        with socket.create_connection(where, timeout=CONNECT_SECONDS) as connection:
            yield connection


def _send(connection: socket.socket, content: bytes | None) -> None:
    """Send INSTREAM: each piece has its length before it, and an empty one is the end. Without content, send a ping."""
    if content is None:
        connection.sendall(b"zPING\0")
        return
    connection.settimeout(SCAN_SECONDS)
    try:
        connection.sendall(b"zINSTREAM\0")
        view = memoryview(content)
        for start in range(0, len(view), PIECE_BYTES):
            piece = view[start : start + PIECE_BYTES]
            connection.sendall(struct.pack("!I", len(piece)))
            connection.sendall(piece)
        connection.sendall(struct.pack("!I", 0))
    except (BrokenPipeError, ConnectionResetError):
        pass  # clamd explains itself before it closes the connection, for example that the file is too large


def _receive(connection: socket.socket) -> str:
    reply = b""
    while b"\0" not in reply and len(reply) < LONGEST_REPLY and (part := connection.recv(LONGEST_REPLY)):
        reply += part
    return reply.partition(b"\0")[0].decode("utf-8", "replace").strip()


class BuiltInScanner:
    """Detects the test virus, programs, archives, and PDFs that start programs. Used where there is no ClamAV."""

    def __init__(self) -> None:
        logger.warning("no virus scanner is set up: only known kinds of files are refused", setting="CLAMD_ADDRESS")

    def scan(self, content: bytes) -> str | None:
        """As `Scanner.scan`."""
        if EICAR in content:
            return "Eicar-Test-Signature"
        if content.startswith(_PROGRAMS) or (content.startswith(_DOS_PROGRAM) and b"\0" in content[:64]):
            return "Program"
        if content.startswith(_ARCHIVE) and (
            b"%PDF-" in content[:_HEADER_BYTES] or recognise(content) not in _DOCUMENTS
        ):
            return "Archive"
        return "PDF-Launch-Action" if _STARTS_PROGRAM.search(content) else None

    def check(self) -> None:
        """As `Scanner.check`: it always works."""


class Antivirus:
    """The scanner of this process."""

    def __init__(self, settings: FileCheckSettings) -> None:
        self.is_enabled: Final = settings.antivirus_enabled
        self._scanner: Final[Scanner] = (
            ClamdScanner(settings.clamd_address) if settings.clamd_address else BuiltInScanner()
        )

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.settings.part(FileCheckSettings))

    def scan(self, content: bytes) -> str | None:
        """As `Scanner.scan`."""
        return self._scanner.scan(content)

    def refuse_infected(self, content: bytes) -> None:
        """Raise `InfectedFileError` for a file with a virus, unless scanning is off. Raises `ScannerError`."""
        if self.is_enabled and (virus := self.scan(content)):
            logger.warning("virus in a file", virus=virus)
            raise InfectedFileError

    def check(self) -> None:
        """As `Scanner.check`."""
        self._scanner.check()
