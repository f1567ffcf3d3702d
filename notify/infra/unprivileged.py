"""Runs a server that refuses to run as root (PostgreSQL) when we are root.

It then runs as a separate system account. That account must reach its program and its data, which may be in a home
folder that is closed to others. We never change a home folder's permissions: unreachable files are kept under `STATE`.
"""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from notify.infra.children import Account

NAME = "notify-postgres"
STATE = Path("/var/lib/notify")
READ, PASS = 4, 1


class NoAccountError(Exception):
    """There is no unprivileged account and none could be created. The message is one line."""


def find_account(owned: Path) -> Account | None:
    """The account that the server runs as: None (our own) if we are not root, else the owner of `owned` if that is not
    root, else the system account `NAME`, which is created if missing. Raises `NoAccountError`.
    """
    if os.geteuid() != 0:
        return None
    if owned.exists() and (uid := owned.stat().st_uid) != 0:
        try:
            return Account(uid, pwd.getpwuid(uid).pw_gid)
        except KeyError:
            pass  # the folder comes from another machine or container
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        entry = _make_account()
    return Account(entry.pw_uid, entry.pw_gid)


def _make_account() -> pwd.struct_passwd:
    commands = (
        ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", NAME],
        ["adduser", "-S", "-D", "-H", NAME],  # BusyBox
    )
    complaint = "neither useradd nor adduser exists"
    for command in commands:
        if shutil.which(command[0]) is None:
            continue
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        complaint = (result.stderr.strip().splitlines() or [f"{command[0]} failed"])[-1]
        try:  # also after a failure: another process may have created it at the same moment
            return pwd.getpwnam(NAME)
        except KeyError:
            continue
    raise NoAccountError(f"PostgreSQL does not run as root, and the account {NAME} could not be made: {complaint}")


def _allows(path: Path, account: Account, wanted: int) -> bool:
    """Whether the mode of `path` gives the account the rights `wanted` (`rwx` as three bits)."""
    status = path.stat()
    if status.st_uid == account.uid:
        return status.st_mode >> 6 & wanted == wanted
    if status.st_gid == account.gid:
        return status.st_mode >> 3 & wanted == wanted
    return status.st_mode & wanted == wanted


def can_traverse(folder: Path, account: Account) -> bool:
    """Whether the account can traverse `folder` and every folder above it."""
    folder = folder.resolve()
    return all(_allows(step, account, PASS) for step in (folder, *folder.parents))


def reachable_install(base: Path, folders: Sequence[str], program: str, account: Account | None, *, name: str) -> Path:
    """A place where the account can use an installed program: `base`, in which `folders` hold the program (`program` is
    its path from `base`) and all it needs, or a copy of these at `STATE/<name>`, owned by root.
    """
    present = [folder for folder in folders if (base / folder).is_dir()]
    if account is None or all(_can_use(base / folder, account) for folder in present):
        return base
    copy = STATE / name
    if not (copy / program).exists():
        make_state_folder()
        scratch = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=STATE))
        for folder in present:
            shutil.copytree(base / folder, scratch / folder, ignore=shutil.ignore_patterns("include", "doc", "*.a"))
        for path in (scratch, *scratch.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        try:
            scratch.rename(copy)
        except OSError:  # another process was faster
            shutil.rmtree(scratch)
    return copy


def _can_use(folder: Path, account: Account) -> bool:
    """Whether the account can reach a folder and read its files; checks one file of each folder."""
    if not can_traverse(folder, account):
        return False
    for place, _, files in os.walk(folder):
        if not _allows(Path(place), account, READ | PASS):
            return False
        if files and not _allows(Path(place) / files[0], account, READ):
            return False
    return True


def make_state_folder() -> None:
    """Create `STATE`, owned by root and traversable for all."""
    STATE.mkdir(parents=True, exist_ok=True)
    STATE.chmod(0o711)


def give(folder: Path, account: Account | None) -> None:
    """Make the account the owner of a folder and of everything in it. None: nothing to do.

    The account may have put links there: symbolic links are not followed, and files with several hard links stay
    unchanged. Raises `OSError` if `folder` itself is a link.
    """
    if account is None:
        return
    if folder.is_symlink():
        raise OSError(errno.ELOOP, "is a link, which is not followed", str(folder))
    for _, folders, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        _own(".", descriptor, account)
        for name in (*folders, *files):
            _own(name, descriptor, account)


def _own(name: str, folder: int, account: Account) -> None:
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    is_elsewhere_too = status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode)
    if (status.st_uid, status.st_gid) != account and not is_elsewhere_too:
        os.chown(name, account.uid, account.gid, dir_fd=folder, follow_symlinks=False)


_WRITE = 'cat > "$1.new" && mv -f "$1.new" "$1"'


def write_as(path: Path, text: str, account: Account | None) -> None:
    """Write a file with the rights of the account, so that links it may have put there cannot reach files that it could
    not write itself. None: with our own rights. Raises `OSError`.
    """
    if account is None:
        scratch = path.with_name(f"{path.name}.new")
        scratch.write_text(text)
        scratch.replace(path)
        return
    result = subprocess.run(
        ["/bin/sh", "-c", f"umask 077; {_WRITE}", "write", str(path)],
        input=text,
        text=True,
        capture_output=True,
        check=False,
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
        user=account.uid,
        group=account.gid,
        extra_groups=[],
    )
    if result.returncode:
        raise OSError(errno.EACCES, (result.stderr.strip().splitlines() or ["cannot be written"])[-1], str(path))
