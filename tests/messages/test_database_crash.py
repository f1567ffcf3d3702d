"""PostgreSQL is killed while a provider has messages whose results nobody has written yet."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from notify import migrate
from notify.app import create_app
from notify.cli.demo import ensure_demo
from notify.infra.container import Container
from notify.infra.postgres import start_postgres
from notify.messages import maintenance
from notify.messages.deliver import Deliverer
from notify.messages.receipts import ReceiptProcessor
from notify.providers.base import Receipt
from tests.api import Api, with_settings
from tests.conftest import fresh_parts
from tests.servers.http import Trouble
from tests.servers.mmg import MMGServer
from tests.servers.proxy import before_postgres


def test_a_receipt_counts_that_comes_before_the_result_and_after_a_crash(tmp_path: Path, valkey_url: str) -> None:
    """The database is killed and started again, and the receipts overtake the results: one before anybody looked at
    what the crash left, one after. A message that nobody was given is not ended.
    """
    server = start_postgres(tmp_path)
    try:
        migrate.upgrade(server.url)
        with (
            MMGServer() as mmg,
            before_postgres(server.url) as (way, url),
            ThreadPoolExecutor(1) as pool,
            fresh_parts(server.url, valkey_url, tmp_path, notify_log_level="WARNING") as parts,
        ):
            demo = ensure_demo(parts, tmp_path / "dev.json")
            app = create_app(parts.settings)
            api = Api(app, parts, app.extensions["notify"], demo)
            name = parts.settings.sqlalchemy_database_uri.partition("?")[0].rpartition("/")[2]
            worker = Container(
                with_settings(
                    parts,
                    mmg_api_key=mmg.key,
                    mmg_url=mmg.address,
                    sqlalchemy_database_uri=url.removesuffix("/notify") + f"/{name}",
                )
            )
            mmg.fail(Trouble(delay=2.0))
            ids = [api.sent(), api.sent(), api.sent()]
            waiting = api.sent()
            under_way = pool.submit(worker.get(Deliverer).deliver, "sms", ids)
            while mmg.received < len(ids):
                time.sleep(0.01)
            way.proxy.mode = "refuse"  # no result is written before we say so
            way.cut()
            os.kill(server.pid, signal.SIGKILL)
            while server.poll() is None:
                time.sleep(0.02)
            server = start_postgres(tmp_path)

            receipts = api.container.get(ReceiptProcessor)
            receipts.record_many([Receipt("mmg", id_, None, "delivered") for id_ in (ids[0], waiting)])
            maintenance.count_interrupted(parts.database)
            receipts.record(Receipt("mmg", ids[1], None, "delivered"))
            seen = [api.get(str(id_))["status"] for id_ in (*ids, waiting)]
            way.proxy.mode = "forward"
            assert seen == ["delivered", "delivered", "created", "created"]
            under_way.result(timeout=60)
            assert [api.get(str(id_))["status"] for id_ in ids] == ["delivered", "delivered", "sending"]
            worker.close()
            api.container.close()
    finally:
        server.stop()
