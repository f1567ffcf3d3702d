"""Malicious PDFs are refused, within ten seconds of processor time and 500 MB, without effect on others."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from notify.infra.errors import BusyError
from notify.letters import pages
from notify.letters.precompiled import child, workers
from notify.letters.precompiled.errors import PageMissingError, UnreadablePdfError
from notify.letters.precompiled.failures import CODES
from notify.letters.precompiled.sanitiser import PdfSanitiser, Sanitised
from notify.letters.precompiled.workers import JOBS_OF_CHILD, PdfWorkers
from tests.letters.precompiled import hostile, hostile_loops, reading
from tests.letters.recorded import recorded_pdf

BOMBS = hostile.BOMBS | hostile_loops.BOMBS
ODDITIES = hostile.ODDITIES | hostile_loops.ODDITIES
SECONDS = 10.0
MOST_TRIES = 10
GOOD = "valid_one_page"


def _pids(children: PdfWorkers) -> list[int]:
    return [one.pid for one in children._idle]


def _most_memory(pid: int) -> int:
    """The most that a process had in memory so far, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def _hurts_nobody(sanitiser: PdfSanitiser) -> None:
    assert sanitiser.sanitise(recorded_pdf(GOOD)).message is None


class _Watch:
    """The most memory of any child, looked at while it works."""

    def __init__(self) -> None:
        self.most = 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _look(self) -> None:
        ours = str(os.getpid())
        while not self._ends.wait(0.02):
            for folder in Path("/proc").iterdir():
                if folder.name.isdigit():
                    try:
                        stat = (folder / "stat").read_text().rpartition(")")[2].split()
                        if stat[1] == ours:
                            self.most = max(self.most, _most_memory(int(folder.name)))
                    except (OSError, StopIteration):
                        continue


def _cpu_seconds(children: PdfWorkers) -> float:
    """What ended and living children have used of processors. How long it takes on the clock is up to the machine."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime + sum(one._cpu_seconds() for one in children._idle)


def _checked(sanitiser: PdfSanitiser, children: PdfWorkers, pdf: bytes) -> Sanitised:
    """The answer, within the limits. A machine that is too busy for it is asked again, as letters are."""
    for _ in range(MOST_TRIES):
        used, started = _cpu_seconds(children), time.monotonic()
        with _Watch() as watch:
            try:
                found = sanitiser.sanitise(pdf)
            except BusyError:
                found = None
        assert _cpu_seconds(children) - used < SECONDS
        assert time.monotonic() - started < workers.JOB_SECONDS + 1
        assert watch.most < 500 * 1024 * 1024
        if found is not None:
            return found
    pytest.fail("the machine is too busy")


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_time_and_memory(sanitiser: PdfSanitiser, children: PdfWorkers, name: str) -> None:
    found = _checked(sanitiser, children, BOMBS[name]())
    assert found.message in CODES
    assert found.pdf is None
    _hurts_nobody(sanitiser)


@pytest.mark.parametrize("name", ODDITIES)
def test_an_oddity_is_answered_in_time_and_memory(sanitiser: PdfSanitiser, children: PdfWorkers, name: str) -> None:
    found = _checked(sanitiser, children, ODDITIES[name]())
    assert found.message is None or found.message in CODES
    _hurts_nobody(sanitiser)


def test_ten_thousand_pages_are_counted_and_refused(sanitiser: PdfSanitiser) -> None:
    found = sanitiser.sanitise(hostile.pages(10_000))
    assert (found.message, found.page_count, found.invalid_pages) == ("letter-too-long", 10_000, ())


@pytest.mark.parametrize("name", ["encrypted_user", "encrypted_owner", "encrypted_owner_aes256", "broken_truncated"])
def test_encrypted_and_broken_files_are_unreadable(sanitiser: PdfSanitiser, name: str) -> None:
    found = sanitiser.sanitise(recorded_pdf(name))
    assert (found.message, found.page_count, found.pdf) == ("unable-to-read-the-file", None, None)


def test_changed_bytes_never_break_the_reader(sanitiser: PdfSanitiser) -> None:
    for pdf in hostile.mutations(70):
        found = sanitiser.sanitise(pdf)
        assert (found.message is None) == (found.pdf is not None)
        assert found.message is None or found.message in CODES
    _hurts_nobody(sanitiser)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"%PDF-1.7 startxref", os.urandom(4000) + b"startxref"])
def test_what_is_no_pdf_is_unreadable(sanitiser: PdfSanitiser, content: bytes) -> None:
    assert sanitiser.sanitise(content).message == "unable-to-read-the-file"


@pytest.mark.parametrize("name", ["script", "embedded_file", "bookmarks", "annotation_link"])
def test_nothing_that_acts_is_handed_on(sanitiser: PdfSanitiser, name: str) -> None:
    pdf = recorded_pdf(name)
    outcomes = [sanitiser.sanitise(pdf).pdf, sanitiser.sanitise(pdf, attachment=True).pdf, sanitiser.overlay(pdf)]
    for made in outcomes:
        assert made is not None
        opened = reading.opened(made)
        assert set(opened.Root.keys()) == {"/Type", "/Pages"}
        assert b"JavaScript" not in made
        assert not opened.attachments


def test_an_overlay_has_no_scripts_of_its_annotations(sanitiser: PdfSanitiser) -> None:
    made = sanitiser.overlay(recorded_pdf("annotation_stamp_outside"))
    opened = reading.opened(made)
    assert all(not {"/A", "/AA"} & set(one.keys()) for one in opened.pages[0].get("/Annots", []))


@pytest.fixture
def two() -> Iterator[PdfWorkers]:
    children = PdfWorkers(2)
    yield children
    children.close()


def test_a_child_is_kept_for_the_next_letter(two: PdfWorkers) -> None:
    sanitiser = PdfSanitiser(two)
    _hurts_nobody(sanitiser)
    kept = _pids(two)
    _hurts_nobody(sanitiser)
    assert _pids(two) == kept
    assert len(kept) == 1


def test_a_child_is_replaced_when_it_dies_and_after_many_jobs(two: PdfWorkers) -> None:
    sanitiser = PdfSanitiser(two)
    _hurts_nobody(sanitiser)
    (first,) = _pids(two)
    os.kill(first, signal.SIGKILL)
    two._idle[0]._process.wait(5)
    _hurts_nobody(sanitiser)
    assert first not in _pids(two)
    two._idle[0].jobs = JOBS_OF_CHILD - 1
    (second,) = _pids(two)
    _hurts_nobody(sanitiser)
    assert second not in _pids(two)


def test_a_busy_machine_is_no_verdict(two: PdfWorkers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that gets no processor says nothing of its PDF, which is to be tried again."""
    sanitiser = PdfSanitiser(two)
    _hurts_nobody(sanitiser)
    (pid,) = _pids(two)
    monkeypatch.setattr(workers, "JOB_SECONDS", 0.5)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(BusyError):
        sanitiser.sanitise(recorded_pdf(GOOD))
    assert _pids(two) == []
    monkeypatch.undo()
    _hurts_nobody(sanitiser)


