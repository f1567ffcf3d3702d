"""Tickets about letters: for which letters, and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from notify.infra.container import Container
from notify.infra.times import utc_now
from notify.letters.alerts import LetterAlerts
from tests.letters.rows import Letters

Make = Callable[[str], LetterAlerts]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, tuple[str, ...]]]:
    """The tickets that were made, as (subject, message, cc)."""
    return []


@pytest.fixture
def alerts(container: Container, made: list[tuple[str, str, tuple[str, ...]]]) -> Make:
    """The alerts at a time."""

    class Tickets:
        """Where tickets go: what it is given is what people read."""

        def create(self, subject: str, message: str, *, cc: tuple[str, ...] = (), **_: object) -> None:
            made.append((subject, message, cc))

    def at(now: str) -> LetterAlerts:
        alerts = container.get(LetterAlerts)
        alerts._now = lambda: datetime.fromisoformat(now).replace(tzinfo=UTC)
        alerts._scan._now = alerts._now
        alerts._tickets = Tickets()  # type: ignore[assignment]
        alerts._copies = ("post@example.com",)
        return alerts

    return at


@pytest.mark.parametrize(
    ("created", "number"),
    [("2026-07-13T16:29:59", 1), ("2026-07-13T16:30:00", 0), ("2026-07-01T10:00:00", 1), ("2026-07-14T03:00:00", 0)],
)
def test_letters_that_no_run_took(
    letters: Letters, alerts: Make, made: list[object], created: str, number: int
) -> None:
    moment = datetime.fromisoformat(created).replace(tzinfo=UTC)
    letters.add(created=moment)
    letters.add(created=moment, status="sending")
    assert alerts("2026-07-14T06:00:00").check_created() == number
    assert [ticket[0] for ticket in made] == ["Letters still in 'created' status"] * number  # type: ignore[index]


@pytest.mark.parametrize(("days", "number"), [(1, 1), (2.9, 1), (3.1, 0)])
def test_letters_that_failed(letters: Letters, alerts: Make, made: list[object], days: float, number: int) -> None:
    now = datetime(2026, 7, 14, 6, 0, tzinfo=UTC)
    letters.add(created=now - timedelta(days=days), status="technical-failure")
    letters.add(created=now - timedelta(days=days), status="delivered")
    assert alerts("2026-07-14T06:00:00").check_failed() == number
    assert len(made) == number


@pytest.mark.parametrize(
    ("now", "sent", "number"),
    [
        # Tuesday: two working days before is Friday
        ("2026-07-14T18:00", "2026-07-10T22:59", 1),
        ("2026-07-14T18:00", "2026-07-10T23:00", 0),
        ("2026-07-15T18:00", "2026-07-13T12:00", 1),
        ("2026-07-15T18:00", "2026-07-14T12:00", 0),
        # no working days: Saturday, Christmas
        ("2026-07-18T18:00", "2026-07-01T12:00", 0),
        ("2026-12-25T18:00", "2026-12-01T12:00", 0),
        # the Tuesday after Easter: two working days before is Maundy Thursday
        ("2026-04-07T18:00", "2026-04-02T12:00", 0),
        ("2026-04-07T18:00", "2026-04-01T12:00", 1),
    ],
)
def test_letters_that_the_printer_is_slow_with(
    letters: Letters, alerts: Make, made: list[tuple[str, str, tuple[str, ...]]], now: str, sent: str, number: int
) -> None:
    moment = datetime.fromisoformat(sent).replace(tzinfo=UTC)
    letters.add(created=moment, sent_at=moment, status="sending")
    letters.add(created=moment, sent_at=moment, status="sending", key_type="test")
    letters.add(created=moment, sent_at=moment, status="delivered")
    assert alerts(now).check_sending() == number
    assert len(made) == number
    if made:
        subject, message, copies = made[0]
        assert (subject, copies) == ("Letters still sending", ("post@example.com",))
        assert message.startswith("There are 1 letters in the 'sending' state from ")


def test_the_day_in_the_ticket(letters: Letters, alerts: Make, made: list[tuple[str, str, tuple[str, ...]]]) -> None:
    moment = datetime(2017, 7, 3, 12, tzinfo=UTC)
    letters.add(created=moment, sent_at=moment, status="sending")
    alerts("2017-07-05T18:00").check_sending()
    assert "from Monday 03 July. " in made[0][1]


def pending(letters: Letters, age: timedelta, now: datetime, *, has_file: bool) -> str:
    id_ = letters.add(status="pending-virus-check", created=now - age, pdf=None)
    row = letters.row(id_)
    if has_file:
        letters.files.scan.put(f"NOTIFY.{row.reference}.D.2.C.20260714000000.PDF", b"%PDF")
    return str(id_)


def test_letters_that_wait_for_their_virus_scan(
    letters: Letters, alerts: Make, made: list[tuple[str, str, tuple[str, ...]]]
) -> None:
    now = datetime(2026, 7, 14, 6, 0, tzinfo=UTC)
    lost = pending(letters, timedelta(minutes=30), now, has_file=False)
    pending(letters, timedelta(minutes=30), now, has_file=True)
    pending(letters, timedelta(minutes=9), now, has_file=False)
    pending(letters, timedelta(minutes=121), now, has_file=False)
    found = alerts("2026-07-14T06:00").check_pending(timedelta(minutes=120))
    assert [str(id_) for id_ in found] == [lost]
    assert [ticket[0] for ticket in made] == ["Letters still pending virus check"]
    assert lost in made[0][1]


def test_the_same_at_night(letters: Letters, alerts: Make, made: list[tuple[str, str, tuple[str, ...]]]) -> None:
    now = datetime(2026, 7, 14, 19, 0, tzinfo=UTC)
    old = pending(letters, timedelta(days=4), now, has_file=True)
    lost = pending(letters, timedelta(days=2), now, has_file=False)
    pending(letters, timedelta(days=2), now, has_file=True)
    pending(letters, timedelta(days=6), now, has_file=True)
    check = alerts("2026-07-14T19:00").check_pending_nightly
    found = check(oldest=timedelta(minutes=7200), rescanned=timedelta(minutes=4320))
    assert [str(id_) for id_ in found] == [old, lost]
    assert len(made) == 1
    with pytest.raises(ValueError, match="must be greater"):
        check(oldest=timedelta(minutes=10), rescanned=timedelta(minutes=10))


def test_no_letters_no_tickets(alerts: Make, made: list[object]) -> None:
    now = f"{utc_now():%Y-%m-%dT%H:%M}"
    for check in (alerts(now).check_created, alerts(now).check_failed, alerts(now).check_sending):
        assert check() == 0
    assert alerts(now).check_pending(timedelta(minutes=120)) == []
    assert made == []
