"""PostgreSQL and Valkey from wheels: the real servers, run by us, for one machine and for tests.

    with_data = start_postgres(Path(".notify"))     # keeps its data, fsync on
    for_tests = start_postgres(tmp, durable=False)  # fast; data is lost if the machine stops
    with_data.url; with_data.stop()

A handle's `url` works from any process of the same account. Neither server outlives the process that started it.
"""

from __future__ import annotations

from pathlib import Path

from notify.infra import postgres, valkey
from notify.infra.postgres import start_postgres
from notify.infra.server import EmbeddedError, Server
from notify.infra.valkey import start_valkey

__all__ = ["EmbeddedError", "Server", "start_postgres", "start_valkey", "stop_leftover_servers"]


def stop_leftover_servers(data_dir: Path) -> None:
    """Stop servers that a killed process left running on the data in a folder."""
    postgres.stop_leftover_server(data_dir)
    valkey.stop_leftover_server(data_dir)
