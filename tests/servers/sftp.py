"""The printer's SFTP server: a folder on disk behind SSH with a password."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncssh

from tests.servers.loop import LoopThread

USER = "notify"
PASSWORD = "pass-word"


class _Accounts(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def begin_auth(self, username: str) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


class SftpPrinter:
    """Takes files below `folder`. `fails` makes it refuse every write; `cuts` drops the last bytes of each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "notify").mkdir(parents=True)
        self.fails = False
        self.cuts = 0
        self.writes = 0
        key = asyncssh.generate_private_key("ssh-ed25519")
        self.host_key = key.export_public_key().decode().strip()
        self._loop = LoopThread()
        self._server: Any = self._loop.run(self._start(key))
        self.port = int(self._server.get_port())

    async def _start(self, key: asyncssh.SSHKey) -> Any:
        printer = self

        class Files(asyncssh.SFTPServer):
            def __init__(self, channel: Any) -> None:
                super().__init__(channel, chroot=str(printer.folder).encode())

            def write(self, file_obj: Any, offset: int, data: bytes) -> Any:
                printer.writes += 1
                if printer.fails:
                    raise asyncssh.SFTPFailure("the disk is full")
                return super().write(file_obj, offset, data[: len(data) - printer.cuts])

        return await asyncssh.create_server(
            _Accounts, "127.0.0.1", 0, server_host_keys=[key], sftp_factory=Files, allow_scp=False
        )

    @property
    def files(self) -> dict[str, bytes]:
        """What it was sent, by name."""
        return {path.name: path.read_bytes() for path in sorted((self.folder / "notify").iterdir())}

    def close(self) -> None:
        self._server.close()
        self._loop.run(self._server.wait_closed())
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
