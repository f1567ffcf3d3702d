"""Letters uploaded as PDFs, and previews of letters (contract: internal-services 11.2, letters 13.1)."""

from __future__ import annotations

import base64
import io
import threading
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pypdfium2
import pytest

from notify.app import EXTENSION
from notify.infra.container import Container
from notify.letters import files
from notify.letters.files import LetterFiles, LetterRow, upload_key
from notify.letters.tasks import get_pdf_for_templated_letter
from notify.services.models import Service
from tests.api import queued
from tests.internal.admin import AdminClient, Factory
from tests.letters.pdfs import a_pdf

ADDRESS = "Ivy Green\n1 Oak Street\nNE1 1AA"
PAGE_SIZE = (1240, 1754)
"""Pixels of A4 at 150 dpi."""


@pytest.fixture
def live(factory: Factory) -> Service:
    return factory.service(restricted=False)


@pytest.fixture
def container(admin: AdminClient) -> Container:
    made: Container = admin.app.extensions[EXTENSION]
    return made


@pytest.fixture
def letter_files(container: Container) -> LetterFiles:
    return container.get(LetterFiles)


def upload(letter_files: LetterFiles, service: Service, pdf: bytes, **metadata: str) -> UUID:
    """A letter that the admin app has stored."""
    id_ = uuid4()
    files.put(
        letter_files.uploads, upload_key(service.id, id_), pdf, {"status": "valid", "page_count": "1", **metadata}
    )
    return id_


def body(service: Service, file_id: object, **changes: Any) -> dict[str, Any]:
    usual = {
        "postage": "first",
        "filename": "decision.pdf",
        "created_by": str(service.created_by_id),
        "file_id": str(file_id),
        "recipient_address": quote(ADDRESS),
    }
    return usual | changes


def send(admin: AdminClient, service: Service, file_id: object, *, status: int = 201, **changes: Any) -> Any:
    return admin.post(f"/service/{service.id}/send-pdf-letter", body(service, file_id, **changes), status=status)


def row(admin: AdminClient, id_: UUID) -> LetterRow:
    with admin.parts.database.connection() as connection:
        found = connection.execute(
            "SELECT reference, postage, created_at, key_type, notification_status FROM notifications WHERE id = %s",
            (id_,),
        ).fetchone()
    assert found is not None
    return LetterRow(*found)


def test_an_uploaded_letter_is_ready_for_the_print_run(
    admin: AdminClient, live: Service, letter_files: LetterFiles
) -> None:
    pdf = a_pdf(3)
    id_ = upload(letter_files, live, pdf)
    queued(admin.parts)
    assert send(admin, live, id_, postage="europe") == {"id": str(id_)}
    letter = row(admin, id_)
    assert (letter.notification_status, letter.postage) == ("created", "europe")
    place = letter_files.place(letter)
    assert (place.bucket, place.bucket.get(place.key)) == (letter_files.live, pdf)
    assert not files.exists(letter_files.uploads, upload_key(live.id, id_))
    shown = admin.get(f"/service/{live.id}/notifications/{id_}")
    assert (shown["billable_units"], shown["to"], shown["international"]) == (2, ADDRESS, False)
    assert (shown["client_reference"], shown["personalisation"]) == ("decision.pdf", {"address_line_1": "decision.pdf"})
    assert queued(admin.parts) == []  # there is nothing left to make


def test_clicks_at_the_same_time_send_one_letter(admin: AdminClient, live: Service, letter_files: LetterFiles) -> None:
    pdf = a_pdf(7)
    id_ = upload(letter_files, live, pdf)
    answers: list[Any] = []

    def click() -> None:
        answers.append(admin.call("POST", f"/service/{live.id}/send-pdf-letter", body=body(live, id_)))

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.get_json() for answer in answers] == [{"id": str(id_)}] * 4
    place = letter_files.place(row(admin, id_))
    assert [key for key in letter_files.live.keys() if letter_files.live.get(key) == pdf] == [place.key]  # noqa: SIM118


def test_what_is_refused_stays_where_it_is(
    admin: AdminClient, factory: Factory, live: Service, letter_files: LetterFiles
) -> None:
    id_ = upload(letter_files, live, a_pdf())
    other = factory.user(name="Bea")
    refused = send(admin, live, id_, status=400, created_by=str(other.id))
    assert refused["message"] == f'Can’t create notification - Bea is not part of the "{live.name}" service'
    assert send(admin, live, id_, status=404, created_by="nobody")["message"] == "No result found"
    assert send(admin, live, "one", status=404)["message"] == "No result found"
    trial = factory.service()
    assert "trial mode" in send(admin, trial, id_, status=400)["message"]
    assert files.exists(letter_files.uploads, upload_key(live.id, id_))


