from datetime import UTC, datetime

import pytest

from notify.content.letter_timings import estimated_delivery, is_too_late_to_cancel, print_day, timings


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("created", "postage", "printed", "earliest", "latest"),
    [
        ("2017-07-10 16:29:59", "second", "2017-07-11", "2017-07-17", "2017-07-18"),
        ("2017-07-10 16:30:01", "first", "2017-07-12", "2017-07-13", "2017-07-13"),
        ("2017-07-13 12:00", "first", "2017-07-14", "2017-07-15", "2017-07-15"),
        ("2017-07-14 12:00", "second", "2017-07-17", "2017-07-21", "2017-07-24"),
        ("2020-04-09 16:29:59", "second", "2020-04-14", "2020-04-20", "2020-04-21"),
        ("2025-12-24 12:00", "second", "2025-12-29", "2026-01-05", "2026-01-06"),
        ("2026-04-01 12:00", "economy", "2026-04-02", "2026-04-10", "2026-04-15"),
    ],
)
def test_print_and_delivery_days(created: str, postage: str, printed: str, earliest: str, latest: str) -> None:
    found = timings(utc(created), postage)
    assert str(print_day(utc(created))) == printed
    assert str(found.earliest_delivery.date()) == earliest
    assert str(found.latest_delivery.date()) == latest


def test_estimates_are_at_four_in_london() -> None:
    assert estimated_delivery(utc("2000-12-01 12:00"), "second").hour == 16
    assert estimated_delivery(utc("2000-06-01 12:00"), "first") == utc("2000-06-03 15:00")


@pytest.mark.parametrize(
    ("created", "now", "too_late"),
    [
        ("2024-01-10 09:00", "2024-01-10 17:29", False),
        ("2024-01-10 09:00", "2024-01-10 17:30", True),
        ("2024-01-10 17:30:30", "2024-01-10 17:45", True),
        ("2024-01-10 18:00", "2024-01-10 18:30", False),
        ("2024-01-10 18:00", "2024-01-11 09:00", False),
        ("2024-01-10 09:00", "2024-01-11 09:00", True),
        ("2024-01-10 18:00", "2024-01-12 09:00", True),
    ],
)
def test_until_when_a_letter_can_be_cancelled(created: str, now: str, too_late: bool) -> None:
    assert is_too_late_to_cancel(utc(created), utc(now)) is too_late
