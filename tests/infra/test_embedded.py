"""The embedded servers: they keep data, recover after a kill, leave nothing behind, and have one-line errors."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from notify.infra import postgres, unprivileged
from notify.infra.embedded import EmbeddedError, start_postgres, start_valkey

IS_ROOT = os.geteuid() == 0


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data folder; what PostgreSQL, as root, had to put elsewhere goes with it."""
    yield tmp_path
    home = tmp_path / "postgres"
    if home.is_symlink():
        subprocess.run(["rm", "-rf", str(home.resolve())], check=True)


def wait_for_end(pid: int, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    with suppress(psutil.NoSuchProcess):
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline, f"process {pid} still runs"
            time.sleep(0.05)


def test_postgres_keeps_its_data_and_is_set_up_to(data_dir: Path) -> None:
    server = start_postgres(data_dir)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'Zürich'::text AS name")
        for setting, value in {"fsync": "on", "listen_addresses": "", "data_checksums": "on"}.items():
            assert connection.execute("SELECT current_setting(%s)", [setting]).fetchone() == (value,)
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)
        assert connection.execute("SELECT upper(name) FROM kept").fetchone() == ("ZÜRICH",)
    assert server.stop() == 0
    assert not psutil.pid_exists(server.pid)

    again = start_postgres(data_dir)
    try:
        assert again.url == server.url
        with psycopg.connect(again.url) as connection:
            assert connection.execute("SELECT name FROM kept").fetchone() == ("Zürich",)
    finally:
        assert again.stop() == 0
        assert again.stop() == 0


def test_postgres_socket_is_closed_to_others(data_dir: Path) -> None:
    server = start_postgres(data_dir, durable=False)
    try:
        folder = Path(str(psycopg.conninfo.conninfo_to_dict(server.url)["host"]))
        assert folder.stat().st_mode & 0o077 == 0
        assert not [
            item for item in psutil.Process(server.pid).net_connections() if item.status == "LISTEN" and item.laddr[1:]
        ]
    finally:
        server.stop()


def test_a_test_database_leaves_nothing_behind(tmp_path: Path) -> None:
    server = start_postgres(tmp_path, durable=False)
    home = (tmp_path / "postgres").resolve()
    with psycopg.connect(server.url, autocommit=True) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)
        connection.execute("CREATE DATABASE another")
    server.stop()
    assert not psutil.pid_exists(server.pid)
    assert home.is_relative_to(tmp_path) or not home.exists()


def test_a_long_path_still_has_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("long-name-" * 10)
    server = start_postgres(folder, durable=False)
    try:
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.stop()


@pytest.mark.parametrize(("found", "word"), [("99", "newer"), ("9", "older")])
def test_a_cluster_of_another_major_version_is_refused(tmp_path: Path, found: str, word: str) -> None:
    cluster = tmp_path / "postgres" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text(f"{found}\n")
    with pytest.raises(EmbeddedError, match=rf"made by the {word} PostgreSQL {found}, and this is PostgreSQL \d+$"):
        postgres._refuse_other_major(cluster, postgres._find_install(None))


def test_a_note_about_a_process_that_is_another_program_is_forgotten(data_dir: Path) -> None:
    start_postgres(data_dir).stop()
    note = (data_dir / "postgres").resolve() / "cluster" / "postmaster.pid"
    note.write_text(f"{os.getpid()}\n/nowhere\n1\n5432\n\n\n\nready\n")
    server = start_postgres(data_dir)
    try:
        assert server.poll() is None
    finally:
        server.stop()


_STARTER = """
import sys, time
from pathlib import Path
from notify.infra.embedded import start_postgres, start_valkey
folder = Path(sys.argv[1])
database, cache = start_postgres(folder), start_valkey(folder)
print(database.pid, cache.pid, database.url, cache.url, flush=True)
time.sleep(600)
"""


