from datetime import UTC, date, datetime, timedelta, timezone

from notify.infra import times


def test_times_have_one_form() -> None:
    assert times.format_datetime(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05.000000Z"
    east = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=2)))
    assert times.format_datetime(east) == "2026-01-02T01:04:05.000006Z"
    assert times.format_optional(None) is None


def test_local_days() -> None:
    assert times.local_midnight(date(2016, 6, 17)) == datetime(2016, 6, 16, 23, tzinfo=UTC)
    assert times.local_date(datetime(2024, 7, 31, 23, 30, tzinfo=UTC)) == date(2024, 8, 1)
    assert times.local_days_ago(datetime(2024, 7, 31, 23, 30, tzinfo=UTC), 7) == datetime(2024, 7, 24, 23, tzinfo=UTC)
