"""Times: aware UTC inside, the contract's formats at the boundary, "local" is Europe/London."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
MOST_DAYS = 36_500


def utc_now() -> datetime:
    """The time now, aware, UTC."""
    return datetime.now(UTC)


def format_datetime(moment: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS.ffffffZ`, the contract's only form of a time (public-api, conventions)."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


def format_optional(moment: datetime | None) -> str | None:
    """As `format_datetime`. None stays None."""
    return None if moment is None else format_datetime(moment)


def local_midnight(day: date) -> datetime:
    """The moment (aware UTC) at which the local day begins."""
    return datetime.combine(day, time(), LONDON).astimezone(UTC)


def local_date(moment: datetime) -> date:
    """The local date of a moment."""
    return moment.astimezone(LONDON).date()


def local_days_ago(now: datetime, days: int) -> datetime:
    """Midnight (aware UTC) at the start of the local day `days` before the local day of `now`."""
    return local_midnight(local_date(now) - timedelta(days=days))


def midnight_days_ago(now: datetime, days: int) -> datetime:
    """The local midnight (aware UTC) that begins the day `days` before the UTC day of `now`: how the contract counts
    the days of lists (internal-services 0). Limited to a century, either way.
    """
    return local_midnight(now.astimezone(UTC).date() - timedelta(days=max(-MOST_DAYS, min(days, MOST_DAYS))))