def start_in_another_process(folder: Path) -> tuple[subprocess.Popen[str], int, int, str, str]:
    process = subprocess.Popen([sys.executable, "-c", _STARTER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    first, second, database, cache = process.stdout.readline().split()
    return process, int(first), int(second), database, cache


def test_servers_end_with_a_parent_that_is_killed_and_keep_what_was_written(data_dir: Path) -> None:
    parent, postgres_pid, valkey_pid, database, cache = start_in_another_process(data_dir)
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
    redis.Redis.from_url(cache).set("kept", "yes")
    parent.kill()
    parent.wait()
    wait_for_end(postgres_pid)
    wait_for_end(valkey_pid)

    server, store = start_postgres(data_dir), start_valkey(data_dir)
    try:
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (1,)
        assert redis.Redis.from_url(store.url).get("kept") == b"yes"
    finally:
        server.stop()
        store.stop()


def test_servers_left_by_a_parent_that_was_killed_with_its_watchers_are_stopped(data_dir: Path) -> None:
    parent, postgres_pid, valkey_pid, _, _ = start_in_another_process(data_dir)
    watchers = [child for child in psutil.Process(parent.pid).children() if "notify-watcher" in child.cmdline()]
    assert len(watchers) == 2
    for process in watchers:
        process.kill()
    parent.kill()
    parent.wait()
    assert psutil.pid_exists(postgres_pid)
    assert psutil.pid_exists(valkey_pid)

    server, store = start_postgres(data_dir), start_valkey(data_dir)
    try:
        assert (server.poll(), store.poll()) == (None, None)
        wait_for_end(postgres_pid)
        wait_for_end(valkey_pid)
    finally:
        server.stop()
        store.stop()


def test_postgres_recovers_from_a_kill(data_dir: Path) -> None:
    server = start_postgres(data_dir)
    session = psycopg.connect(server.url)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
    os.kill(server.pid, signal.SIGKILL)
    while server.poll() is None:
        time.sleep(0.02)
    again = start_postgres(data_dir)
    try:
        with psycopg.connect(again.url) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (1,)
    finally:
        session.close()
        again.stop()


def test_valkey_keeps_its_data_at_the_same_address(tmp_path: Path) -> None:
    server = start_valkey(tmp_path)
    redis.Redis.from_url(server.url).rpush("queue", "task")
    assert server.stop() == 0
    again = start_valkey(tmp_path, url=server.url)
    try:
        assert again.url == server.url
        client = redis.Redis.from_url(again.url)
        assert client.lrange("queue", 0, -1) == [b"task"]
        assert client.config_get("appendfsync") == {"appendfsync": "everysec"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    finally:
        again.stop()


def test_valkey_asks_for_its_password(tmp_path: Path) -> None:
    server = start_valkey(tmp_path, durable=False)
    try:
        place = server.url.rpartition("@")[2]
        assert place.startswith("127.0.0.1:")
        with pytest.raises(redis.AuthenticationError):
            redis.Redis.from_url(f"redis://{place}").ping()
        password = server.url.split(":")[2].partition("@")[0]
        assert not any(password in word for word in psutil.Process(server.pid).cmdline())
        assert (tmp_path / "valkey" / "valkey.conf").stat().st_mode & 0o077 == 0
    finally:
        server.stop()


def test_valkey_on_a_taken_port_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EmbeddedError, match=r"^Valkey did not start: .*Failed listening on port.*valkey\.log\)$"):
            start_valkey(tmp_path, url=f"redis://:secret@127.0.0.1:{port}/0")


def test_damaged_data_is_one_line(tmp_path: Path) -> None:
    start_valkey(tmp_path).stop()
    manifest = next((tmp_path / "valkey" / "appendonlydir").glob("*.manifest"))
    manifest.write_text("nonsense\n")
    with pytest.raises(EmbeddedError) as refusal:
        start_valkey(tmp_path)
    assert "\n" not in str(refusal.value)
    assert "Valkey did not start" in str(refusal.value)


@pytest.mark.skipif(not IS_ROOT, reason="is about root, who may not run PostgreSQL")
def test_root_keeps_data_where_the_account_of_the_database_can_reach_it(data_dir: Path) -> None:
    closed = data_dir / "home"
    closed.mkdir(mode=0o700)
    folder = closed / ".notify"
    server = start_postgres(folder)
    home = (folder / "postgres").resolve()
    try:
        assert psutil.Process(server.pid).uids().effective != 0
        assert home.parent == Path("/var/lib/notify")
        assert home.stat().st_mode & 0o077 == 0
        assert closed.stat().st_mode & 0o077 == 0
    finally:
        server.stop()
        subprocess.run(["rm", "-rf", str(home)], check=True)


@pytest.mark.skipif(not IS_ROOT, reason="is about root, who may not run PostgreSQL")
def test_root_copies_a_program_that_the_account_cannot_reach(tmp_path: Path) -> None:
    account = unprivileged.find_account(tmp_path / "nothing")
    assert account
    base = tmp_path / "closed"
    for name, mode in {
        "package/bin/server": 0o700,
        "package/share/words": 0o600,
        "package.libs/part.so": 0o700,
    }.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        path.chmod(mode)

    def find(where: Path, name: str) -> Path:
        return unprivileged.reachable_install(
            where, ["package", "package.libs", "none"], "package/bin/server", account, name=name
        )

    name = f"test-{os.getpid()}"
    found = find(base, name)
    try:
        assert found == Path("/var/lib/notify") / name
        assert (found / "package" / "bin" / "server").stat().st_mode & 0o777 == 0o755
        assert (found / "package" / "share" / "words").stat().st_mode & 0o777 == 0o644
        assert (found / "package.libs" / "part.so").read_text() == "package.libs/part.so"
        assert find(base, name) == found
        assert find(found, "other") == found
    finally:
        subprocess.run(["rm", "-rf", str(found)], check=True)


@pytest.mark.skipif(not IS_ROOT, reason="is about root, who may not run PostgreSQL")
def test_postgres_runs_from_the_copy(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unprivileged, "_can_use", lambda *_: False)
    monkeypatch.setattr(unprivileged, "STATE", Path(f"/var/lib/notify-test-{os.getpid()}"))
    try:
        server = start_postgres(data_dir, durable=False)
        try:
            assert psutil.Process(server.pid).exe().startswith(str(unprivileged.STATE))
            with psycopg.connect(server.url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
        finally:
            server.stop()
    finally:
        subprocess.run(["rm", "-rf", str(unprivileged.STATE)], check=True)


@pytest.mark.skipif(not IS_ROOT, reason="is about root, who may not run PostgreSQL")
@pytest.mark.parametrize("name", ["postgresql.conf", "pg_hba.conf", "postgresql.conf.new", "pg_hba.conf.new"])
def test_a_link_among_the_data_leads_root_nowhere(data_dir: Path, tmp_path: Path, name: str) -> None:
    start_postgres(data_dir).stop()
    victim = tmp_path / "victim"
    victim.write_text("root's own\n")
    path = (data_dir / "postgres").resolve() / "cluster" / name
    path.unlink(missing_ok=True)
    path.symlink_to(victim)
    with suppress(EmbeddedError):  # it may refuse to start
        start_postgres(data_dir).stop()
    assert victim.read_text() == "root's own\n"
    assert (victim.stat().st_uid, victim.stat().st_nlink) == (0, 1)


@pytest.mark.skipif(not IS_ROOT, reason="is about root, who may not run PostgreSQL")
def test_a_link_in_place_of_a_folder_is_not_given_away(data_dir: Path, tmp_path: Path) -> None:
    start_postgres(data_dir).stop()
    victims = tmp_path / "victims"
    victims.mkdir(mode=0o700)
    (victims / "file").write_text("root's own\n")
    home = (data_dir / "postgres").resolve()
    for name in ("run", "other"):
        subprocess.run(["rm", "-rf", str(home / name)], check=True)
        (home / name).symlink_to(victims)
    os.link(victims / "file", home / "second-name")
    with suppress(EmbeddedError):
        start_postgres(data_dir).stop()
    assert victims.stat().st_uid == 0
    assert (victims / "file").stat().st_uid == 0
    assert [path.name for path in victims.iterdir()] == ["file"]


@pytest.fixture
def mount() -> Iterator[Callable[[str], Path]]:
    """Mounts a disk of a size, which the server's account can reach."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)

        def mount(size: str) -> Path:
            made = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", name],
                capture_output=True,
                text=True,
                check=False,
            )
            if made.returncode:
                pytest.skip(f"no file system can be mounted: {made.stderr.strip()}")
            return folder

        yield mount
        subprocess.run(["umount", "--lazy", name], check=False)


@pytest.mark.skipif(not IS_ROOT or sys.platform != "linux", reason="mounts a small disk")
@pytest.mark.parametrize("size", ["64k", "24m", "42m"])
def test_a_disk_that_is_full_is_named_in_one_line(mount: Callable[[str], Path], size: str) -> None:
    folder = mount(size)
    with pytest.raises(EmbeddedError) as caught:
        start_postgres(folder)
    line = str(caught.value)
    assert line.startswith("PostgreSQL ")
    assert "No space left on device" in line
    assert "\n" not in line
    assert not [process for process in psutil.process_iter(["cmdline"]) if str(folder) in str(process.info["cmdline"])]
