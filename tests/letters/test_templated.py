"""The PDFs of templated letters: where they are stored, and the status of their letters (contract: letters 8.1)."""

from __future__ import annotations

import io
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pikepdf
import pytest
from structlog.testing import capture_logs

from notify.branding.models import LetterBranding, ServiceLetterBranding
from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.times import utc_now
from notify.letters import files
from notify.letters.files import LetterFiles, LetterRow, upload_key
from notify.letters.reading import LetterPdfs
from notify.letters.render.errors import LogoError
from notify.letters.tasks import get_pdf_for_templated_letter
from notify.letters.templated import TemplatedLetters
from notify.letters.work import MOST_INTERRUPTED
from notify.messages.accept.base import Caller
from notify.messages.accept.letter import LetterAcceptor
from notify.messages.errors import PdfNotReadyError
from notify.messages.queries import MessageReader
from notify.services.cache import ServiceCache
from notify.templates.actions import create_template
from notify.templates.attachments import add_attachment
from tests.api import Api, errors, queued, with_settings
from tests.letters.pdfs import a_pdf

ADDRESS = {"address_line_1": "Amala Bird", "address_line_2": "1 Oak Street", "postcode": "NE1 1AA"}


@pytest.fixture
def letter_files(api: Api) -> LetterFiles:
    return api.container.get(LetterFiles)


def template(api: Api, content: str = "Dear ((name))", **fields: Any) -> str:
    """A letter template of the demo service."""
    with api.parts.database.transaction() as session:
        made = create_template(
            session,
            service_id=UUID(api.service_id),
            template_type="letter",
            created_by_id=UUID(api.demo["user"]["id"]),
            **{"name": f"Letter {new_id()}", "subject": "A letter", "content": content, **fields},
        )
        return str(made.id)


def send(api: Api, template_id: str, *, key: str = "normal", **values: Any) -> UUID:
    personalisation = {"name": "Amala", **ADDRESS, **values}
    return api.sent("letter", template_id=template_id, personalisation=personalisation, key=key)


def row(api: Api, id_: UUID) -> LetterRow:
    query = "SELECT reference, postage, created_at, key_type, notification_status FROM notifications WHERE id = %s"
    return LetterRow(*api.execute(query, id_)[0])


def column(api: Api, id_: UUID, name: str) -> Any:
    return api.execute(f"SELECT {name} FROM notifications WHERE id = %s", id_)[0][0]  # noqa: S608


def make(api: Api, id_: UUID) -> None:
    get_pdf_for_templated_letter(api.container, str(id_))