@pytest.mark.parametrize("pdf", [None, b"no PDF"])
def test_without_a_file_nothing_is_sent(
    admin: AdminClient, live: Service, letter_files: LetterFiles, pdf: bytes | None
) -> None:
    id_ = uuid4() if pdf is None else upload(letter_files, live, pdf)
    send(admin, live, id_, status=500)
    admin.get(f"/service/{live.id}/notifications/{id_}", status=404)


# -- what letters look like


def preview(admin: AdminClient, service: Service, id_: object, kind: str, **query: Any) -> tuple[bytes, Any]:
    shown = admin.get(f"/service/{service.id}/template/preview/{id_}/{kind}", query)
    return base64.b64decode(shown["content"]), shown["metadata"]


def picture_size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def test_a_letter_of_a_template_is_shown_as_people_see_it(
    admin: AdminClient, factory: Factory, live: Service, container: Container
) -> None:
    template = factory.template(live, "letter", content="Dear ((name))\n\n***\n\nGoodbye")
    values = {"name": "Ivy", "address_line_1": "Ivy", "address_line_2": "1 Oak St", "postcode": "NE1 1AA"}
    sent = {"template_id": str(template.id), "to": "Ivy", "personalisation": values}
    letter = admin.post(
        f"/service/{live.id}/send-notification", sent | {"created_by": str(live.created_by_id)}, status=201
    )
    pdf, metadata = preview(admin, live, letter["id"], "pdf")
    assert ("Dear Ivy" in text_of(pdf), metadata) == (True, {})
    assert picture_size(preview(admin, live, letter["id"], "png", page=2)[0]) == PAGE_SIZE
    beyond = admin.get(f"/service/{live.id}/template/preview/{letter['id']}/png", {"page": 3}, status=500)
    assert beyond["message"].startswith(f"Error generating preview letter for {letter['id']} Status code: 500")
    get_pdf_for_templated_letter(container, letter["id"])
    assert preview(admin, live, letter["id"], "pdf")[0] == pdf


def test_an_uploaded_letter_is_shown_as_it_is(admin: AdminClient, live: Service, letter_files: LetterFiles) -> None:
    pdf = a_pdf(2)
    id_ = upload(letter_files, live, pdf)
    send(admin, live, id_)
    assert preview(admin, live, id_, "pdf")[0] == pdf
    assert picture_size(preview(admin, live, id_, "png")[0]) == PAGE_SIZE
    assert preview(admin, live, id_, "png", page=2)[0] != preview(admin, live, id_, "png", page=1)[0]
    beyond = admin.get(f"/service/{live.id}/template/preview/{id_}/png", {"page": 3}, status=500)
    start = f"Error extracting requested page from PDF file for notification_id {id_} type png "
    assert beyond["message"].startswith(start)


def test_pages_that_cannot_be_printed_show_where_nothing_may_be(
    admin: AdminClient, live: Service, letter_files: LetterFiles
) -> None:
    pdf = a_pdf(2)
    id_ = upload(letter_files, live, pdf)
    send(admin, live, id_)
    before = {page: preview(admin, live, id_, "png", page=page)[0] for page in (1, 2)}
    with admin.parts.database.connection() as connection:
        connection.execute("UPDATE notifications SET notification_status = 'validation-failed' WHERE id = %s", (id_,))
    letter = row(admin, id_)
    name = files.file_name(letter.reference or "", letter.postage, letter.created_at)
    known = {"message": "content-outside-printable-area", "invalid_pages": "[2]", "page_count": "2"}
    files.put(letter_files.invalid, name, pdf, known)
    shown, metadata = preview(admin, live, id_, "pdf")
    assert (shown != pdf, metadata) == (True, known)
    assert preview(admin, live, id_, "png", page=1)[0] == before[1]
    assert preview(admin, live, id_, "png", page=2)[0] != before[2]


def test_only_pdf_and_png_are_shown_and_only_to_its_service(
    admin: AdminClient, factory: Factory, live: Service, letter_files: LetterFiles
) -> None:
    id_ = upload(letter_files, live, a_pdf())
    send(admin, live, id_)
    path = f"/service/{live.id}/template/preview/{id_}"
    assert admin.get(f"{path}/jpg", status=400)["message"] == {"content": ["file_type must be pdf or png"]}
    admin.get(f"/service/{factory.service().id}/template/preview/{id_}/pdf", status=404)
    admin.get(f"/service/{live.id}/template/preview/{uuid4()}/pdf", status=404)


def test_a_letter_without_a_file_cannot_be_shown(admin: AdminClient, live: Service, letter_files: LetterFiles) -> None:
    id_ = upload(letter_files, live, a_pdf())
    send(admin, live, id_)
    stored = letter_files.find(row(admin, id_))
    stored.bucket.delete(stored.key)
    admin.get(f"/service/{live.id}/template/preview/{id_}/pdf", status=500)
