"""Archiving unsubscribe requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from notify.infra.times import utc_now
from notify.unsubscribes import tasks
from tests.api import Api

_ASK = """
INSERT INTO unsubscribe_request (id, notification_id, service_id, template_id, template_version, email_address,
                                 created_at, unsubscribe_request_report_id)
VALUES (%s, %s, %s, %s, 1, 'amala@example.com', %s, %s)
"""
_REPORT = """
INSERT INTO unsubscribe_request_report (id, service_id, earliest_timestamp, latest_timestamp, count, created_at)
VALUES (%s, %s, now(), now(), 1, %s)
"""


def ask(api: Api, came: datetime, reported: datetime | None = None) -> UUID:
    """A request that came, and was put into a report, at these times."""
    id_, report = uuid4(), None
    if reported is not None:
        report = uuid4()
        api.execute(_REPORT, report, api.service_id, reported)
    api.execute(_ASK, id_, uuid4(), api.service_id, api.template("email"), came, report)
    return id_


def test_requests_are_archived_without_the_address(api: Api) -> None:
    def ago(days: int) -> datetime:
        return utc_now() - timedelta(days=days)

    # days are British ones: late in the evening, 91 days of UTC ago may be 90 of them, across a change of the clock
    archived = {ask(api, ago(92)), ask(api, ago(9), ago(8)), ask(api, ago(100), ago(8))}
    kept = {ask(api, ago(89)), ask(api, ago(100), ago(6)), ask(api, ago(1))}
    key = f"service-{api.service_id}-unsubscribe-request-statistics"
    api.parts.cache.set(key, "old", seconds=60)
    for _ in range(2):
        tasks.archive_unsubscribe_requests(api.container)
    assert {id_ for (id_,) in api.execute("SELECT id FROM unsubscribe_request_history")} == archived
    assert {id_ for (id_,) in api.execute("SELECT id FROM unsubscribe_request")} == kept
    assert api.parts.cache.get(key) is None
