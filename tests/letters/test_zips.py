"""The print provider of 2020: zip files over SFTP, response files and acknowledgements (contract: letters 11)."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from notify.infra.container import Container
from notify.infra.objects import Details
from notify.infra.parts import Parts
from notify.infra.times import local_date, utc_now
from notify.letters.files import put
from notify.letters.printing import tasks as printing
from notify.letters.printing import zip_tasks
from notify.letters.printing.base import RetryablePrinterError
from notify.letters.printing.fake_response import FakeResponses, NoFreeNameError
from notify.letters.printing.responses import PrinterResponses, ResponseFileError, billing_day, parse
from notify.letters.printing.sftp import SftpServer, ZipPrinter
from notify.letters.printing.zip_notes import ZipNotes
from notify.letters.printing.zips import SizedLetter, ZipCollation, group, zip_name
from notify.settings import SettingsError
from tests.api import queued, with_settings
from tests.letters.rows import Letters
from tests.servers.sftp import PASSWORD, USER, SftpPrinter

ONE, TWO = UUID(int=1), UUID(int=2)
HOUR = timedelta(hours=1)


def sized(*letters: tuple[UUID, int]) -> list[SizedLetter]:
    return [SizedLetter(f"{number}.PDF", size, service) for number, (service, size) in enumerate(letters)]


@pytest.mark.parametrize(
    ("letters", "piles"),
    [
        ([], []),
        ([(ONE, 5), (ONE, 5)], [2]),
        ([(ONE, 5), (ONE, 5), (ONE, 1)], [2, 1]),  # the bytes
        ([(ONE, 1), (ONE, 1), (ONE, 1), (ONE, 1)], [3, 1]),  # the number
        ([(ONE, 1), (TWO, 1), (TWO, 1)], [1, 2]),  # the service
        ([(ONE, 1), (ONE, 99), (ONE, 1)], [1, 1, 1]),  # one that is too large
        ([(ONE, 10)], [1]),
    ],
)
def test_piles(letters: list[tuple[UUID, int]], piles: list[int]) -> None:
    assert [len(pile) for pile in group(sized(*letters), most_bytes=10, most_files=3)] == piles


def test_only_pdfs_are_sent() -> None:
    others = [SizedLetter("a.txt", 1, ONE), SizedLetter("b.pdf", 1, ONE)]
    assert [[one.key for one in pile] for pile in group(others, most_bytes=10, most_files=3)] == [["b.pdf"]]


def test_the_name_of_a_zip_file() -> None:
    pile = sized((ONE, 1), (ONE, 1))
    digest = base64.urlsafe_b64encode(hashlib.sha512(b"0.PDF1.PDF").digest())[:20].decode()
    name = zip_name(pile, "europe", 7, datetime(2020, 7, 15, 16, 30, tzinfo=UTC))
    assert name == f"NOTIFY.2020-07-15.E.007.{digest}.{ONE}.ZIP"


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[SftpPrinter]:
    with SftpPrinter(tmp_path / "printer") as server:
        yield server


def settings_of(sftp: SftpPrinter, **more: Any) -> dict[str, Any]:
    return {
        "letter_printer": "sftp",
        "ftp_host": "127.0.0.1",
        "ftp_port": sftp.port,
        "ftp_username": USER,
        "ftp_password": PASSWORD,
        "ftp_host_key": sftp.host_key,
        **more,
    }


@pytest.fixture
def changed(parts: Parts, sftp: SftpPrinter) -> Parts:
    return with_settings(parts, **settings_of(sftp))


@pytest.fixture
def letters(changed: Parts) -> Letters:
    return Letters(changed)


@pytest.fixture
def container(changed: Parts) -> Container:
    return Container(changed)


def names_in(zipped: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        assert archive.testzip() is None
        return archive.namelist()


def test_a_run_by_zip_files(letters: Letters, container: Container, sftp: SftpPrinter) -> None:
    older, newer = letters.add(age=3 * HOUR), letters.add(age=2 * HOUR)
    first = letters.add(age=2 * HOUR, postage="first")
    abroad = letters.add(age=2 * HOUR, postage="rest-of-world")
    letters.add(age=2 * HOUR, pdf=None)  # its PDF is not made yet
    others = [letters.add(age=2 * HOUR, key_type="test"), letters.add(age=2 * HOUR, status="cancelled"), letters.add()]
    queued(letters.parts)
    before = utc_now() - HOUR
    printing.collate_letter_pdfs_to_be_sent(container, before.isoformat())
    found = [arguments for name, arguments in queued(letters.parts) if name == "zip-and-send-letter-pdfs"]
    assert [arguments[1].split(".")[2] for arguments in found] == ["1", "2", "N"]
    assert found[1][0] == [letters.place(older).key, letters.place(newer).key]
    for arguments in found:
        zip_tasks.zip_and_send_letter_pdfs(container, *arguments)
    assert {letters.status(id_) for id_ in (older, newer, first, abroad)} == {"sending"}
    assert [letters.status(id_) for id_ in others] == ["created", "cancelled", "created"]
    assert sorted(sftp.files) == sorted(arguments[1] for arguments in found)
    assert names_in(sftp.files[found[1][1]]) == [key.rpartition("/")[2] for key in found[1][0]]
    folder = found[1][0][0].partition("/")[0]
    marker = letters.files.live.get(f"{folder}/zips_sent/{found[1][1]}.TXT")
    assert json.loads(marker) == found[1][0]


def one_zip(letters: Letters, number: int = 2) -> tuple[list[UUID], list[str], str]:
    ids = [letters.add(age=2 * HOUR) for _ in range(number)]
    ((name, keys),) = Container(letters.parts).get(ZipCollation).zip_files(utc_now() - HOUR)
    return ids, keys, name


def test_a_file_is_sent_once(letters: Letters, container: Container, sftp: SftpPrinter) -> None:
    _, keys, name = one_zip(letters)
    for _ in range(3):
        zip_tasks.zip_and_send_letter_pdfs(container, keys, name)
    assert sftp.writes == 1


def test_a_letter_is_in_one_file_only(letters: Letters, container: Container, sftp: SftpPrinter) -> None:
    """As when a run is begun a second time while the first one still sends."""
    (sent, _), keys, name = one_zip(letters)
    zip_tasks.zip_and_send_letter_pdfs(container, [letters.place(sent).key], "first.ZIP")
    zip_tasks.zip_and_send_letter_pdfs(container, keys, name)
    every = [entry for content in sftp.files.values() for entry in names_in(content)]
    assert len(every) == len(set(every)) == 2


def test_a_worker_that_is_killed_after_the_upload(
    letters: Letters, container: Container, sftp: SftpPrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, keys, name = one_zip(letters)
    with monkeypatch.context() as patch:
        patch.setattr(ZipPrinter, "_mark", _killed)
        with pytest.raises(KeyboardInterrupt):
            zip_tasks.zip_and_send_letter_pdfs(container, keys, name)
    letters.files.live.delete(f"{keys[0].partition('/')[0]}/zips_sent/{name}.TXT")
    assert [letters.status(id_) for id_ in ids] == ["created", "created"]
    zip_tasks.zip_and_send_letter_pdfs(container, keys, name)
    assert [letters.status(id_) for id_ in ids] == ["sending", "sending"]
    assert sftp.writes == 1


def _killed(*_: Any) -> None:
    raise KeyboardInterrupt


def _interrupted(letters: Letters, container: Container, monkeypatch: pytest.MonkeyPatch) -> tuple[list[UUID], str]:
    """Letters in a file that the printer has, of which the database does not know: the worker was killed, and its task
    lost.
    """
    ids, keys, name = one_zip(letters)
    with monkeypatch.context() as patch:
        patch.setattr(ZipPrinter, "_mark", _killed)
        with pytest.raises(KeyboardInterrupt):
            zip_tasks.zip_and_send_letter_pdfs(container, keys, name)
    letters.files.live.delete(f"{keys[0].partition('/')[0]}/zips_sent/{name}.TXT")
    assert {letters.status(id_) for id_ in ids} == {"created"}
    return ids, name


def _next_run(letters: Letters, container: Container) -> list[str]:
    """Another day's run, with a new letter; the names of its files."""
    files = list(container.get(ZipCollation).zip_files(utc_now() - HOUR + timedelta(days=1)))
    for name, keys in files:
        zip_tasks.zip_and_send_letter_pdfs(container, keys, name)
    assert list(container.get(ZipCollation).zip_files(utc_now())) == []
    return [file.name for file in files]


