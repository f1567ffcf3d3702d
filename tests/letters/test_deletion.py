"""When the PDF of a letter is deleted, and when it must not be (docs/decisions/0033)."""

from __future__ import annotations

import ast
from collections import Counter
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import notify.letters
from notify.infra.container import Container
from notify.infra.objects import Bucket
from notify.infra.parts import Parts
from notify.infra.times import local_days_ago, utc_now
from notify.letters.deletion import LetterDeletion
from notify.letters.files import LetterFiles, put
from notify.letters.printing.status_callback import LetterCallbacks, PrinterUpdate
from notify.letters.returned import ReturnedLetters
from notify.letters.statuses import LetterFailedError
from notify.messages.retention import Retention
from notify.messages.statuses import COMPLETED
from notify.services import retention as retentions
from notify.vocabulary import STATUSES
from tests.letters.rows import Letters, keys_of

OLD = timedelta(days=40)
WAITING = ("created", "sending", "pending-virus-check")
NEVER_HERE = ("pending", "virus-scan-failed")
"""Not final in the contract's list: no task takes the PDF of such a letter."""


@pytest.fixture
def letters(parts: Parts) -> Letters:
    return Letters(parts)


@pytest.fixture
def container(parts: Parts) -> Container:
    return Container(parts)


@pytest.fixture
def deletion(container: Container) -> LetterDeletion:
    return container.get(LetterDeletion)


def night(container: Container, letters: Letters) -> None:
    """What a night does with the letters of the service: rows go (and with them their PDFs), then the sweep."""
    retention = container.get(Retention)
    before = local_days_ago(utc_now(), 7)
    while retention.move(letters.service_id, "letter", before):
        pass
    while retention.delete_test(letters.service_id, "letter", before):
        pass
    container.get(LetterDeletion).sweep(utc_now())


def test_the_statuses_that_wait_are_none_of_the_final_ones() -> None:
    assert not set(WAITING) & COMPLETED
    assert set(STATUSES) == COMPLETED | set(WAITING) | set(NEVER_HERE)


@pytest.mark.parametrize("history", [False, True])
@pytest.mark.parametrize("sent_at", [None, utc_now() - OLD])
@pytest.mark.parametrize("status", STATUSES)
def test_the_status_decides(
    letters: Letters, deletion: LetterDeletion, status: str, sent_at: datetime | None, history: bool
) -> None:
    id_ = letters.add(status=status, age=OLD, sent_at=sent_at, history=history)
    young = letters.add(status=status, age=timedelta(days=6), sent_at=sent_at, history=history)
    deletion.sweep(utc_now())
    assert letters.has_pdf(id_) == (status not in COMPLETED)
    assert letters.has_pdf(young)


@pytest.mark.parametrize("status", STATUSES)
def test_a_night(letters: Letters, container: Container, status: str) -> None:
    id_ = letters.add(status=status, age=OLD, sent_at=utc_now() - OLD)
    night(container, letters)
    assert letters.has_pdf(id_) == (status not in COMPLETED)
    is_live = bool(letters.execute("SELECT 1 FROM notifications WHERE id = %s", (id_,)))
    assert is_live == (status in WAITING)


@pytest.mark.parametrize("status", WAITING)
@pytest.mark.parametrize("days", [8, 30, 400, 4000])
def test_a_letter_that_waits_keeps_its_pdf_at_any_age(
    letters: Letters, container: Container, status: str, days: int
) -> None:
    ids = [letters.add(status=status, age=timedelta(days=days), history=history) for history in (False, True)]
    for _ in range(3):
        night(container, letters)
    assert all(map(letters.has_pdf, ids))


@pytest.mark.parametrize("history", [False, True])
@pytest.mark.parametrize("becomes", sorted(COMPLETED))
def test_it_is_deleted_in_the_first_night_after_its_status_is_final(
    letters: Letters, container: Container, becomes: str, history: bool
) -> None:
    id_ = letters.add(status="sending", age=OLD, history=history)
    other = letters.add(status="sending", age=OLD, history=history)
    night(container, letters)
    assert letters.has_pdf(id_)
    place = letters.place(id_)
    letters.set_status(id_, becomes)
    if becomes == "validation-failed":  # whoever sets this status also files it elsewhere
        place.bucket.delete(place.key)
        put(letters.files.invalid, letters.place(id_).key, b"%PDF")
    night(container, letters)
    assert not letters.has_pdf(id_)
    assert letters.has_pdf(other)


