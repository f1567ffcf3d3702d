"""PgBouncer in transaction mode between us and PostgreSQL: the real one, where it is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.valkey import free_port
from tests.api import Api, with_settings
from tests.messages.test_deliver import Worker
from tests.servers.firetext import FiretextServer
from tests.servers.http import Trouble
from tests.servers.mmg import MMGServer

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed")

SETTINGS = """
[databases]
* = host={sockets} port=5432

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 6
max_client_conn = 200
logfile =
{user}
"""


@pytest.fixture(scope="module")
def pooled(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the database through PgBouncer, with few sessions for many clients."""
    parts = urlsplit(api.parts.settings.sqlalchemy_database_uri)
    sockets = parse_qs(parts.query)["host"][0]
    port = free_port()
    folder = tmp_path_factory.mktemp("pgbouncer")
    # it refuses to run as root
    owner = Path(sockets).stat().st_uid
    file = folder / "pgbouncer.ini"
    file.write_text(SETTINGS.format(sockets=sockets, port=port, user="").replace("* =", f"* = user={parts.username}"))
    for path in (file, *list(file.parents)[:4]):
        path.chmod(0o755)
    assert PROGRAM
    process = subprocess.Popen(
        [PROGRAM, str(file)],
        user=owner if os.geteuid() == 0 else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
    process.terminate()
    process.communicate(timeout=20)


@pytest.fixture
def database(pooled: str) -> Iterator[Database]:
    database = Database(pooled, pooled=True, pool_size=16, statement_timeout_ms=4321, lock_timeout_ms=765)
    yield database
    database.close()


def test_many_threads_share_few_sessions(database: Database) -> None:
    def ask(number: int) -> int:
        with database.session() as session:
            found = session.scalar(text("SELECT :number + count(*) FROM services WHERE id IS NULL"), {"number": number})
        with database.connection() as connection:
            row = connection.execute("SELECT %s + count(*) FROM services WHERE id IS NULL", (number,)).fetchone()
        with database.autocommit() as connection:
            other = connection.execute("SELECT %s::int", (number,)).fetchone()
        assert row == other == (found,)
        return int(found or 0)

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(400))) == list(range(400))


def test_every_transaction_has_its_limits(database: Database) -> None:
    query = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('timezone')"
    with database.connection() as connection:
        assert connection.execute(query).fetchone() == ("4321ms", "765ms", "UTC")
    with database.session() as session:
        assert session.execute(text(query)).one() == ("4321ms", "765ms", "UTC")
    with database.autocommit() as connection:
        assert connection.execute(query).fetchone() == ("4321ms", "765ms", "UTC")


def test_nothing_stays_in_a_session(database: Database, api: Api) -> None:
    with database.transaction() as session:
        session.execute(text("SELECT 1"))
    with psycopg.connect(api.parts.settings.sqlalchemy_database_uri, autocommit=True) as direct:
        prepared = "SELECT count(*) FROM pg_prepared_statements"
        assert direct.execute(prepared).fetchone() == (0,)
    with database.connection() as connection:
        assert connection.execute(prepared).fetchone() == (0,)


def test_readiness_is_seen_through_it(database: Database) -> None:
    assert database.answers(5)


def test_messages_are_sent_once(api: Api, pooled: str) -> None:
    with MMGServer() as mmg, FiretextServer() as firetext:
        parts = with_settings(
            api.parts,
            sqlalchemy_database_uri=pooled,
            database_is_pooled=True,
            mmg_api_key=mmg.key,
            mmg_url=mmg.address,
            firetext_api_key=firetext.keys[0],
            firetext_url=firetext.address,
        )
        worker, other = (Worker(api, Container(parts), mmg, firetext) for _ in range(2))
        mmg.fail(Trouble(delay=0.3))
        ids = [api.sent() for _ in range(60)]
        threads = [
            threading.Thread(target=one.deliverer.deliver, args=("sms", ids[start : start + 20]))
            for one in (worker, other)
            for start in (0, 20, 40)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        taken = [UUID(message["cid"]) for message in mmg.messages]
        taken += [UUID(message["reference"]) for message in firetext.messages]
        for one in (worker, other):
            one.container.close()
    assert sorted(taken) == sorted(ids)
    rows = api.execute("SELECT DISTINCT notification_status FROM notifications WHERE id = ANY(%s)", ids)
    assert rows == [("sending",)]
