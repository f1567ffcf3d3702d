"""Statistics and facts go by indexes: none reads the table of messages from end to end, and what dashboards ask every two
seconds does not look at its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from notify.billing.usage import monthly_usage
from notify.infra.cache import Cache
from notify.infra.parts import Parts
from notify.infra.times import local_date, utc_now
from notify.reporting.billing_facts import store_billing, store_billing_of_day
from notify.reporting.counts import count_for_service, today_by_service
from notify.reporting.days import check_messages_are_kept
from notify.reporting.models import StatusFact
from notify.reporting.monthly import statuses_by_month, templates_by_month
from notify.reporting.platform import platform_totals
from notify.reporting.processing_time import store_processing_time
from notify.reporting.status_facts import store_statuses_of_day
from notify.reporting.template_statistics import count_by_template
from tests.conftest import fresh_parts
from tests.messages.test_plans import scans
from tests.services.factory import a_service

SERVICE = UUID(int=7)
ROWS = 60_000
NO_CACHE = Cache("")
YESTERDAY = local_date(utc_now()) - timedelta(days=1)
_FILL = """
INSERT INTO notifications (id, "to", service_id, template_id, template_version, key_type, notification_type, created_at,
                           notification_status, normalised_to, billable_units)
SELECT gen_random_uuid(), 'x', lpad(to_hex(n %% 50), 32, '0')::uuid, gen_random_uuid(), 1, 'normal', 'sms',
       now() - n * interval '1 minute', 'delivered', '447700900' || n, 1
FROM generate_series(1, %s) AS n
"""
_FACTS = """
INSERT INTO ft_notification_status (bst_date, template_id, service_id, job_id, notification_type, key_type,
                                    notification_status, notification_count, created_at)
SELECT current_date - n %% 400, gen_random_uuid(), lpad(to_hex(n %% 50), 32, '0')::uuid, gen_random_uuid(), 'sms',
       'normal', 'delivered', 1, now()
FROM generate_series(1, %s) AS n
"""
_BILLED = """
INSERT INTO ft_billing (bst_date, template_id, service_id, notification_type, provider, rate_multiplier, international,
                        rate, postage, billable_units, notifications_sent, created_at)
SELECT current_date - n %% 400, gen_random_uuid(), lpad(to_hex(n %% 50), 32, '0')::uuid, 'sms', 'mmg', 1, false, 0.02,
       'none', 1, 1, now()
FROM generate_series(1, %s) AS n
"""


@pytest.fixture(scope="module")
def full(postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Parts whose database holds many messages of services, and many facts."""
    with fresh_parts(postgres_url, valkey_url, tmp_path_factory.mktemp("full")) as parts:
        with parts.database.transaction() as session:
            for number in range(50):
                a_service(session, service_id=UUID(int=number))
        with parts.database.connection() as connection:
            for query in (_FILL, _FACTS, _BILLED):
                connection.execute(query, (ROWS,))
        with parts.database.autocommit() as connection:
            connection.execute("VACUUM ANALYZE notifications")
            connection.execute("ANALYZE")
        yield parts


def reading(read: Callable[..., object], *arguments: Any, **values: Any) -> Callable[[Parts], None]:
    def run(parts: Parts) -> None:
        with parts.database.reading() as session:
            read(session, *arguments, **values)

    return run


def writing(write: Callable[..., object], *arguments: Any) -> Callable[[Parts], None]:
    def run(parts: Parts) -> None:
        with parts.database.transaction() as session:
            write(session, *arguments)

    return run


QUERIES: Mapping[str, Callable[[Parts], object]] = {
    "statistics": reading(count_for_service, NO_CACHE, SERVICE, days=7, now=utc_now()),
    "templates": reading(count_by_template, NO_CACHE, SERVICE, 7, now=utc_now()),
    "months": reading(statuses_by_month, NO_CACHE, SERVICE, utc_now().year, now=utc_now()),
    "templates by month": reading(templates_by_month, NO_CACHE, SERVICE, utc_now().year, now=utc_now()),
    "usage": reading(monthly_usage, SERVICE, utc_now().year),
    "platform": reading(platform_totals, YESTERDAY, local_date(utc_now()), now=utc_now()),
    "all services": reading(today_by_service, now=utc_now(), with_test_keys=False),
    "billing of a service": writing(store_billing, YESTERDAY, [SERVICE]),
    "billing": lambda parts: list(store_billing_of_day(parts.database, YESTERDAY)),
    "statuses": lambda parts: list(store_statuses_of_day(parts.database, YESTERDAY, "sms")),
    "processing time": lambda parts: store_processing_time(parts.database, YESTERDAY),
    "what is kept": lambda parts: check_messages_are_kept(parts.database, YESTERDAY, StatusFact),
}


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_reads_a_whole_table(full: Parts, name: str) -> None:
    tables = ("notifications", "ft_notification_status", "ft_billing")
    before = [scans(full, table) for table in tables]
    QUERIES[name](full)
    assert [scans(full, table) for table in tables] == before


@pytest.mark.parametrize("name", ["statistics", "templates", "months", "platform", "all services"])
def test_messages_are_counted_from_the_index_alone(full: Parts, name: str) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append((statement, parameters))

    event.listen(full.database.engine, "before_cursor_execute", note)
    QUERIES[name](full)
    event.remove(full.database.engine, "before_cursor_execute", note)
    of_messages = [(statement, values) for statement, values in asked if "FROM notifications" in statement]
    assert of_messages
    with full.database.connection() as connection:
        for statement, values in of_messages:
            plan = "\n".join(line for (line,) in connection.execute(f"EXPLAIN {statement}".encode(), values))
            assert "Index Only Scan using ix_notifications_service_created_at" in plan
            assert "on notifications" not in plan.replace(
                "Index Only Scan using ix_notifications_service_created_at on", ""
            )
        connection.rollback()