@pytest.mark.parametrize("history", [False, True])
@pytest.mark.parametrize(("said", "status"), [("DESPATCHED", "delivered"), ("REJECTED", "technical-failure")])
def test_the_printer_comes_back_weeks_later(
    letters: Letters, container: Container, said: str, status: str, history: bool
) -> None:
    id_ = letters.add(status="sending", age=OLD, history=history)
    night(container, letters)
    assert letters.has_pdf(id_)
    update = PrinterUpdate(id_, said, 1, "sorted", utc_now().date())
    with nullcontext() if said == "DESPATCHED" else pytest.raises(LetterFailedError):
        container.get(LetterCallbacks).apply(update)
    assert letters.status(id_) == status
    assert letters.has_pdf(id_)  # a callback deletes nothing
    night(container, letters)
    assert not letters.has_pdf(id_)


def test_a_letter_that_is_returned_from_the_history(letters: Letters, container: Container) -> None:
    id_ = letters.add(status="sending", age=OLD, history=True)
    container.get(ReturnedLetters).record([letters.row(id_).reference or ""])
    assert letters.has_pdf(id_)
    night(container, letters)
    assert not letters.has_pdf(id_)


def test_a_row_that_went_first_leaves_nothing_behind(letters: Letters, deletion: LetterDeletion) -> None:
    """As when the store was away at night, or an older version moved rows whatever their status."""
    ids = {status: letters.add(status=status, age=OLD) for status in STATUSES}
    for id_ in ids.values():
        letters.move_to_history(id_)
    deletion.sweep(utc_now())
    assert {status for status, id_ in ids.items() if letters.has_pdf(id_)} == set(STATUSES) - COMPLETED


