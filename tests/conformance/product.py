"""The running product as the scenarios want it, and the runner's description of it (suite/README.md, "Targets")."""

from __future__ import annotations

import base64
import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.conformance.mailbox import Mailbox
from tests.e2e.conftest import running_product

HERE: Final = Path(__file__).parent

SETTINGS: Final = {
    # scenarios hand in receipts themselves: the sandbox says nothing for a day
    "SANDBOX_RECEIPT_DELAY_MS": "86400000",
    "FROM_NUMBER": "development",
    "MMG_INBOUND_SMS_USERNAME": '["username"]',
    "MMG_INBOUND_SMS_AUTH": '["testkey"]',
    "FIRETEXT_INBOUND_SMS_AUTH": '["testkey"]',
    "NOTIFY_LOG_LEVEL": "WARNING",
}


@contextmanager
def conformance_target(folder: Path) -> Iterator[Path]:
    """Start the product in `folder`; the file that describes it to the runner."""
    token_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    with (
        Mailbox() as mailbox,
        running_product(folder, **SETTINGS, **mailbox.settings, TOKEN_SECRET_KEY=token_key) as product,
    ):
        file = folder.parent / f"{folder.name}-target.json"
        file.write_text(json.dumps(_describe(product.demo, folder, mailbox.url, token_key)))
        yield file


def _describe(demo: dict[str, Any], folder: Path, emails: str, token_key: str) -> dict[str, Any]:
    described = {
        "url": demo["api_url"],
        "clients": {"admin": demo["admin_client"]},
        "admin_url": "http://localhost:6012",
        "folder": str(folder),
        "outbox": f"{sys.executable} {HERE / 'outbox.py'} {folder} {emails}",
        "token_key": token_key,
        "command": ["env", f"NOTIFY_DATA_DIR={folder}", sys.executable, "-m", "notify.cli"],
    }
    if "objects" in demo:
        described["objects"] = demo["objects"]
    return described
