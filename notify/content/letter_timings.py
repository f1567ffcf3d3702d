"""When letters are printed and delivered (contract: content 14, public-api 7.1). Times are aware UTC, in and out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")
UNTIL_MIDNIGHT: Final = timedelta(hours=6, minutes=30)
"""From the deadline of a day, 17:30, to its end."""

DEADLINE: Final = time(17, 30)
SATURDAY: Final = 5

_TRANSIT: Final = {"first": (0, 0), "second": (3, 4), "economy": (3, 6), "europe": (3, 5), "rest-of-world": (5, 7)}
"""Working days that a letter takes after the first one: the fewest and the most."""


class LetterTimings(NamedTuple):
    """When a letter is printed, and when it is delivered at the earliest and at the latest."""

    printed_by: datetime
    earliest_delivery: datetime
    latest_delivery: datetime

    def is_printed(self, now: datetime) -> bool:
        """Whether it has been printed by now."""
        return now > self.printed_by


@cache
def _bank_holidays() -> frozenset[date]:
    # imported here because it loads an HTTP client, and only letters need it
    from govuk_bank_holidays.bank_holidays import BankHolidays

    holidays = BankHolidays(use_cached_holidays=True).get_holidays(division=BankHolidays.ENGLAND_AND_WALES)
    return frozenset(holiday["date"] for holiday in holidays)


def is_printer_working_day(day: date) -> bool:
    """Monday to Friday, except bank holidays of England and Wales. Second class and economy post is delivered then."""
    return day.weekday() < SATURDAY and day not in _bank_holidays()


def is_first_class_day(day: date) -> bool:
    """Monday to Saturday, except bank holidays of England and Wales."""
    return day.weekday() <= SATURDAY and day not in _bank_holidays()


def offset_by_working_days(day: date, days: int, is_working: Callable[[date], bool] = is_printer_working_day) -> date:
    """The working day that is `days` working days after `day`, or before it where `days` is negative.

    Raises `ValueError` for 0, since `day` itself need not be a working day.
    """
    if days == 0:
        raise ValueError("days argument must not be 0")
    step = timedelta(days=1 if days > 0 else -1)
    left = abs(days)
    while left:
        day += step
        left -= is_working(day)
    return day


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, LONDON).astimezone(UTC)


def _accepted_on(created_at: datetime) -> date:
    # added to the local time, so that a change of the clocks does not move the deadline
    return (created_at.astimezone(LONDON).replace(tzinfo=None) + UNTIL_MIDNIGHT).date()


def print_day(created_at: datetime) -> date:
    """The local day on which a letter is printed: the next working day, if it is created before 17:30."""
    return offset_by_working_days(_accepted_on(created_at), 1)


def print_day_label(created_at: datetime, now: datetime) -> str:
    """The day on which printing of a letter started, as a sentence has it: `today` or `on 6 July`."""
    day = _accepted_on(created_at)
    return "today" if day >= now.astimezone(LONDON).date() else f"on {day.day} {day:%B}"


def timings(created_at: datetime, postage: str) -> LetterTimings:
    """When a letter is printed and delivered. Raises `KeyError` for an unknown postage."""
    fewest, most = _TRANSIT[postage]
    printed = print_day(created_at)
    is_working = is_first_class_day if postage == "first" else is_printer_working_day
    return LetterTimings(
        printed_by=_at(printed, time(15)),
        earliest_delivery=_at(offset_by_working_days(printed, 1 + fewest, is_working), time(16)),
        latest_delivery=_at(offset_by_working_days(printed, 1 + most, is_working), time(16)),
    )


def estimated_delivery(created_at: datetime, postage: str) -> datetime:
    """The latest time at which a letter is delivered."""
    return timings(created_at, postage).latest_delivery


def cancellable_until(created_at: datetime) -> datetime:
    """The moment from which a letter can no longer be cancelled: the first 17:30 after it was created, when the printer
    takes the letters of a day (14.3). One that is created within the minute of the deadline is taken at once.
    """
    created = created_at.astimezone(LONDON)
    is_next_day = created.time().replace(second=0, microsecond=0) > DEADLINE
    return _at(created.date() + timedelta(days=is_next_day), DEADLINE)


def is_too_late_to_cancel(created_at: datetime, now: datetime) -> bool:
    """Whether a letter has gone to the printer."""
    return now >= cancellable_until(created_at)


def pdf_folder(created_at: datetime) -> str:
    """The folder of a letter's PDF: its local date, or the next where it came after 17:30, and `/` (14.3)."""
    created = created_at.astimezone(LONDON)
    return f"{created.date() + timedelta(days=created.time() > DEADLINE)}/"
