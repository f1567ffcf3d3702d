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
"""Working days after the first one that a letter is under way: the fewest and the most."""


class LetterTimings(NamedTuple):
    """When a letter is printed, and when it is delivered at the earliest and at the latest."""

    printed_by: datetime
    earliest_delivery: datetime
    latest_delivery: datetime

    def is_printed(self, now: datetime) -> bool:
        """Whether it is at the printer's, by now."""
        return now > self.printed_by


@cache
def _bank_holidays() -> frozenset[date]:
    # it brings an HTTP client along, and is needed only where there are letters
    from govuk_bank_holidays.bank_holidays import BankHolidays

    holidays = BankHolidays(use_cached_holidays=True).get_holidays(division=BankHolidays.ENGLAND_AND_WALES)
    return frozenset(holiday["date"] for holiday in holidays)


def is_printer_working_day(day: date) -> bool:
    """Monday to Friday, but for the bank holidays of England and Wales."""
    return day.weekday() < SATURDAY and day not in _bank_holidays()


def _is_first_class_day(day: date) -> bool:
    return day.weekday() <= SATURDAY and day not in _bank_holidays()


def _nth_day_after(day: date, number: int, is_working: Callable[[date], bool]) -> date:
    while number:
        day += timedelta(days=1)
        number -= is_working(day)
    return day


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), LONDON).astimezone(UTC)


def print_day(created_at: datetime) -> date:
    """The local day on which a letter is printed: those of until 17:30 on the next working day."""
    # an hour on the clock, not on a stopwatch: added to the local time
    accepted = (created_at.astimezone(LONDON).replace(tzinfo=None) + UNTIL_MIDNIGHT).date()
    return _nth_day_after(accepted, 1, is_printer_working_day)


def timings(created_at: datetime, postage: str) -> LetterTimings:
    """When a letter is printed and delivered. Raises `KeyError` for a postage nobody knows."""
    fewest, most = _TRANSIT[postage]
    printed = print_day(created_at)
    is_working = _is_first_class_day if postage == "first" else is_printer_working_day
    return LetterTimings(
        printed_by=_at(printed, 15),
        earliest_delivery=_at(_nth_day_after(printed, 1 + fewest, is_working), 16),
        latest_delivery=_at(_nth_day_after(printed, 1 + most, is_working), 16),
    )


def estimated_delivery(created_at: datetime, postage: str) -> datetime:
    """When a letter is delivered at the latest."""
    return timings(created_at, postage).latest_delivery


def is_too_late_to_cancel(created_at: datetime, now: datetime) -> bool:
    """Whether a letter is on its way to the printer, who takes those of a day at 17:30 (14.3)."""
    created, current = created_at.astimezone(LONDON), now.astimezone(LONDON)
    before_deadline = created.time().replace(second=0, microsecond=0) <= DEADLINE
    if created.date() == current.date():
        return current.time() >= DEADLINE and before_deadline
    return before_deadline or (current.date() - created.date()).days > 1
