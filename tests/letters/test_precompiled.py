"""Precompiled letters: from the API to the print run (contract: public-api 6.5, letters 8.2, 9)."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from notify.documents.antivirus import EICAR
from notify.infra.container import Container
from notify.infra.objects import ObjectMissingError
from notify.letters import files
from notify.letters.files import LetterFiles, StoredLetter, original_key, upload_key
from notify.letters.sanitising import LetterSanitising
from notify.letters.tasks import resanitise_letter_attachment, resanitise_pdf, sanitise_letter, scan_file
from notify.letters.virus_scan import VirusScan
from notify.letters.work import MOST_INTERRUPTED
from tests.api import Api, errors, queued, with_settings
from tests.letters.pdfs import a_pdf
from tests.letters.test_templated import column, pages, pdf_of, row

PARIS = ("Amélie Oiseau", "1 Rue du Bac", "France")
LATER = "PDF not available yet, try again later"


@pytest.fixture
def letter_files(api: Api) -> LetterFiles:
    return api.container.get(LetterFiles)


@pytest.fixture(autouse=True)
def _no_tasks(api: Api) -> None:
    queued(api.parts)


def send(api: Api, pdf: bytes, *, key: str = "normal", **fields: Any) -> Any:
    body = {"reference": "mine", "content": base64.b64encode(pdf).decode(), **fields}
    return api.call("POST", "/v2/notifications/letter", body, key=key)


def sent(api: Api, pdf: bytes, *, key: str = "normal", **fields: Any) -> UUID:
    answer = send(api, pdf, key=key, **fields)
    assert answer.status_code == 201, answer.text
    return UUID(answer.get_json()["id"])


def name_of(api: Api, id_: UUID) -> str:
    letter = row(api, id_)
    return files.file_name(letter.reference or "", letter.postage, letter.created_at)


def check(api: Api, id_: UUID) -> None:
    """The tasks of a letter, one after the other."""
    name = name_of(api, id_)
    scan_file(api.container, name)
    for task, arguments in queued(api.parts, "letter-tasks"):
        assert (task, arguments) == ("sanitise-letter", [name])
        sanitise_letter(api.container, name)


def status(api: Api, id_: UUID) -> str:
    return row(api, id_).notification_status


def pdf_error(api: Api, id_: UUID) -> list[tuple[str, str]]:
    return errors(api.call("GET", f"/v2/notifications/{id_}/pdf"))


# -- accepting


def test_a_pdf_is_stored_and_scanned_next(api: Api, letter_files: LetterFiles) -> None:
    answer = send(api, b"anything")
    id_ = UUID(answer.get_json()["id"])
    assert answer.get_json() == {"id": str(id_), "reference": "mine", "postage": "second"}
    assert letter_files.scan.get(name_of(api, id_)) == b"anything"
    assert queued(api.parts) == [("scan-file", [name_of(api, id_)])]
    shown = api.get(str(id_))
    assert (shown["status"], shown["reference"], shown["line_1"]) == ("pending-virus-check", "mine", "Provided as PDF")
    assert (shown["body"], shown["subject"], shown["postage"]) == ("", "Pre-compiled PDF", "second")
    assert (shown["cost_details"], shown["cost_in_pounds"], shown["is_cost_data_ready"]) == ({}, None, False)
    assert pdf_error(api, id_) == [("PDFNotReadyError", LATER)]


@pytest.mark.parametrize(("postage", "code"), [("first", "1"), ("second", "2"), ("economy", "ECONOMY")])
def test_the_postage_is_in_the_name(api: Api, letter_files: LetterFiles, postage: str, code: str) -> None:
    answer = send(api, b"%PDF", postage=postage)
    assert answer.get_json()["postage"] == postage
    assert f".D.{code}.C." in (
        letter_files.find_unchecked(row(api, UUID(answer.get_json()["id"])).reference or "") or ""
    )


@pytest.mark.parametrize(
    ("fields", "key", "expected"),
    [
        ({"content": "a"}, "normal", [("BadRequestError", "Cannot decode letter content (invalid base64 encoding)")]),
        ({"content": 1}, "normal", [("ValidationError", "content 1 is not of type string")]),
        (
            {"postage": "europe"},
            "normal",
            [("ValidationError", "postage invalid. It must be either first, second or economy.")],
        ),
        ({}, "team", [("BadRequestError", "Cannot send letters with a team api key")]),
    ],
)
def test_what_is_refused_leaves_nothing(
    api: Api, letter_files: LetterFiles, fields: dict[str, Any], key: str, expected: list[tuple[str, str]]
) -> None:
    before = set(letter_files.scan.keys())
    assert errors(send(api, b"%PDF", key=key, **fields)) == expected
    assert set(letter_files.scan.keys()) == before
    assert queued(api.parts) == []


def test_a_day_that_is_used_up_leaves_nothing(api: Api, letter_files: LetterFiles) -> None:
    before = set(letter_files.scan.keys())
    api.execute("UPDATE services SET letter_message_limit = 0 WHERE id = %s", api.service_id)
    api.forget()
    answer = send(api, b"%PDF")
    api.execute("UPDATE services SET letter_message_limit = 1000 WHERE id = %s", api.service_id)
    api.forget()
    assert errors(answer) == [("TooManyRequestsError", "Exceeded send limits (letter: 0) for today")]
    assert set(letter_files.scan.keys()) == before


def test_base64_may_have_line_breaks(api: Api, letter_files: LetterFiles) -> None:
    id_ = UUID(send(api, b"", content="YW55\ndGhp bmc=").get_json()["id"])
    assert letter_files.scan.get(name_of(api, id_)) == b"anything"


# -- checking


def test_a_good_letter_is_filed_for_the_print_run(api: Api, letter_files: LetterFiles) -> None:
    pdf = a_pdf(3)
    id_ = sent(api, pdf, postage="first")
    name = name_of(api, id_)
    check(api, id_)
    letter = row(api, id_)
    assert (letter.notification_status, letter.postage) == ("created", "first")
    assert (column(api, id_, "billable_units"), column(api, id_, "international")) == (2, False)
    assert column(api, id_, "normalised_to") == "amalabird1oakstreetne11aa"
    filed = letter_files.live.get(files.print_folder(letter.created_at) + name)
    assert pages(filed) == 3
    assert pdf_of(api, id_) == filed
    assert letter_files.originals.get(original_key(id_)) == pdf
    assert not files.exists(letter_files.scan, name)
    shown = api.get(str(id_))
    assert (shown["status"], shown["cost_in_pounds"]) == ("accepted", 1.61)
    assert shown["cost_details"] == {"billable_sheets_of_paper": 2, "postage": "first"}


def test_every_step_can_run_again(api: Api, letter_files: LetterFiles) -> None:
    id_ = sent(api, a_pdf())
    check(api, id_)
    first = pdf_of(api, id_)
    check(api, id_)
    sanitise_letter(api.container, name_of(api, id_))
    assert pdf_of(api, id_) == first
    assert (status(api, id_), column(api, id_, "billable_units")) == ("created", 1)


def test_a_check_that_was_killed_before_its_end_is_done_again(api: Api, letter_files: LetterFiles) -> None:
    id_ = sent(api, a_pdf())
    name = name_of(api, id_)
    check(api, id_)
    # as if the status had not been written
    files.put(letter_files.scan, name, letter_files.originals.get(original_key(id_)))
    api.execute("UPDATE notifications SET notification_status = 'pending-virus-check' WHERE id = %s", id_)
    sanitise_letter(api.container, name)
    assert (status(api, id_), files.exists(letter_files.scan, name)) == ("created", False)
    # as if the file it came as had not been deleted
    files.put(letter_files.scan, name, b"%PDF")
    sanitise_letter(api.container, name)
    assert status(api, id_) == "created"


def test_a_letter_to_another_country_gets_its_postage(api: Api, letter_files: LetterFiles) -> None:
    id_ = sent(api, a_pdf(address=PARIS))
    check(api, id_)
    letter = row(api, id_)
    assert (letter.postage, column(api, id_, "international")) == ("europe", True)
    key = files.print_folder(letter.created_at) + name_of(api, id_)
    assert ".D.E.C." in key
    assert letter_files.live.get(key) == pdf_of(api, id_)


def test_a_service_that_sends_none_abroad_has_it_refused(api: Api, letter_files: LetterFiles) -> None:
    api.execute(
        "DELETE FROM service_permissions WHERE service_id = %s AND permission = 'international_letters'", api.service_id
    )
    id_ = sent(api, a_pdf(address=PARIS))
    check(api, id_)
    api.execute("INSERT INTO service_permissions VALUES (%s, 'international_letters', now())", api.service_id)
    assert status(api, id_) == "validation-failed"
    metadata = letter_files.invalid.info(name_of(api, id_)).details.metadata
    assert metadata == {"message": "cant-send-international-letters", "invalid_pages": "[1]", "page_count": "1"}


def test_a_file_that_is_no_letter_is_kept_among_the_invalid_ones(api: Api, letter_files: LetterFiles) -> None:
    id_ = sent(api, b"no PDF")
    name = name_of(api, id_)
    check(api, id_)
    assert (status(api, id_), column(api, id_, "billable_units")) == ("validation-failed", 0)
    assert letter_files.invalid.info(name).details.metadata == {"message": "unable-to-read-the-file"}
    assert not files.exists(letter_files.scan, name)
    assert pdf_of(api, id_) == b"no PDF"
    assert api.get(str(id_))["completed_at"] is not None


def test_a_letter_of_a_test_key_is_delivered_when_it_is_checked(api: Api, letter_files: LetterFiles) -> None:
    id_ = sent(api, a_pdf(), key="test")
    check(api, id_)
    assert (status(api, id_), column(api, id_, "billable_units")) == ("delivered", 1)
    assert letter_files.test.get(name_of(api, id_)) == pdf_of(api, id_, "test")


def test_a_letter_that_was_cancelled_stays_so(api: Api, letter_files: LetterFiles) -> None:
    id_ = sent(api, a_pdf())
    name = name_of(api, id_)
    api.execute("UPDATE notifications SET notification_status = 'cancelled' WHERE id = %s", id_)
    scan_file(api.container, name)
    sanitise_letter(api.container, name)
    assert status(api, id_) == "cancelled"
    assert files.exists(letter_files.scan, name)


def test_after_all_tries_a_letter_ends(api: Api, letter_files: LetterFiles) -> None:
    id_ = sent(api, a_pdf())
    name = name_of(api, id_)
    letter_files.scan.delete(name)
    with pytest.raises(ObjectMissingError):  # and the task runs again
        sanitise_letter(api.container, name)
    assert (status(api, id_), column(api, id_, "interrupted")) == ("pending-virus-check", 0)
    for _ in range(2):
        api.container.get(LetterSanitising).give_up(name)
        assert status(api, id_) == "technical-failure"


def test_a_letter_that_brings_its_workers_down_is_not_taken_up_for_ever(api: Api) -> None:
    id_ = sent(api, a_pdf())
    api.execute("UPDATE notifications SET interrupted = %s WHERE id = %s", MOST_INTERRUPTED, id_)
    sanitise_letter(api.container, name_of(api, id_))
    assert status(api, id_) == "technical-failure"


# -- viruses


def test_a_virus_is_put_aside(api: Api, letter_files: LetterFiles) -> None:
    id_ = sent(api, b"%PDF " + EICAR)
    name = name_of(api, id_)
    for _ in range(2):
        check(api, id_)
        assert status(api, id_) == "virus-scan-failed"
        assert letter_files.scan.get(f"FAILURE/{name}") == b"%PDF " + EICAR
        assert not files.exists(letter_files.scan, name)
    assert pdf_error(api, id_) == [("BadRequestError", "File did not pass the virus scan")]
    assert api.get(str(id_))["cost_in_pounds"] == 0.0


def test_what_cannot_be_scanned_is_put_aside_and_scanned_later(api: Api, letter_files: LetterFiles) -> None:
    id_ = sent(api, a_pdf())
    name = name_of(api, id_)
    scan = api.container.get(VirusScan)
    scan.give_up(name)
    assert status(api, id_) == "technical-failure"
    assert files.exists(letter_files.scan, f"ERROR/{name}")
    queued(api.parts)
    assert scan.replay_unscanned() == 1
    assert queued(api.parts) == [("scan-file", [name])]
    assert status(api, id_) == "pending-virus-check"
    assert scan.replay_unscanned() == 0
    check(api, id_)
    assert status(api, id_) == "created"


def test_a_replay_that_was_killed_continues(api: Api, letter_files: LetterFiles) -> None:
    id_ = sent(api, a_pdf())
    name = name_of(api, id_)
    # between the status and the file
    files.move(StoredLetter(letter_files.scan, name), StoredLetter(letter_files.scan, f"ERROR/{name}"))
    assert api.container.get(VirusScan).replay_unscanned() == 1
    assert files.exists(letter_files.scan, name)


def test_without_a_virus_scan_a_letter_is_checked_at_once(api: Api) -> None:
    parts = with_settings(api.parts, antivirus_enabled=False)
    Container(parts).get(VirusScan).publish("NAME", UUID(api.service_id))
    parts.close()
    assert queued(api.parts) == [("sanitise-letter", ["NAME"])]


def test_letters_that_wait_for_too_long_are_scanned_again(api: Api, letter_files: LetterFiles) -> None:
    ids = [sent(api, b"%PDF") for _ in range(4)]
    for id_, minutes in zip(ids, (9, 11, 119, 121), strict=True):
        name = name_of(api, id_)
        api.execute(
            "UPDATE notifications SET created_at = now() - %s * interval '1 minute' WHERE id = %s", minutes, id_
        )
        if minutes == 119:
            letter_files.scan.delete(name)
    queued(api.parts)
    stuck = api.container.get(VirusScan).rescan(oldest=timedelta(minutes=120))
    assert (ids[1] in stuck.rescanned, ids[2] in stuck.missing) == (True, True)
    assert not {ids[0], ids[3]} & {*stuck.rescanned, *stuck.missing}
    (names,) = zip(*[arguments for task, arguments in queued(api.parts) if task == "scan-file"], strict=True)
    assert any(files.reference_of(name) == row(api, ids[1]).reference for name in names)


# -- made again from the original


def test_a_letter_is_made_again_from_its_original(api: Api, letter_files: LetterFiles) -> None:
    id_ = sent(api, a_pdf())
    check(api, id_)
    before, place = pdf_of(api, id_), letter_files.find(row(api, id_))
    files.put(place.bucket, place.key, b"damaged")
    resanitise_pdf(api.container, str(id_))
    assert pdf_of(api, id_) == before
    files.put(letter_files.originals, original_key(id_), b"no PDF")
    resanitise_pdf(api.container, str(id_))
    assert pdf_of(api, id_) == before
    letter_files.originals.delete(original_key(id_))
    with pytest.raises(ObjectMissingError):
        resanitise_pdf(api.container, str(id_))


def test_an_attachment_is_made_again_from_its_original(api: Api, letter_files: LetterFiles) -> None:
    attachment_id = "01900000-0000-7000-8000-000000000001"
    files.put(letter_files.originals, original_key(attachment_id), a_pdf(2, ()))
    resanitise_letter_attachment(api.container, api.service_id, attachment_id, "more pages é.pdf")
    info = letter_files.attachments.info(upload_key(api.service_id, attachment_id))
    assert info.details.metadata == {"page_count": "2", "filename": "more%20pages%20%C3%A9.pdf"}


def test_metadata_is_as_the_admin_app_reads_it(api: Api, letter_files: LetterFiles) -> None:
    id_ = sent(api, a_pdf(2, ()))
    check(api, id_)
    metadata = letter_files.invalid.info(name_of(api, id_)).details.metadata
    assert metadata["message"] == "address-is-empty"
    assert json.loads(metadata["invalid_pages"]) == [1]
    assert metadata["page_count"] == "2"