class _Away(Bucket):
    """A store that deletes nothing."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bucket, name)

    def put(self, *args: Any) -> str:
        return self._bucket.put(*args)

    def info(self, key: str) -> Any:
        return self._bucket.info(key)

    def first_key(self, start: str) -> str | None:
        return self._bucket.first_key(start)

    def replace_details(self, *args: Any) -> str:
        return self._bucket.replace_details(*args)

    def keys(self, folder: str = "") -> Any:
        return self._bucket.keys(folder)

    def folders(self) -> list[str]:
        return self._bucket.folders()

    def delete_many(self, keys: Any) -> None:
        raise OSError("away")


def test_a_store_that_is_away_loses_nothing_and_the_next_night_finds_all(
    letters: Letters, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [letters.add(status=status, age=OLD) for status in sorted(COMPLETED)]
    files = container.get(LetterFiles)
    with monkeypatch.context() as patch:
        for name in ("live", "invalid", "test"):
            patch.setattr(files, name, _Away(getattr(files, name)))
        night(container, letters)
    assert not letters.execute("SELECT 1 FROM notifications WHERE service_id = %s", (letters.service_id,))
    assert all(map(letters.has_pdf, ids))
    container.get(LetterDeletion).sweep(utc_now())
    assert not any(map(letters.has_pdf, ids))


@pytest.mark.parametrize("days", [3, 30])
def test_the_retention_of_the_service_counts(letters: Letters, deletion: LetterDeletion, days: int) -> None:
    with letters.parts.database.transaction() as session:
        retentions.create_retention(session, letters.service_id, "letter", days)
    limit = local_days_ago(utc_now(), days)
    before = letters.add(status="delivered", created=limit - timedelta(seconds=1))
    after = letters.add(status="delivered", created=limit)
    deletion.sweep(utc_now())
    assert not letters.has_pdf(before)
    assert letters.has_pdf(after)


@pytest.mark.parametrize("status", ["created", "sending", "delivered", "validation-failed", "technical-failure"])
def test_letters_of_test_keys_go_with_their_rows_whatever_their_status(
    letters: Letters, container: Container, status: str
) -> None:
    place = letters.place(letters.add(status=status, age=OLD, key_type="test"))
    young = letters.add(status=status, key_type="test")
    night(container, letters)
    assert place.bucket.first_key(place.key[:-1]) is None
    assert letters.has_pdf(young)


def test_the_sweep_alone_takes_letters_of_test_keys_when_their_status_is_final(
    letters: Letters, deletion: LetterDeletion
) -> None:
    waits = letters.add(status="sending", age=OLD, key_type="test")
    ended = letters.add(status="delivered", age=OLD, key_type="test")
    deletion.sweep(utc_now())
    assert letters.has_pdf(waits)
    assert not letters.has_pdf(ended)


def test_what_is_no_letter_of_ours_is_left_alone(letters: Letters, deletion: LetterDeletion) -> None:
    live, test = letters.files.live, letters.files.test
    others = [
        "2020-01-01/zips_sent/NOTIFY.2020-01-01.2.001.aaaa.ZIP.TXT",
        "2020-01-01/NOTIFY.AAAAAAAAAAAAAAAA.D.2.C.20200101100000.PDF",
        "2020-01-01/other.txt",
        "NOTIFY.AAAAAAAAAAAAAAAA.D.2.C.20200101100000.PDF",
    ]
    for key in others:
        put(live, key, b"x")
    put(test, "NOTIFY.AAAAAAAAAAAAAAAA.D.2.C.20200101100000.PDF", b"x")  # the row of a test key is deleted
    put(test, f"NOTIFY.BBBBBBBBBBBBBBBB.D.2.C.{utc_now():%Y%m%d%H%M%S}.PDF", b"x")
    deletion.sweep(utc_now())
    assert keys_of(live) == sorted(others)
    assert [key[7] for key in keys_of(test)] == ["B"]


def test_the_rest_of_the_name_need_not_match(letters: Letters, deletion: LetterDeletion) -> None:
    id_ = letters.add(status="delivered", age=OLD, postage="second")
    letters.execute("UPDATE notifications SET postage = 'europe' WHERE id = %s", (id_,))
    deletion.delete_before_rows([id_])
    assert letters.every_key() == []


def test_many_letters_in_several_batches(
    letters: Letters, deletion: LetterDeletion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notify.letters.deletion.AT_A_TIME", 3)
    gone = [letters.add(status="delivered", age=OLD) for _ in range(10)]
    kept = [letters.add(status="sending", age=OLD) for _ in range(10)]
    assert deletion.sweep(utc_now()) == 10
    assert not any(map(letters.has_pdf, gone))
    assert all(map(letters.has_pdf, kept))
    assert deletion.sweep(utc_now()) == 0


def test_a_letter_is_locked_while_its_pdf_is_deleted(own_parts: Parts) -> None:
    """An operator who wants to print a failed letter again comes before the deletion, or after it: never between."""
    letters = Letters(own_parts)
    id_ = letters.add(status="technical-failure", age=OLD)
    files = LetterFiles(own_parts.settings, own_parts.objects)
    seen: list[str] = []

    class Asking(_Away):
        def delete_many(self, keys: Any) -> None:
            with own_parts.database.connection() as connection:
                connection.execute("SET LOCAL lock_timeout = 100")
                try:
                    connection.execute("UPDATE notifications SET notification_status = 'created' WHERE id = %s", (id_,))
                except Exception as error:
                    seen.append(type(error).__name__)
                    raise OSError from None

    object.__setattr__(files, "live", Asking(files.live))
    LetterDeletion(own_parts.database, files).sweep(utc_now())
    assert seen == ["LockNotAvailable"]


DELETERS = {
    "deletion.py": 1,  # by status
    "files.py": 1,  # a move: the source, when the target is there
    "filing.py": 1,  # a PDF whose letter could not be stored
    "uploaded.py": 1,  # an upload, when its letter is stored and filed
    "sanitising.py": 1,  # a PDF as it came, when the checked one is filed
    "preview_cache.py": 1,  # what was rendered for previews, from its two folders alone
}
"""Where the room of letters deletes objects, how often, and which. A further place needs a reason as good as these."""


def test_nothing_else_deletes_pdfs_of_letters() -> None:
    room = Path(notify.letters.__file__).parent
    found: Counter[str] = Counter()
    for path in room.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called = ast.unparse(node.func)
                if node.func.attr in ("delete", "delete_many") and "cache" not in called:
                    found[path.relative_to(room).as_posix()] += 1
    assert found == DELETERS


def test_the_object_store_of_letters_is_opened_in_one_place() -> None:
    """So no other room can delete from it."""
    root = Path(notify.letters.__file__).parents[1]
    names = ("s3_bucket_letters_pdf", "s3_bucket_test_letters", "s3_bucket_invalid_pdf", "s3_bucket_letters_scan")
    users = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if any(name in path.read_text() for name in names)
    }
    assert users <= {"letters/files.py", "letters/settings.py", "cli/admin_env.py"}
