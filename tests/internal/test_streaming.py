"""Reports are streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta

import pytest
from flask import Flask

from notify.app import EXTENSION
from notify.billing.models import BillingFact
from notify.infra.ids import new_id
from notify.infra.replica import OpenRows
from notify.internal.routes import Routes
from notify.internal.streaming import ROWS_AT_A_TIME, JsonRows
from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory


@pytest.mark.parametrize("number", [0, 1, ROWS_AT_A_TIME, 2 * ROWS_AT_A_TIME + 1])
def test_rows_are_one_list(number: int) -> None:
    pieces = list(JsonRows(OpenRows(({"b": row, "a": None} for row in range(number)), ExitStack())))
    assert json.loads(b"".join(pieces)) == [{"a": None, "b": row} for row in range(number)]
    assert len(pieces) <= number / ROWS_AT_A_TIME + 2


def test_rows_are_read_as_they_are_sent_and_the_transaction_ends_when_the_client_goes() -> None:
    read, ended = [], []

    def rows() -> Iterator[int]:
        for number in range(10 * ROWS_AT_A_TIME):
            read.append(number)
            yield number

    transaction = ExitStack()
    transaction.callback(lambda: ended.append(True))
    answer = JsonRows(OpenRows(rows(), transaction))
    next(iter(answer))
    assert (len(read), ended) == (ROWS_AT_A_TIME, [])
    answer.close()
    assert ended == [True]


def test_a_long_report_gives_its_connection_back(
    admin: AdminClient, internal_app: Flask, factory: Factory, service: Service
) -> None:
    first = date(2001, 1, 1)
    with factory.session() as session:
        session.add_all(
            BillingFact(
                bst_date=first + timedelta(days=number),
                template_id=new_id(),
                service_id=service.id,
                notification_type="sms",
                provider="mmg",
                rate_multiplier=1,
                international=False,
                rate=1,
                postage="none",
                billable_units=number,
                notifications_sent=1,
            )
            for number in range(1500)
        )
        session.commit()
    days = {"start_date": "2001-1-1", "end_date": "2005-12-31"}
    report = admin.get("/platform-stats/daily-volumes-report", days)
    assert [row["sms_fragment_totals"] for row in report] == list(range(1500))
    refused = admin.get("/platform-stats/daily-volumes-report", days | {"end_date": "2005-02-30"}, status=400)
    assert refused["message"] == "Input must be a date in the format: YYYY-MM-DD"
    pool = internal_app.extensions[EXTENSION].parts.database.engine.pool
    assert pool.checkedout() == 0


def test_what_is_streamed_needs_a_bulk_session() -> None:
    routes = Routes("wrong")
    with pytest.raises(TypeError, match="BulkSession"):

        @routes.get("/wrong")
        def wrong() -> Iterator[int]:
            """Go wrong."""
            yield 1
