"""The daily run, and sending letters to a print provider that loses responses, refuses, or is down."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from celery.schedules import crontab

from notify import queues
from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.infra.task_set import LondonCrontab
from notify.infra.times import utc_now
from notify.letters.printing import run
from notify.letters.printing import tasks as printing
from notify.letters.printing.base import RetryablePrinterError
from notify.letters.printing.deliver import LetterDeliverer
from notify.letters.printing.run import PrintRun, deadline, is_time_to_run, volumes
from notify.letters.statuses import LetterFailedError
from notify.worker import create_celery
from tests.api import queued, with_settings
from tests.letters.rows import Letters
from tests.servers.dvla import DvlaServer
from tests.servers.http import Trouble

HOUR = timedelta(hours=1)


@pytest.fixture
def changed(parts: Parts, dvla: DvlaServer) -> Parts:
    return with_settings(
        parts,
        letter_printer="dvla",
        dvla_api_base_url=dvla.url,
        dvla_username=dvla.user,
        dvla_password=dvla.password,
        dvla_api_key=dvla.key,
        dvla_email_addresses=["printer@example.com", "post@example.com"],
    )


@pytest.fixture
def letters(changed: Parts) -> Letters:
    return Letters(changed)


@pytest.fixture
def container(changed: Parts) -> Iterator[Container]:
    container = Container(changed)
    yield container
    container._closing.close()


@pytest.fixture
def deliver(container: Container) -> Callable[[UUID], None]:
    return lambda id_: printing.deliver_letter(container, str(id_))


# -- one letter


def test_a_letter_is_sent_to_the_printer(
    letters: Letters, container: Container, deliver: Callable[[UUID], None], dvla: DvlaServer
) -> None:
    id_ = letters.add(postage="first")
    deliver(id_)
    sent = dvla.jobs[str(id_)]
    assert sent["standardParams"]["businessIdentifier"] == letters.row(id_).reference
    assert sent["standardParams"]["despatchMethod"] == "FIRST"
    ((status, by, at),) = letters.execute(
        "SELECT notification_status, sent_by, sent_at FROM notifications WHERE id = %s", (id_,)
    )
    assert (status, by) == ("sending", "dvla")
    assert abs(at - utc_now()) < timedelta(minutes=1)
    assert letters.has_pdf(id_)


@pytest.mark.parametrize(
    "status", ["pending-virus-check", "sending", "delivered", "cancelled", "technical-failure", "validation-failed"]
)
def test_only_a_created_letter_is_sent_to_the_printer(
    letters: Letters, deliver: Callable[[UUID], None], dvla: DvlaServer, status: str
) -> None:
    id_ = letters.add(status=status)
    deliver(id_)
    assert not dvla.jobs
    assert letters.status(id_) == status


@pytest.mark.parametrize("key_type", ["test", "team"])
def test_letters_of_other_keys_are_never_printed(
    letters: Letters, deliver: Callable[[UUID], None], dvla: DvlaServer, key_type: str
) -> None:
    deliver(letters.add(key_type=key_type))
    assert not dvla.jobs


def test_one_that_is_in_the_history_or_nowhere(letters: Letters, deliver: Callable[[UUID], None]) -> None:
    deliver(letters.add(history=True))
    deliver(UUID(int=1))


def test_a_missing_pdf_ends_the_letter(letters: Letters, deliver: Callable[[UUID], None], dvla: DvlaServer) -> None:
    id_ = letters.add(pdf=None)
    with pytest.raises(LetterFailedError, match="PDF is missing"):
        deliver(id_)
    assert letters.status(id_) == "technical-failure"
    assert not dvla.jobs


def test_a_store_that_is_away_does_not(
    letters: Letters, container: Container, deliver: Callable[[UUID], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = letters.add()

    def away(*_: Any) -> bytes:
        raise OSError("away")

    monkeypatch.setattr(container.get(LetterDeliverer)._files.live, "get", away)
    with pytest.raises(RetryablePrinterError, match="object store"):
        deliver(id_)
    assert letters.status(id_) == "created"


def test_a_final_refusal_ends_the_letter(letters: Letters, deliver: Callable[[UUID], None], dvla: DvlaServer) -> None:
    id_ = letters.add()
    dvla.refusals = [400]
    with pytest.raises(LetterFailedError, match="refused"):
        deliver(id_)
    assert letters.status(id_) == "technical-failure"


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_another_refusal_is_tried_again(
    letters: Letters, deliver: Callable[[UUID], None], dvla: DvlaServer, status: int
) -> None:
    id_ = letters.add()
    dvla.refusals = [status]
    with pytest.raises(RetryablePrinterError):
        deliver(id_)
    assert letters.status(id_) == "created"
    deliver(id_)
    assert letters.status(id_) == "sending"
    assert list(dvla.jobs) == [str(id_)]


@pytest.mark.parametrize("status", [500, 503])
def test_an_answer_that_got_lost_prints_nothing_twice(
    letters: Letters, deliver: Callable[[UUID], None], dvla: DvlaServer, status: int
) -> None:
    id_ = letters.add()
    dvla.refusals, dvla.takes_before_refusing = [status], True
    with pytest.raises(RetryablePrinterError):
        deliver(id_)
    deliver(id_)  # 409
    assert letters.status(id_) == "sending"
    assert len(dvla.jobs) == 1


def test_a_worker_that_was_killed_before_it_wrote_down(
    letters: Letters,
    container: Container,
    deliver: Callable[[UUID], None],
    dvla: DvlaServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    id_ = letters.add()
    with monkeypatch.context() as patch:
        patch.setattr(LetterDeliverer, "_mark_sent", _killed)
        with pytest.raises(KeyboardInterrupt):
            deliver(id_)
    assert letters.status(id_) == "created"
    deliver(id_)
    assert letters.status(id_) == "sending"
    assert len(dvla.jobs) == 1


def _killed(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_callback_that_came_first_wins(
    letters: Letters, container: Container, deliver: Callable[[UUID], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = letters.add()
    mark = LetterDeliverer._mark_sent

    def slow(self: LetterDeliverer, notification_id: UUID, printer: str) -> None:
        letters.set_status(id_, "delivered")
        mark(self, notification_id, printer)

    monkeypatch.setattr(LetterDeliverer, "_mark_sent", slow)
    deliver(id_)
    assert letters.status(id_) == "delivered"
    assert letters.execute("SELECT sent_by FROM notifications WHERE id = %s", (id_,)) == [("dvla",)]


def test_after_all_tries_the_letter_ends(changed: Parts, letters: Letters, dvla: DvlaServer) -> None:
    id_ = letters.add()
    dvla.fail(Trouble(status=503))
    celery = create_celery(changed.settings)
    printing.tasks.add_to(celery_without(celery), container := Container(changed))
    task = celery.tasks["deliver_letter"]
    result = task.apply(args=[str(id_)], retries=55)
    assert "LetterFailedError" in repr(result.result)
    assert letters.status(id_) == "technical-failure"
    container._closing.close()


def celery_without(celery: Any) -> Any:
    """Forget the tasks, so that they can be registered with another container."""
    for name in [name for name in celery.tasks if not name.startswith("celery.")]:
        del celery.tasks[name]
    return celery


def test_a_letter_is_tried_again_on_its_own_queue_55_times() -> None:
    (task,) = [task for task in printing.tasks if task.name == "deliver_letter"]
    assert task.retry is not None
    assert (task.retry.times, task.retry.queue) == (55, queues.SEND_LETTER)


def test_two_workers_with_the_same_letter(own_parts: Parts, dvla: DvlaServer) -> None:
    changed = own_parts.settings.changed(
        letter_printer="dvla",
        dvla_api_base_url=dvla.url,
        dvla_username=dvla.user,
        dvla_password=dvla.password,
        dvla_api_key=dvla.key,
    )
    letters = Letters(own_parts)
    ids = [letters.add() for _ in range(5)]
    from notify.infra.parts import build_parts

    containers = [Container(build_parts(changed)) for _ in range(2)]

    def work(container: Container) -> None:
        for id_ in ids:
            printing.deliver_letter(container, str(id_))

    threads = [threading.Thread(target=work, args=(container,)) for container in containers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(dvla.jobs) == sorted(map(str, ids))
    assert {letters.status(id_) for id_ in ids} == {"sending"}
    for container in containers:
        container.close()


# -- the run


@pytest.mark.parametrize(
    ("now", "is_run", "last"),
    [
        # winter: 17:50 is 17:50 in UTC
        ("2026-01-15T16:50", False, "2026-01-14T17:30"),
        ("2026-01-15T17:49:59", False, "2026-01-15T17:30"),
        ("2026-01-15T17:50", True, "2026-01-15T17:30"),
        ("2026-01-15T18:49:59", True, "2026-01-15T17:30"),
        ("2026-01-15T18:50", False, "2026-01-15T17:30"),
        # summer: it is 16:50
        ("2026-07-15T16:50", True, "2026-07-15T16:30"),
        ("2026-07-15T17:50", False, "2026-07-15T16:30"),
        ("2026-07-15T16:29:59", False, "2026-07-14T16:30"),
        # the days on which the clocks change, and those before
        ("2026-03-28T16:50", False, "2026-03-27T17:30"),
        ("2026-03-28T17:50", True, "2026-03-28T17:30"),
        ("2026-03-29T16:50", True, "2026-03-29T16:30"),
        ("2026-03-29T17:50", False, "2026-03-29T16:30"),
        ("2026-03-29T10:00", False, "2026-03-28T17:30"),
        ("2026-10-24T16:50", True, "2026-10-24T16:30"),
        ("2026-10-24T17:50", False, "2026-10-24T16:30"),
        ("2026-10-25T16:50", False, "2026-10-24T16:30"),
        ("2026-10-25T17:50", True, "2026-10-25T17:30"),
    ],
)
def test_when_a_run_begins_and_what_it_takes(now: str, is_run: bool, last: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert is_time_to_run(moment) == is_run
    assert deadline(moment) == datetime.fromisoformat(last).replace(tzinfo=UTC)


@pytest.mark.parametrize("day", range(365))
def test_every_day_has_exactly_one_run(day: int) -> None:
    begins = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    assert sum(is_time_to_run(begins.replace(hour=hour, minute=50)) for hour in (16, 17)) == 1


def test_the_deadline_travels_as_text() -> None:
    now = datetime(2026, 7, 15, 17, 0, tzinfo=UTC)
    assert run.iso_deadline(now) == "2026-07-15T16:30:00"
    assert run.parse_deadline(run.iso_deadline(now)) == deadline(now)
    assert run.parse_deadline("2026-07-15T17:30:00+01:00") == deadline(now)


def test_volumes() -> None:
    rows = [("first", 1, 2), ("second", 3, 4), ("economy", 5, 6), ("europe", 7, 8), ("rest-of-world", 9, 10)]
    assert volumes(rows, datetime(2026, 7, 5, 16, 30, tzinfo=UTC)) == {
        "total_volume": 25,
        "first_class_volume": 1,
        "second_class_volume": 3,
        "economy_mail_volume": 5,
        "international_volume": 16,
        "total_sheets": 30,
        "first_class_sheets": 2,
        "second_class_sheets": 4,
        "economy_mail_sheets": 6,
        "international_sheets": 18,
        "date": "05 July 2026",
    }


def test_which_letters_a_run_takes_and_in_which_order(letters: Letters, container: Container, changed: Parts) -> None:
    before = utc_now() - HOUR
    taken = [letters.add(created=before - timedelta(minutes=number)) for number in range(1, 6)]
    letters.add(created=before)
    letters.add(created=before - HOUR, units=0)
    letters.add(created=before - HOUR, key_type="test")
    for status in ("sending", "pending-virus-check", "cancelled"):
        letters.add(created=before - HOUR, status=status)
    queued(changed)
    assert container.get(PrintRun).publish(before) == 5
    assert queued(changed) == [("shatter-deliver-letters-tasks", [[str(id_) for id_ in reversed(taken)]])]


def test_a_run_comes_in_batches_and_pages(
    letters: Letters, container: Container, changed: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "READ_AT_A_TIME", 7)
    monkeypatch.setattr(run, "IDS_PER_TASK", 3)
    moment = utc_now() - HOUR  # all at the same moment: the id decides
    ids = {str(letters.add(created=moment)) for _ in range(20)}
    queued(changed)
    container.get(PrintRun).publish(utc_now())
    batches = [arguments[0] for _, arguments in queued(changed)]
    assert max(map(len, batches)) == 3
    assert {id_ for batch in batches for id_ in batch} == ids
    assert sum(map(len, batches)) == 20


def test_a_run_from_its_beginning_to_the_printer(
    letters: Letters, container: Container, changed: Parts, dvla: DvlaServer
) -> None:
    ids = [str(letters.add(age=2 * HOUR)) for _ in range(3)]
    queued(changed)
    given = (utc_now() - HOUR).replace(tzinfo=None).isoformat()
    printing.collate_letter_pdfs_to_be_sent(container, given)
    found = [one for one in queued(changed) if one[0] == "shatter-deliver-letters-tasks"]
    for _, arguments in found:
        printing.shatter_deliver_letters_tasks(container, *arguments)
    single = queued(changed)
    assert single == [("deliver_letter", [id_]) for id_ in ids]
    for _, arguments in single:
        printing.deliver_letter(container, *arguments)
    assert sorted(dvla.jobs) == sorted(ids)
    # again: nothing is left to do
    printing.collate_letter_pdfs_to_be_sent(container, given)
    assert not [one for one in queued(changed) if one[0] == "shatter-deliver-letters-tasks"]


def test_the_volumes_are_announced_once(letters: Letters, container: Container) -> None:
    letters.add(age=2 * HOUR, postage="europe", units=3)
    before = utc_now() - HOUR
    for is_first in (True, False):
        assert container.get(PrintRun).announce(before) is is_first
    rows = letters.execute(
        "SELECT normalised_to FROM notifications WHERE template_id = '11fad854-fd38-4a7c-bd17-805fb13dfc12'"
    )
    assert sorted(rows) == [("post@example.com",), ("printer@example.com",)]


def test_without_a_printer_letters_wait(parts: Parts) -> None:
    changed = with_settings(parts, letter_printer="none")
    letters, container = Letters(changed), Container(changed)
    id_ = letters.add(age=2 * HOUR)
    queued(changed)
    printing.collate_letter_pdfs_to_be_sent(container)
    assert queued(changed) == []
    assert letters.status(id_) == "created"


# -- the sandbox


def test_the_sandbox_prints_at_once_and_reports_the_despatch(parts: Parts) -> None:
    changed = with_settings(parts, sandbox_receipt_delay_ms=0)
    letters, container = Letters(changed), Container(changed)
    id_ = letters.add(age=timedelta(seconds=1), units=2)
    queued(changed)
    printing.print_letters_at_once(container)
    assert queued(changed) == [("deliver_letter", [str(id_)])]
    printing.deliver_letter(container, str(id_))
    assert letters.status(id_) == "sending"
    assert queued(changed) == [("create-fake-letter-callback", [str(id_), 2, "second"])]


def test_the_sandbox_waits_as_long_as_with_its_receipts(parts: Parts) -> None:
    changed = with_settings(parts, sandbox_receipt_delay_ms=86_400_000)
    letters, container = Letters(changed), Container(changed)
    letters.add()
    queued(changed)
    printing.print_letters_at_once(container)
    assert queued(changed) == []


def test_only_the_sandbox_prints_at_once(changed: Parts, parts: Parts) -> None:
    assert "print-letters-at-once" not in create_celery(changed.settings).conf.beat_schedule
    assert "print-letters-at-once" in create_celery(parts.settings).conf.beat_schedule


# -- the clock


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-01-15T06:00", "2026-01-15T07:00"),
        ("2026-07-15T05:00", "2026-07-15T06:00"),
        ("2026-03-28T08:00", "2026-03-29T06:00"),  # the clocks go forward
        ("2026-10-24T08:00", "2026-10-25T07:00"),  # they go back
        ("2026-10-25T07:01", "2026-10-26T07:00"),
    ],
)
def test_a_clock_in_london(parts: Parts, now: str, expected: str) -> None:
    last = datetime.fromisoformat(now).replace(tzinfo=UTC)
    schedule = LondonCrontab(hour=7, minute=0, nowfun=lambda: last, app=parts.queue.celery)
    assert last + schedule.remaining_estimate(last) == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert isinstance(schedule, crontab)
