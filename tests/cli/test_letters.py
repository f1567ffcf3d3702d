"""Letters from a terminal."""

from __future__ import annotations

import csv
from pathlib import Path
from uuid import UUID

import pytest

from notify.infra.parts import Parts
from notify.letters.files import put
from notify.letters.printing.responses import PrinterResponses
from tests.api import queued, with_settings
from tests.cli.terminal import made, refused, run
from tests.letters.rows import Letters, keys_of

pytestmark = pytest.mark.usefixtures("terminal")


@pytest.fixture
def letters(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Letters:
    monkeypatch.setenv("NOTIFICATION_QUEUE_PREFIX", parts.settings.notification_queue_prefix)
    monkeypatch.setenv("NOTIFY_DATA_DIR", str(parts.settings.notify_data_dir))
    return Letters(parts)


@pytest.mark.parametrize("hyphen", ["-", "_"])
@pytest.mark.parametrize(
    ("command", "task"),
    [
        ("replay-create-pdf-for-templated-letter", "get-pdf-for-templated-letter"),
        ("recreate-pdf-for-precompiled-or-uploaded-letter", "resanitise-pdf"),
        ("print-letter", "deliver_letter"),
    ],
)
def test_a_letter_is_queued_again(letters: Letters, command: str, task: str, hyphen: str) -> None:
    id_ = letters.add()
    queued(letters.parts)
    assert made(command.replace("-", hyphen), "-n", str(id_))["queued"] == str(id_)
    assert queued(letters.parts) == [(task, [str(id_)])]
    assert "there is no letter" in refused(command, "-n", str(UUID(int=1)))


def test_only_a_letter_that_waits_is_printed(letters: Letters) -> None:
    assert "sending" in refused("print-letter", "-n", str(letters.add(status="sending")))


def test_a_run_is_begun(letters: Letters) -> None:
    queued(letters.parts)
    deadline = made("run-print")["deadline_utc"]
    assert queued(letters.parts) == [("collate-letter-pdfs-to-be-sent", [deadline])]


def test_letters_by_the_names_of_their_files(letters: Letters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    live, old = letters.add(status="sending"), letters.add(status="sending", history=True)
    lines = [letters.place(id_).key.rpartition("/")[2] for id_ in (live, old)]
    (tmp_path / "names.txt").write_text("\n".join([*lines, "NOTIFY.AAAAAAAAAAAAAAAA.D.2.C.20200101000000.PDF", ""]))
    found = made("get-notification-and-service-ids-for-letters-that-failed-to-print", "-f", "names.txt")
    assert found == {"found": 2, "of": 3, "file": "zips_sent_details.csv"}
    rows = list(csv.DictReader((tmp_path / "zips_sent_details.csv").open()))
    assert {row["notification_id"] for row in rows} == {str(live), str(old)}
    assert {row["service_id"] for row in rows} == {str(letters.service_id)}


def test_returned_letters(letters: Letters, tmp_path: Path) -> None:
    file = tmp_path / "returned.txt"
    file.write_text("AAAAAAAAAAAAAAA1\n\nAAAAAAAAAAAAAAA2\nAAAAAAAAAAAAAAA1\n")
    queued(letters.parts)
    assert made("report-returned-letters", "-f", str(file)) == {"reported": 2}
    assert queued(letters.parts) == [("process-returned-letters-list", [["AAAAAAAAAAAAAAA1", "AAAAAAAAAAAAAAA2"]])]
    file.write_text("AAAAAAAAAAAAAAA1\nx\n")
    assert "x is no reference" in refused("report-returned-letters", "-f", str(file))
    assert queued(letters.parts) == []


def test_letters_that_no_scanner_could_look_at(letters: Letters) -> None:
    id_ = letters.add(status="technical-failure", pdf=None)
    put(letters.files.scan, f"ERROR/NOTIFY.{letters.row(id_).reference}.D.2.C.20200101000000.PDF", b"%PDF")
    result = run("replay-unscanned-letters")
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "replayed  1")
    assert letters.status(id_) == "pending-virus-check"
    assert not keys_of(letters.files.scan)[0].startswith("ERROR/")


def test_response_files_are_counted_again(letters: Letters) -> None:
    from notify.infra.container import Container

    bucket = Container(with_settings(letters.parts)).get(PrinterResponses)._responses
    for name in ("NOTIFY-20200115093000-RSP.TXT", "NOTIFY-20200116093000-rs.txt", "other.txt"):
        put(bucket, name, b"A|Sent|1|Sorted")
    queued(letters.parts)
    assert made("replay-daily-sorted-count-files") == {"queued": 1}
    assert queued(letters.parts) == [("record-daily-sorted-counts", ["NOTIFY-20200116093000-rs.txt"])]
    assert made("replay-daily-sorted-count-files", "-f", "txt") == {"queued": 2}