def test_a_child_that_is_killed_is_no_verdict(two: PdfWorkers) -> None:
    sanitiser = PdfSanitiser(two)
    _hurts_nobody(sanitiser)
    (pid,) = _pids(two)
    os.kill(pid, signal.SIGSTOP)
    killer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    killer.start()
    with pytest.raises(BusyError):
        sanitiser.sanitise(recorded_pdf(GOOD))
    killer.join()
    _hurts_nobody(sanitiser)


def test_what_takes_a_processor_for_long_is_refused_on_a_busy_machine(
    two: PdfWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "JOB_SECONDS", 1.5)
    monkeypatch.setattr(workers, "GUILTY_CPU_SECONDS", 0.1)
    sanitiser = PdfSanitiser(two)
    assert sanitiser.sanitise(hostile.many_operators()).message == "unable-to-read-the-file"


def test_a_child_has_no_secrets_and_few_rights(two: PdfWorkers) -> None:
    _hurts_nobody(PdfSanitiser(two))
    (pid,) = _pids(two)
    names = {entry.partition(b"=")[0] for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if entry}
    assert names <= {b"PATH", b"PYTHONPATH", b"LC_CTYPE"}
    limits = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    assert str(child.MEMORY_BYTES) in limits
    assert Path(f"/proc/{pid}/cwd").resolve() == Path("/")


def test_many_threads_share_the_children(two: PdfWorkers) -> None:
    sanitiser = PdfSanitiser(two)
    found: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: found.append(sanitiser.sanitise(recorded_pdf(GOOD)).message)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [None] * 8
    assert len(_pids(two)) <= 2


@pytest.mark.parametrize(
    "ask", [pages.page_count, lambda pdf: pages.page_pdf(pdf, 1), lambda pdf: pages.page_png(pdf, 1)]
)
def test_pages_of_no_pdf_are_a_typed_error(ask: Callable[[bytes], object]) -> None:
    with pytest.raises(UnreadablePdfError):
        ask(b"no PDF at all")


def test_pages_are_counted_taken_out_and_drawn() -> None:
    pdf = recorded_pdf("pages_02")
    assert pages.page_count(pdf) == 2
    second = pages.page_pdf(pdf, 2)
    assert pages.page_count(second) == 1
    assert reading.lines(reading.letters(second))[0].text == "Page 2"
    assert pages.page_png(pdf, 1)[:8] == b"\x89PNG\r\n\x1a\n"
    for number in (3, 99):
        with pytest.raises(PageMissingError):
            pages.page_pdf(pdf, number)
        with pytest.raises(PageMissingError):
            pages.page_png(pdf, number)
    with pytest.raises(UnreadablePdfError):
        pages.page_png(hostile.huge_page(), 1)
