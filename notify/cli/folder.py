"""The data folder of `notify up`: its lock, its version and the paths in it."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

VERSION = 1
"""Version of the folder's layout. A newer one is refused; an older one would be converted here."""
OURS = {"lock", "version", "logs", "run", "objects", "postgres", "valkey", "beat", "dev.json", "secrets.json"}
LOCK_ATTEMPTS = 4
SECRET_BYTES = 32
LARGEST_LOG_BYTES = 20 * 1024 * 1024


SECRETS: Mapping[str, Callable[[], Any]] = {
    "data_encryption_keys": lambda: [secrets.token_urlsafe(SECRET_BYTES)],
    "secret_key": lambda: [secrets.token_urlsafe(SECRET_BYTES)],
    "dangerous_salt": lambda: secrets.token_urlsafe(SECRET_BYTES),
    "token_secret_key": lambda: base64.urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).decode(),
    "internal_client_api_keys": lambda: {"notify-admin": [secrets.token_urlsafe(SECRET_BYTES)]},
    "metrics_token": lambda: secrets.token_urlsafe(SECRET_BYTES),
}
"""How to generate each secret of an installation, by field name of `Settings`."""


class FolderError(Exception):
    """The data folder cannot be used. The message is one line."""


class DataFolder:
    """A data folder. Call `take` before use; the kernel releases its lock when the process ends."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: IO[str] | None = None

    @property
    def logs(self) -> Path:
        """Folder of the log files."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Folder of files that are only valid while `notify up` runs."""
        return self.path / "run"

    @property
    def children(self) -> Path:
        """File that lists the running children, so that a later start can end orphans."""
        return self.run / "children.json"

    @property
    def demo(self) -> Path:
        """File that describes the demo service (`dev.json`)."""
        return self.path / "dev.json"

    @property
    def secrets_file(self) -> Path:
        """File of the secrets generated for this folder. Without it the data cannot be read."""
        return self.path / "secrets.json"

    @property
    def _environment(self) -> Path:
        return self.run / "environment.json"

    def take(self, *, any_version: bool = False) -> None:
        """Create the folder if it is missing, and lock it. Raises `FolderError`: another process has it, its version is
        newer (allowed with `any_version`), it is not notify's, or it cannot be written.
        """
        try:
            self._refuse_foreign()
            self._make()
            self._take_lock()
            if not any_version:
                self._check_version()
            for folder in (self.logs, self.run):
                folder.mkdir(mode=0o700, exist_ok=True)
            self._rotate_logs()
        except OSError as error:
            raise FolderError(f"{self.path} cannot be used: {error.strerror or error}") from None

    def _refuse_foreign(self) -> None:
        if not self.path.is_dir() or (self.path / "version").exists():
            return
        if foreign := sorted({entry.name for entry in self.path.iterdir()} - OURS):
            raise FolderError(f"{self.path} is not notify's (it holds {foreign[0]}): choose another --data-dir")

    def _make(self) -> None:
        if not self.path.exists():
            self.path.mkdir(parents=True)
            # as root, the database's account must be able to traverse the folder; otherwise only we may
            self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)

    def _take_lock(self) -> None:
        file = open(self.path / "lock", "a+")  # noqa: SIM115 - kept open as long as the process lives
        for attempt in range(LOCK_ATTEMPTS):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt < LOCK_ATTEMPTS - 1:  # a command that only checks holds it for a moment
                    time.sleep(0.05)
                    continue
                file.seek(0)
                owner = file.read().strip()
                file.close()
                raise FolderError(f"notify is already running on {self.path} (process {owner})") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._lock = file

    def _check_version(self) -> None:
        file = self.path / "version"
        try:
            found = int(file.read_text())
        except FileNotFoundError:
            file.write_text(f"{VERSION}\n")
            return
        except ValueError:
            raise FolderError(f"{file} does not hold a number: is {self.path} notify's?") from None
        if found > VERSION:
            raise FolderError(
                f"{self.path} was made by a newer version of notify (layout {found}; this one knows {VERSION}): "
                "run that version, or choose another --data-dir"
            )

    def _rotate_logs(self) -> None:
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > LARGEST_LOG_BYTES:
                log.replace(log.with_suffix(".log.1"))

    def release(self) -> None:
        """Release the folder."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def secrets(self) -> dict[str, Any]:
        """This installation's own secrets, by field name of `Settings`: random, generated at the first call, the same
        at later ones. The folder must be taken. Raises `FolderError`: the file is damaged, or cannot be written.
        """
        try:
            kept = self._kept_secrets()
            if missing := {name: make() for name, make in SECRETS.items() if name not in kept}:
                kept |= missing
                self._write_secrets(kept)
        except OSError as error:
            raise FolderError(f"{self.secrets_file} cannot be used: {error.strerror or error}") from None
        return kept

    def _kept_secrets(self) -> dict[str, Any]:
        try:
            kept = json.loads(self.secrets_file.read_text())
        except FileNotFoundError:
            return {}
        except ValueError:
            kept = None
        if not isinstance(kept, dict):
            raise FolderError(
                f"{self.secrets_file} is damaged: restore it from a backup; the data cannot be read without it"
            )
        return kept

    def _write_secrets(self, values: Mapping[str, Any]) -> None:
        """Replace the file atomically, so that a power cut leaves the old one or the new one."""
        new = self.secrets_file.with_suffix(".new")
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(dict(values), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.secrets_file)
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def publish(self, environment: Mapping[str, str]) -> None:
        """Store the settings that reach the running parts, in a file that only we can read."""
        with open(os.open(self._environment, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(dict(environment), file)

    def withdraw(self) -> None:
        """Delete what was published."""
        self._environment.unlink(missing_ok=True)

    def published(self) -> dict[str, str]:
        """What the running `notify up` of this folder published; empty if none runs."""
        if not self._is_locked():
            return {}
        with suppress(OSError, ValueError):
            found = json.loads(self._environment.read_text())
            return {str(name): str(value) for name, value in found.items()}
        return {}

    def _is_locked(self) -> bool:
        try:
            with open(self.path / "lock") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def empty(self) -> None:
        """Delete everything in the folder (which must be taken), and the targets of our symbolic links in it."""
        for entry in self.path.iterdir():
            if entry.name == "lock":
                continue
            if entry.is_symlink():
                shutil.rmtree(entry.resolve(), ignore_errors=True)
                entry.unlink()
            elif entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def adopt_running_instance(environment: MutableMapping[str, str]) -> None:
    """Let a command reach the databases of a running `notify up` on this data folder, if the environment names none:
    add what it published to `environment`, whose own variables win. Does nothing if NOTIFY_ENVIRONMENT names another
    environment than that of the running instance.
    """
    if environment.get("SQLALCHEMY_DATABASE_URI"):
        return
    published = DataFolder(Path(environment.get("NOTIFY_DATA_DIR") or ".notify")).published()
    named = environment.get("NOTIFY_ENVIRONMENT")
    if named and named != published.get("NOTIFY_ENVIRONMENT"):
        return
    for name, value in published.items():
        environment.setdefault(name, value)
