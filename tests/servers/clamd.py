"""A stand-in for ClamAV's `clamd`: it speaks PING and INSTREAM, and finds the test virus."""

from __future__ import annotations

import contextlib
import socketserver
import struct
import threading
from pathlib import Path
from typing import Any, Self, cast

from notify.documents.antivirus import EICAR


class _Handler(socketserver.StreamRequestHandler):
    server: Any

    def handle(self) -> None:
        command = b""
        while not command.endswith(b"\0") and (byte := self.rfile.read(1)):
            command += byte
        if command != b"zINSTREAM\0":
            self.wfile.write(b"PONG\0" if command == b"zPING\0" else b"UNKNOWN COMMAND\0")
            return
        content = b""
        while size := struct.unpack("!I", self.rfile.read(4))[0]:
            content += self.rfile.read(size)
            if len(content) > self.server.most_bytes:
                self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
        self.server.scanned.append(content)
        if self.server.mode == "hang up":
            return
        self.wfile.write(b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0")


class ClamdServer:
    """Runs until the block ends, on loopback or, with a path, on a Unix socket."""

    def __init__(self, path: Path | None = None, *, most_bytes: int = 2**20) -> None:
        server = (
            socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler)
            if path is None
            else socketserver.ThreadingUnixStreamServer(str(path), _Handler)
        )
        self._server = cast("Any", server)
        self._server.daemon_threads = True
        self._server.scanned, self._server.mode, self._server.most_bytes = [], "", most_bytes
        port = path or self._server.socket.getsockname()[1]
        self.address = f"unix://{path}" if path else f"tcp://127.0.0.1:{port}"

    @property
    def scanned(self) -> list[bytes]:
        """What it was given."""
        found: list[bytes] = self._server.scanned
        return found

    def hang_up(self) -> None:
        """From now on, give no answer."""
        self._server.mode = "hang up"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown()
        self._server.server_close()
