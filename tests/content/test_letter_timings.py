from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.letter_timings import (
    cancellable_until,
    estimated_delivery,
    is_first_class_day,
    is_printer_working_day,
    is_too_late_to_cancel,
    offset_by_working_days,
    pdf_folder,
    print_day,
    print_day_label,
    timings,
)


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
        ("2017-07-10 00:00:01", "first", "2017-07-11", "2017-07-12", "2017-07-12"),
        ("2017-07-10 00:00:01", "second", "2017-07-11", "2017-07-17", "2017-07-18"),
        ("2017-07-10 00:00:01", "economy", "2017-07-11", "2017-07-17", "2017-07-20"),
        ("2017-07-10 16:30:01", "second", "2017-07-12", "2017-07-18", "2017-07-19"),
        ("2017-07-10 12:00", "europe", "2017-07-11", "2017-07-17", "2017-07-19"),
        ("2017-07-10 12:00", "rest-of-world", "2017-07-11", "2017-07-19", "2017-07-21"),
        # a Friday after the deadline, and a Sunday until it
        ("2017-07-14 16:30", "second", "2017-07-17", "2017-07-21", "2017-07-24"),
        ("2017-07-16 16:29:59", "second", "2017-07-17", "2017-07-21", "2017-07-24"),
        ("2017-07-16 16:30", "first", "2017-07-18", "2017-07-19", "2017-07-19"),
        # winter time: the deadline is 17:30 in UTC too
        ("2017-11-13 17:29:59", "first", "2017-11-14", "2017-11-15", "2017-11-15"),
        ("2017-11-13 17:30", "first", "2017-11-15", "2017-11-16", "2017-11-16"),
        # the clock goes back on Sunday 29 October 2017, and forward on Sunday 26 March 2017
        ("2017-10-28 16:30", "first", "2017-10-30", "2017-10-31", "2017-10-31"),
        ("2017-10-29 00:30", "first", "2017-10-30", "2017-10-31", "2017-10-31"),
        ("2017-10-29 17:29:59", "first", "2017-10-30", "2017-10-31", "2017-10-31"),
        ("2017-10-29 17:30", "first", "2017-10-31", "2017-11-01", "2017-11-01"),
        ("2017-03-26 16:29:59", "first", "2017-03-27", "2017-03-28", "2017-03-28"),
        ("2017-03-26 16:30", "first", "2017-03-28", "2017-03-29", "2017-03-29"),
        # Christmas, with Boxing Day on a Saturday: the bank holiday is the Monday, and the Saturday counts as one
        ("2026-12-23 12:00", "first", "2026-12-24", "2026-12-26", "2026-12-26"),
        ("2026-12-23 12:00", "second", "2026-12-24", "2027-01-04", "2027-01-05"),
        ("2026-12-24 12:00", "first", "2026-12-29", "2026-12-30", "2026-12-30"),
        ("2026-12-24 12:00", "second", "2026-12-29", "2027-01-05", "2027-01-06"),
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


def test_printing_is_by_three_in_the_afternoon_there() -> None:
    summer, winter = timings(utc("2017-07-10 12:00"), "first"), timings(utc("2017-11-13 12:00"), "first")
    assert summer.printed_by == utc("2017-07-11 14:00")
    assert winter.printed_by == utc("2017-11-14 15:00")
    assert not summer.is_printed(utc("2017-07-11 14:00"))
    assert summer.is_printed(utc("2017-07-11 14:00:01"))


def test_an_unknown_postage_is_an_error() -> None:
    with pytest.raises(KeyError):
        timings(utc("2017-07-10 12:00"), "third")


@pytest.mark.parametrize(
    ("day", "printer", "first_class"),
    [
        ("2027-03-05", True, True),
        ("2027-03-06", False, True),
        ("2027-03-07", False, False),
        ("2026-12-25", False, False),
        ("2026-12-26", False, True),
        ("2026-12-28", False, False),
        ("2027-12-27", False, False),
        ("2027-12-28", False, False),
    ],
)
def test_working_days(day: str, printer: bool, first_class: bool) -> None:
    assert is_printer_working_day(date.fromisoformat(day)) is printer
    assert is_first_class_day(date.fromisoformat(day)) is first_class


