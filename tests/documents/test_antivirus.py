"""Virus scans (contract: letters 9)."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from notify import settings
from notify.documents.antivirus import EICAR, Antivirus, BuiltInScanner, ClamdScanner, ScannerError
from notify.documents.settings import FileCheckSettings
from notify.infra.parts import Parts
from notify.settings import SettingsError
from tests.production import PRODUCTION
from tests.servers.clamd import ClamdServer

CLEAN = b"%PDF-1.7\n" + bytes(range(256)) * 1000
VIRUS = CLEAN + rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + EICAR + b"$H+H*"


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_clamd_is_sent_the_whole_file(tmp_path: Path, kind: str) -> None:
    with ClamdServer(tmp_path / "clamd.sock" if kind == "unix" else None) as server:
        scanner = ClamdScanner(server.address)
        assert scanner.scan(CLEAN) is None
        assert scanner.scan(b"") is None
        assert scanner.scan(VIRUS) == "Eicar-Test-Signature"
        assert server.scanned == [CLEAN, b"", VIRUS]


def test_what_clamd_cannot_say_is_an_error_and_not_a_clean_file() -> None:
    with ClamdServer(most_bytes=1000) as server:
        scanner = ClamdScanner(server.address)
        with pytest.raises(ScannerError, match="size limit exceeded"):
            scanner.scan(CLEAN)
        server.hang_up()
        with pytest.raises(ScannerError, match="no reply"):
            scanner.scan(b"%PDF")
    with pytest.raises(ScannerError, match="ConnectionRefusedError"):
        scanner.scan(b"%PDF")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (CLEAN, None),
        (VIRUS, "Eicar-Test-Signature"),
        (b"MZ\x90\x00 %PDF-1.7", "Program"),
        (b"\x7fELF %PDF-1.7", "Program"),
        (b"%PDF-1.7 << /Type /Action /S /Launch /F (cmd.exe) >>", "PDF-Launch-Action"),
        (b"%PDF-1.7 << /S/Launch >>", "PDF-Launch-Action"),
        (b"%PDF-1.7 (a letter about /S, /Launched and MZ)", None),
    ],
)
def test_without_clamd_known_kinds_are_found(content: bytes, found: str | None) -> None:
    assert BuiltInScanner().scan(content) == found


def test_that_there_is_no_scanner_is_said_once(unused_parts: Parts) -> None:
    with capture_logs() as lines:
        antivirus = Antivirus(unused_parts.settings.part(FileCheckSettings))
        antivirus.scan(CLEAN)
        antivirus.scan(CLEAN)
    assert [line["setting"] for line in lines] == ["CLAMD_ADDRESS"]


@pytest.mark.parametrize("address", ["localhost:3310", "http://clamd", "unix:relative", "tcp://", "tcp://host:port"])
def test_a_bad_address_stops_a_process(address: str) -> None:
    with pytest.raises(SettingsError, match="CLAMD_ADDRESS"):
        settings.read(clamd_address=address)


def test_letters_do_not_leave_the_machine_unencrypted() -> None:
    with pytest.raises(SettingsError, match="CLAMD_ADDRESS: an unencrypted connection"):
        settings.load(**PRODUCTION, clamd_address="tcp://clamd.example.gov.uk:3310")
    settings.load(**PRODUCTION, clamd_address="tcp://127.0.0.1:3310")
