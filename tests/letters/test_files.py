"""Names, buckets and folders of letters (contract: letters 2)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from notify.infra.objects import ObjectMissingError
from notify.infra.parts import Parts
from notify.letters import files
from notify.letters.files import LetterFiles, LetterMissingError, LetterRow, StoredLetter

REFERENCE = "ABCD1234EFGH5678"
SUMMER = datetime(2026, 7, 6, 16, 30, 0, tzinfo=UTC)
"""17:30:00 in London."""


@pytest.fixture
def letters(unused_parts: Parts) -> LetterFiles:
    return LetterFiles(unused_parts.settings, unused_parts.objects)


def row(
    postage: str = "second", *, status: str = "created", key_type: str = "normal", created_at: datetime = SUMMER
) -> LetterRow:
    return LetterRow(REFERENCE, postage, created_at, key_type, status)


@pytest.mark.parametrize(
    ("postage", "code"),
    [("first", "1"), ("second", "2"), ("economy", "ECONOMY"), ("europe", "E"), ("rest-of-world", "N")],
)
def test_a_name_contains_reference_postage_and_time(postage: str, code: str) -> None:
    assert files.file_name("abcd1234efgh5678", postage, SUMMER) == f"NOTIFY.{REFERENCE}.D.{code}.C.20260706163000.PDF"


@pytest.mark.parametrize(
    ("created_at", "folder"),
    [
        (SUMMER, "2026-07-06/"),
        (SUMMER.replace(microsecond=1), "2026-07-07/"),
        (datetime(2026, 7, 6, 23, 30, tzinfo=UTC), "2026-07-07/"),
        (datetime(2026, 12, 31, 17, 30, 1, tzinfo=UTC), "2027-01-01/"),
    ],
)
def test_a_letter_is_in_the_folder_of_its_print_run(created_at: datetime, folder: str) -> None:
    assert files.print_folder(created_at) == folder


@pytest.mark.parametrize("folder", ["", "2026-07-06/", "ERROR/"])
def test_a_key_tells_its_reference(folder: str) -> None:
    assert files.reference_of(folder + files.file_name(REFERENCE, "first", SUMMER)) == REFERENCE
    with pytest.raises(ValueError, match="not the key of a letter"):
        files.reference_of("README")


def test_the_row_tells_where_a_letter_is(letters: LetterFiles) -> None:
    name = files.file_name(REFERENCE, "second", SUMMER)
    assert letters.place(row()) == StoredLetter(letters.live, f"2026-07-06/{name}")
    assert letters.place(row(key_type="test", status="delivered")) == StoredLetter(letters.test, name)
    assert letters.place(row(status="validation-failed", key_type="test")) == StoredLetter(letters.invalid, name)


def test_a_letter_is_found_by_the_start_of_its_name(letters: LetterFiles) -> None:
    files.put(letters.live, "2026-07-06/" + files.file_name(REFERENCE, "europe", SUMMER), b"%PDF", {"message": "none"})
    assert letters.read(row("second")) == b"%PDF"
    assert letters.metadata(row("second")) == {"message": "none"}
    with pytest.raises(LetterMissingError):
        letters.read(row(key_type="test"))
    with pytest.raises(LetterMissingError):
        letters.read(row()._replace(reference=None))


def test_a_move_can_be_made_again(letters: LetterFiles) -> None:
    source, target = StoredLetter(letters.scan, "A"), StoredLetter(letters.invalid, "B")
    files.put(letters.scan, "A", b"%PDF", {"a": "1"})
    for _ in range(2):
        files.move(source, target, {"message": "letter-too-long"})
        assert not files.exists(*source)
        assert letters.invalid.get("B") == b"%PDF"
        assert letters.invalid.info("B").details.metadata == {"message": "letter-too-long"}
    files.move(target, source)
    assert letters.scan.info("A").details.metadata == {"message": "letter-too-long"}
    letters.scan.delete("A")
    with pytest.raises(ObjectMissingError):
        files.move(source, target)