@pytest.mark.parametrize(
    ("day", "days", "found"),
    [
        ("2027-03-05", 1, "2027-03-08"),
        ("2027-03-06", 1, "2027-03-08"),
        ("2027-03-08", -1, "2027-03-05"),
        ("2027-03-07", -2, "2027-03-04"),
        ("2026-12-24", 1, "2026-12-29"),
        ("2026-12-29", -1, "2026-12-24"),
    ],
)
def test_days_are_counted_in_working_days(day: str, days: int, found: str) -> None:
    assert offset_by_working_days(date.fromisoformat(day), days) == date.fromisoformat(found)


def test_no_working_day_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^days argument must not be 0$"):
        offset_by_working_days(date(2027, 3, 5), 0)


@pytest.mark.parametrize(
    ("created", "now", "too_late"),
    [
        ("2024-01-10 09:00", "2024-01-10 17:29", False),
        ("2024-01-10 09:00", "2024-01-10 17:30", True),
        ("2024-01-10 17:30:30", "2024-01-10 17:45", True),
        ("2024-01-10 18:00", "2024-01-10 18:30", False),
        ("2024-01-10 18:00", "2024-01-11 09:00", False),
        ("2024-01-10 18:00", "2024-01-11 17:29:59", False),
        ("2024-01-10 18:00", "2024-01-11 17:30", True),
        ("2024-01-10 17:31", "2024-01-10 23:59", False),
        ("2024-01-10 17:30", "2024-01-10 17:30", True),
        ("2024-01-10 09:00", "2024-01-11 00:00", True),
        # in summer the deadline is 16:30 in UTC
        ("2024-07-10 09:00", "2024-07-10 16:29", False),
        ("2024-07-10 09:00", "2024-07-10 16:30", True),
        ("2024-07-10 16:31", "2024-07-10 23:30", False),
        # across the night in which the clock changes
        ("2024-03-30 18:00", "2024-03-31 16:29", False),
        ("2024-03-30 18:00", "2024-03-31 16:30", True),
        ("2024-10-26 17:00", "2024-10-27 17:29", False),
        ("2024-10-26 17:00", "2024-10-27 17:30", True),
        ("2024-01-10 09:00", "2024-01-11 09:00", True),
        ("2024-01-10 18:00", "2024-01-12 09:00", True),
    ],
)
def test_until_when_a_letter_can_be_cancelled(created: str, now: str, too_late: bool) -> None:
    assert is_too_late_to_cancel(utc(created), utc(now)) is too_late


def test_a_letter_can_be_cancelled_until_the_next_half_past_five() -> None:
    assert cancellable_until(utc("2024-07-10 09:00")) == utc("2024-07-10 16:30")
    assert cancellable_until(utc("2024-07-10 16:31")) == utc("2024-07-11 16:30")


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC)),
    st.timedeltas(timedelta(0), timedelta(days=3)),
)
def test_a_letter_that_can_be_cancelled_is_not_printed(created: datetime, later: timedelta) -> None:
    found = timings(created, "second")
    assert created < found.printed_by < found.earliest_delivery <= found.latest_delivery
    if not is_too_late_to_cancel(created, created + later):
        assert not found.is_printed(created + later)


@pytest.mark.parametrize(
    ("created", "now", "label"),
    [
        ("2024-07-05 12:00", "2024-07-05 17:00", "today"),
        ("2024-07-05 12:00", "2024-07-06 12:00", "on 5 July"),
        ("2024-07-05 16:30", "2024-07-06 12:00", "today"),
        ("2024-12-05 17:30", "2024-12-07 00:00", "on 6 December"),
        ("2024-07-05 23:30", "2024-07-05 23:45", "today"),
    ],
)
def test_the_day_that_printing_started(created: str, now: str, label: str) -> None:
    assert print_day_label(utc(created), utc(now)) == label


@pytest.mark.parametrize(
    ("created", "folder"),
    [
        ("2024-01-10 17:30:00", "2024-01-10/"),
        ("2024-01-10 17:30:01", "2024-01-11/"),
        ("2024-07-10 16:30:00", "2024-07-10/"),
        ("2024-07-10 16:31:00", "2024-07-11/"),
        ("2024-07-10 23:30:00", "2024-07-11/"),
        ("2024-12-31 18:00:00", "2025-01-01/"),
    ],
)
def test_the_folder_of_a_pdf(created: str, folder: str) -> None:
    assert pdf_folder(utc(created)) == folder
