"""Messages that are scheduled, and asked for in bulk, through the whole product and a restart of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Product, running_product

MINUTE = timedelta(seconds=60)


def schedule(product: Product, seconds: float) -> dict[str, Any]:
    """A text message that is to go out so many seconds from now."""
    answer: dict[str, Any] = product.client().post(
        "/v2/notifications/sms",
        {
            "phone_number": "07900900123",
            "template_id": product.demo["templates"]["sms"],
            "personalisation": {"name": "Amala", "date": "Monday"},
            "scheduled_for": (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(),
        },
    )
    return answer


def test_scheduled_messages_go_out_in_time_also_after_a_restart(tmp_path: Path) -> None:
    with running_product(tmp_path, SCHEDULING_SERVICES="all") as product:
        first = schedule(product, 4)
        after_restart = schedule(product, 30)
        sent = product.wait_for(first["id"], "sending", "delivered", seconds=64)
        was_sent_at = datetime.fromisoformat(sent["sent_at"])
        due = datetime.fromisoformat(first["scheduled_for"])
        assert due <= was_sent_at <= due + MINUTE
        assert product.client().get_notification_by_id(after_restart["id"])["status"] == "created"
        job = product.client().post(
            "/v2/notifications/bulk",
            {
                "name": "All",
                "template_id": product.demo["templates"]["sms"],
                "csv": "phone number,name,date\n" + "".join(f"07900900{n:03},A,B\n" for n in range(200, 230)),
            },
        )["data"]
        deadline = time.monotonic() + 30
        while sum(one["count"] for one in job["statistics"] if one["status"] == "delivered") < 30:
            assert time.monotonic() < deadline, job
            time.sleep(0.2)
            job = product.client().get(f"/v2/notifications/bulk/{job['id']}")["data"]
    with running_product(tmp_path, SCHEDULING_SERVICES="all") as product:
        sent = product.wait_for(after_restart["id"], "sending", "delivered", seconds=90)
        due = datetime.fromisoformat(after_restart["scheduled_for"])
        assert due <= datetime.fromisoformat(sent["sent_at"]) <= due + MINUTE