def test_the_next_run_finds_what_a_lost_task_has_sent(
    letters: Letters, container: Container, sftp: SftpPrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, name = _interrupted(letters, container, monkeypatch)
    later = letters.add(age=2 * HOUR)
    names = _next_run(letters, container)
    assert names[0] == name
    assert len(names) == 2
    assert {letters.status(id_) for id_ in (*ids, later)} == {"sending"}
    assert sftp.writes == 2
    assert [len(names_in(sftp.files[each])) for each in names] == [2, 1]


def test_a_file_that_the_printer_took_away_is_known_by_its_acknowledgement(
    letters: Letters, container: Container, sftp: SftpPrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, name = _interrupted(letters, container, monkeypatch)
    (sftp.folder / "notify" / name).unlink()
    respond(container, f"root/dispatch/{name.removesuffix('.ZIP')}.ACK.txt", "")
    assert _next_run(letters, container) == [name]
    assert {letters.status(id_) for id_ in ids} == {"sending"}
    assert sftp.writes == 1


def test_letters_of_an_unfinished_file_are_in_no_other(
    letters: Letters, container: Container, sftp: SftpPrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, name = _interrupted(letters, container, monkeypatch)
    keys = [letters.place(id_).key for id_ in ids]
    assert container.get(ZipPrinter).send(keys, "NOTIFY.another.ZIP") == 0
    assert list(sftp.files) == [name]
    with pytest.raises(zip_tasks.LettersFailedError, match=r"^0 letters"):
        zip_tasks._not_sent(container, keys, "NOTIFY.another.ZIP")
    assert {letters.status(id_) for id_ in ids} == {"created"}


def test_a_file_that_was_given_up_is_not_unfinished(letters: Letters, container: Container) -> None:
    _, keys, name = one_zip(letters)
    with pytest.raises(zip_tasks.LettersFailedError, match=r"^2 letters"):
        zip_tasks._not_sent(container, keys, name)
    notes = container.get(ZipNotes)
    assert notes.under_way() == []
    assert notes.forget_old() == 0
    letters.execute("UPDATE letter_zip_files SET ended_at = now() - interval '31 days'")
    assert notes.forget_old() == 1


@pytest.mark.parametrize("trouble", [{"fails": True}, {"cuts": 3}])
def test_a_file_that_does_not_arrive_is_tried_again(
    letters: Letters, container: Container, sftp: SftpPrinter, trouble: dict[str, Any]
) -> None:
    ids, keys, name = one_zip(letters)
    for attribute, value in trouble.items():
        setattr(sftp, attribute, value)
    with pytest.raises(RetryablePrinterError):
        zip_tasks.zip_and_send_letter_pdfs(container, keys, name)
    assert {letters.status(id_) for id_ in ids} == {"created"}
    for attribute in trouble:
        setattr(sftp, attribute, 0)
    zip_tasks.zip_and_send_letter_pdfs(container, keys, name)
    assert {letters.status(id_) for id_ in ids} == {"sending"}
    assert len(names_in(sftp.files[name])) == 2


def test_after_all_tries_the_letters_fail(letters: Letters, container: Container) -> None:
    ids, keys, name = one_zip(letters)
    with pytest.raises(zip_tasks.LettersFailedError):
        zip_tasks._not_sent(container, keys, name)
    assert {letters.status(id_) for id_ in ids} == {"technical-failure"}


def test_a_pdf_that_is_missing_fails_its_file(letters: Letters, container: Container, sftp: SftpPrinter) -> None:
    ids, keys, name = one_zip(letters)
    letters.files.live.delete(keys[0])
    with pytest.raises(zip_tasks.LettersFailedError):
        zip_tasks.zip_and_send_letter_pdfs(container, keys, name)
    assert {letters.status(id_) for id_ in ids} == {"technical-failure"}
    assert sftp.files == {}


@pytest.mark.parametrize(
    "change", [{"ftp_password": "wrong"}, {"ftp_port": 9}, {"ftp_host_key": "another"}], ids=["password", "port", "key"]
)
def test_a_server_that_is_not_the_printers(parts: Parts, sftp: SftpPrinter, change: dict[str, Any]) -> None:
    if change.get("ftp_host_key"):
        import asyncssh

        key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
        change = {"ftp_host_key": key}
    server = Container(with_settings(parts, **settings_of(sftp, **change))).get(SftpServer)
    with pytest.raises(RetryablePrinterError):
        server.send("a.ZIP", b"content")
    assert sftp.files == {}


def test_the_printer_must_be_known_outside_development(parts: Parts, sftp: SftpPrinter) -> None:
    changed = with_settings(parts, **settings_of(sftp, ftp_host_key="", notify_environment="live"))
    with pytest.raises(SettingsError, match="FTP_HOST_KEY"):
        Container(changed).get(SftpServer)


def test_what_another_program_reports(letters: Letters, container: Container) -> None:
    sent, failed, other = letters.add(), letters.add(), letters.add(status="delivered")
    zip_tasks.update_letter_notifications_to_sent(container, [letters.row(id_).reference for id_ in (sent, other)])  # type: ignore[misc]
    with pytest.raises(zip_tasks.LettersFailedError, match="1 letters"):
        zip_tasks.update_letter_notifications_to_error(container, [letters.row(failed).reference or ""])
    assert [letters.status(id_) for id_ in (sent, failed, other)] == ["sending", "technical-failure", "delivered"]


# -- response files


@pytest.mark.parametrize("line", ["A|Sent|1", "A|Sent|1|Sorted|x", "A|Sent|many|Sorted"])
def test_a_file_of_another_form(line: str) -> None:
    with pytest.raises(ResponseFileError, match=r"DVLA response file: x-rsp.txt has an invalid format"):
        parse("x-rsp.txt", line)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("NOTIFY-20200115093000-RSP.TXT", date(2020, 1, 15)),
        ("NOTIFY-20200715233059-RSP.TXT", date(2020, 7, 16)),
        ("root/NOTIFY-20200715225999-RSP.TXT", date(2020, 7, 15)),
    ],
)
def test_the_day_of_a_file(name: str, day: date) -> None:
    assert billing_day(name) == day


def test_a_name_without_a_day() -> None:
    for name in ("x-rsp.txt", "NOTIFY-20201315093000-RSP.TXT"):
        with pytest.raises(ResponseFileError):
            billing_day(name)


def respond(container: Container, name: str, content: str) -> None:
    container.get(PrinterResponses)._responses.put(name, content.encode(), Details())


def test_letters_get_the_status_of_the_file(letters: Letters, container: Container) -> None:
    sent, old, failed = letters.add(status="sending"), letters.add(status="sending", history=True), letters.add()
    name = "NOTIFY-20200115093000-RSP.TXT"
    lines = [f"{letters.row(id_).reference}|Sent|1|Sorted" for id_ in (sent, old)]
    respond(container, name, "\n".join([*lines, "A" * 16 + "|Sent|1|Unsorted"]))
    zip_tasks.update_letter_notifications_statuses(container, name)
    assert [letters.status(id_) for id_ in (sent, old)] == ["delivered", "delivered"]
    reference = letters.row(failed).reference
    respond(container, name, f"{reference}|Failed|1|Sorted")
    with pytest.raises(ResponseFileError, match=f"has failed letters with notification.reference .*{reference}"):
        zip_tasks.update_letter_notifications_statuses(container, name)
    assert letters.status(failed) == "temporary-failure"


def test_how_letters_were_posted_is_counted_once_per_file(letters: Letters, container: Container) -> None:
    name = "NOTIFY-20200115093000-RSP.TXT"
    for content in ("A|Sent|1|Sorted", "A|Sent|1|Sorted\nB|Sent|1|Unsorted\nC|Sent|1|sorted"):
        respond(container, name, content)
        zip_tasks.record_daily_sorted_counts(container, name)
    query = "SELECT billing_day::text, file_name, sorted_count, unsorted_count FROM daily_sorted_letter"
    assert letters.execute(query) == [("2020-01-15", name, 2, 1)]
    respond(container, name, "A|Sent|1|Mixed")
    with pytest.raises(ResponseFileError, match="unknown Sorted status"):
        zip_tasks.record_daily_sorted_counts(container, name)


def test_a_file_that_is_missing(container: Container) -> None:
    with pytest.raises(ResponseFileError, match="is missing"):
        zip_tasks.update_letter_notifications_statuses(container, "NOTIFY-20200115093000-RSP.TXT")


def test_zip_files_that_the_printer_has_not_acknowledged(letters: Letters, container: Container) -> None:
    today = local_date(utc_now())
    for name in ("NOTIFY.A", "NOTIFY.B"):
        put(letters.files.live, f"{today}/zips_sent/{name}.ZIP.TXT", b"[]")
    put(letters.files.live, f"{today - timedelta(days=1)}/zips_sent/NOTIFY.C.ZIP.TXT", b"[]")
    respond(container, "root/dispatch/NOTIFY.A.ACK.txt", "")
    assert container.get(PrinterResponses).check_acknowledgements() == ["NOTIFY.B"]


def test_a_response_file_in_the_place_of_the_printer(letters: Letters, container: Container) -> None:
    id_ = letters.add(status="sending", key_type="test")
    reference = letters.row(id_).reference or ""
    queued(letters.parts)
    zip_tasks.create_fake_letter_response_file(container, reference)
    found = queued(letters.parts)
    assert [name for name, _ in found] == ["update-letter-notifications-statuses", "record-daily-sorted-counts"]
    ((name,), _) = (arguments for _, arguments in found)
    assert parse(name, container.get(PrinterResponses)._responses.get(name).decode()) == [
        (reference, "Sent", 0, "sorted")
    ]
    zip_tasks.update_letter_notifications_statuses(container, name)
    zip_tasks.record_daily_sorted_counts(container, name)
    assert letters.status(id_) == "delivered"


def test_each_response_file_has_a_name_of_its_own(letters: Letters) -> None:
    parts = letters.parts
    bucket = parts.objects.bucket("fake-responses")
    now = datetime(2020, 1, 15, 9, 30, tzinfo=UTC)
    fake = FakeResponses(bucket, parts.queue, are_read=False, now=lambda: now)
    queued(parts)
    assert len({fake.write("A" * 16) for _ in range(30)}) == 30
    with pytest.raises(NoFreeNameError):
        fake.write("A" * 16)
    assert queued(parts) == []