def pages(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return len(opened.pages)


def pdf_of(api: Api, id_: UUID, key: str = "normal") -> bytes:
    answer = api.call("GET", f"/v2/notifications/{id_}/pdf", key=key)
    assert (answer.status_code, answer.content_type) == (200, "application/pdf"), answer.text
    return bytes(answer.data)


def test_a_letter_is_filed_for_the_print_run_and_priced(api: Api, letter_files: LetterFiles) -> None:
    id_ = send(api, template(api, "one\n\n***\n\ntwo\n\n***\n\nthree"))
    assert api.get(str(id_))["is_cost_data_ready"] is False
    make(api, id_)
    letter = row(api, id_)
    key = files.print_folder(letter.created_at) + files.file_name(letter.reference or "", "second", letter.created_at)
    pdf = letter_files.live.get(key)
    assert pdf_of(api, id_) == pdf
    assert pages(pdf) == 3
    shown = api.get(str(id_))
    assert (shown["status"], shown["is_cost_data_ready"]) == ("accepted", True)
    assert shown["cost_details"] == {"billable_sheets_of_paper": 2, "postage": "second"}
    assert letter.notification_status == "created"


def test_making_it_twice_changes_nothing(api: Api, letter_files: LetterFiles) -> None:
    id_ = send(api, template(api))
    make(api, id_)
    first = pdf_of(api, id_)
    make(api, id_)
    assert pdf_of(api, id_) == first
    assert column(api, id_, "billable_units") == 1
    assert column(api, id_, "interrupted") == 0


def test_a_letter_that_is_too_long_is_not_printed(api: Api, letter_files: LetterFiles) -> None:
    id_ = send(api, template(api, "\n\n***\n\n".join(["page"] * 11)))
    make(api, id_)
    letter = row(api, id_)
    assert letter.notification_status == "validation-failed"
    assert column(api, id_, "billable_units") == 0
    name = files.file_name(letter.reference or "", letter.postage, letter.created_at)
    assert letter_files.invalid.info(name).details.metadata == {
        "validation_status": "failed",
        "message": "letter-too-long",
        "page_count": "11",
    }
    assert not files.exists(letter_files.live, files.print_folder(letter.created_at) + name)
    assert pages(pdf_of(api, id_)) == 11
    shown = api.get(str(id_))
    assert (shown["status"], shown["cost_in_pounds"]) == ("validation-failed", 0.0)
    assert shown["completed_at"] is not None


def test_ten_pages_are_not_too_long(api: Api) -> None:
    id_ = send(api, template(api, "\n\n***\n\n".join(["page"] * 10)))
    make(api, id_)
    assert (row(api, id_).notification_status, column(api, id_, "billable_units")) == ("created", 5)


def test_a_letter_of_a_test_key_is_delivered_and_kept_apart(api: Api, letter_files: LetterFiles) -> None:
    queued(api.parts)
    id_ = send(api, template(api), key="test")
    make(api, id_)
    letter = row(api, id_)
    name = files.file_name(letter.reference or "", letter.postage, letter.created_at)
    assert letter.notification_status == "delivered"
    assert letter_files.test.get(name) == pdf_of(api, id_, "test")
    assert column(api, id_, "billable_units") == 0
    assert column(api, id_, "updated_at") == letter.created_at


def test_the_printing_firm_is_faked_where_that_is_set(api: Api) -> None:
    parts = with_settings(api.parts, test_letters_fake_delivery=True)
    container = Container(parts)
    id_ = _accept(container, api, template(api))
    assert row(api, id_).notification_status == "sending"
    assert column(api, id_, "updated_at") is None
    container.close()
    queued(api.parts)
    make(api, id_)
    assert queued(api.parts, "research-mode-tasks") == [("create-fake-letter-callback", [str(id_), 0, "second"])]


def _accept(container: Container, api: Api, template_id: str) -> UUID:
    service = container.get(ServiceCache).get(UUID(api.service_id))
    assert service is not None
    (key,) = (key for key in service.api_keys if key.key_type == "test")
    accepted = container.get(LetterAcceptor).accept(
        Caller(service, key), template_id=UUID(template_id), personalisation={"name": "A", **ADDRESS}, reference=None
    )
    return accepted.id


def test_a_letter_that_was_cancelled_is_left_alone(api: Api, letter_files: LetterFiles) -> None:
    id_ = send(api, template(api))
    api.execute("UPDATE notifications SET notification_status = 'cancelled' WHERE id = %s", id_)
    make(api, id_)
    assert column(api, id_, "billable_units") == 0
    answer = api.call("GET", f"/v2/notifications/{id_}/pdf")
    assert errors(answer) == [("PDFNotReadyError", "PDF not available yet, try again later")]


def test_attached_pages_count(api: Api, letter_files: LetterFiles) -> None:
    template_id, attachment_id = template(api), new_id()
    with api.parts.database.transaction() as session:
        add_attachment(
            session,
            attachment_id,
            template_id=UUID(template_id),
            created_by_id=UUID(api.demo["user"]["id"]),
            filename="more.pdf",
            page_count=2,
        )
    api.forget()
    id_ = send(api, template_id)
    with pytest.raises(LookupError, match="is missing"):  # and the task runs again
        make(api, id_)
    assert (row(api, id_).notification_status, column(api, id_, "interrupted")) == ("created", 0)
    files.put(letter_files.attachments, upload_key(api.service_id, attachment_id), a_pdf(2, ()))
    make(api, id_)
    assert (column(api, id_, "billable_units"), pages(pdf_of(api, id_))) == (2, 3)


def test_both_languages_are_printed(api: Api) -> None:
    welsh = {
        "letter_languages": "welsh_then_english",
        "letter_welsh_subject": "Llythyr",
        "letter_welsh_content": "Annwyl ((name))",
    }
    id_ = send(api, template(api, **welsh))
    make(api, id_)
    assert pages(pdf_of(api, id_)) == 2


def test_a_logo_that_is_not_there_is_waited_for(api: Api) -> None:
    branding = LetterBranding(id=new_id(), name=f"Logo {new_id()}", filename=f"{new_id()}-logo")
    with api.parts.database.transaction() as session:
        session.add(branding)
        session.flush()
        session.merge(ServiceLetterBranding(service_id=UUID(api.service_id), letter_branding_id=branding.id))
    id_ = send(api, template(api))
    with pytest.raises(LogoError):
        make(api, id_)
    api.execute("DELETE FROM service_letter_branding WHERE service_id = %s", api.service_id)
    make(api, id_)
    assert column(api, id_, "billable_units") == 1


def test_after_all_tries_a_letter_ends(api: Api) -> None:
    id_ = send(api, template(api))
    api.container.get(TemplatedLetters).give_up(id_)
    assert row(api, id_).notification_status == "technical-failure"
    answer = api.call("GET", f"/v2/notifications/{id_}/pdf")
    assert errors(answer) == [("BadRequestError", "PDF not available for letters in status technical-failure")]


def test_a_letter_that_brings_its_workers_down_is_not_taken_up_for_ever(api: Api) -> None:
    id_ = send(api, template(api))
    api.execute("UPDATE notifications SET interrupted = %s WHERE id = %s", MOST_INTERRUPTED, id_)
    make(api, id_)
    assert row(api, id_).notification_status == "technical-failure"


def test_an_unknown_letter_is_nothing(api: Api) -> None:
    make(api, new_id())


def test_the_pdf_of_a_test_letter_is_made_when_its_task_got_lost(api: Api) -> None:
    id_ = send(api, template(api), key="test")
    task = ("get-pdf-for-templated-letter", [str(id_)])
    deadline = time.monotonic() + 20
    while task not in queued(api.parts, "research-mode-tasks"):  # it is published in the background, and lost here
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for _ in range(2):  # asked for once: it may take a while
        assert api.call("GET", f"/v2/notifications/{id_}/pdf", key="test").status_code == 400
    assert queued(api.parts, "research-mode-tasks") == []  # it is too young
    api.execute("UPDATE notifications SET created_at = %s WHERE id = %s", utc_now() - timedelta(minutes=2), id_)
    for _ in range(2):
        assert api.call("GET", f"/v2/notifications/{id_}/pdf", key="test").status_code == 400
    assert queued(api.parts, "research-mode-tasks") == [task]


def test_a_pdf_is_not_ready_while_the_store_is_away(api: Api, tmp_path: Path) -> None:
    id_ = send(api, template(api))
    make(api, id_)
    away = with_settings(api.parts, object_store_url=f"file://{tmp_path}/objects")
    letters = Container(away).get(LetterPdfs)
    (tmp_path / "objects").write_text("no folder")
    message = api.container.get(MessageReader).get(UUID(api.service_id), id_)
    assert message is not None
    with pytest.raises(PdfNotReadyError):
        letters.read(message)
    away.close()


def test_characters_that_no_font_has_are_a_warning_without_the_text(api: Api) -> None:
    id_ = send(api, template(api, "Sincerely \U0010fffd"))
    with capture_logs() as logs:
        make(api, id_)
    (warning,) = [log for log in logs if log["event"] == "letter has characters that no font has"]
    assert (warning["log_level"], warning["notification_id"], warning["scripts"]) == ("warning", id_, ["UNKNOWN"])
    assert "Sincerely" not in repr(logs)
    assert pdf_of(api, id_)
