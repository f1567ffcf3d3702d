"""Links to files of email templates, in one-off messages and in jobs (contract: public-api 5.5, workers 12.3)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from notify.content.email import EmailTemplate
from notify.documents.antivirus import EICAR
from notify.documents.models import Document
from notify.infra.times import utc_now
from notify.services.models import Service
from notify.templates.models import EmailFile, Template
from tests.internal.admin import AdminClient, Factory

PDF = b"%PDF-1.7 a map"
LINK = "http://localhost:6011/d/"


@pytest.fixture
def live(factory: Factory) -> Service:
    return factory.service(restricted=False)


def attach(admin: AdminClient, template: Template, filename: str, content: bytes | None = PDF, **fields: Any) -> UUID:
    """Attach a file as the admin app does; its id."""
    place = f"/service/{template.service_id}/templates/{template.id}/template_email_files"
    body = {"filename": filename, "created_by_id": str(template.created_by_id), **fields}
    id_ = admin.post(place, body, status=201)["data"]["id"]
    admin.post(f"{place}/{id_}", {"pending": False})
    if content is not None:
        settings = admin.parts.settings
        admin.parts.objects.bucket(settings.s3_bucket_template_email_files).put(f"{template.service_id}/{id_}", content)
    return UUID(id_)


def send(admin: AdminClient, template: Template, *, status: int = 201, **values: Any) -> Any:
    body = {
        "template_id": str(template.id),
        "to": "Amala@example.com",
        "personalisation": values,
        "created_by": str(template.created_by_id),
    }
    return admin.post(f"/service/{template.service_id}/send-notification", body, status=status)


def body_of(admin: AdminClient, template: Template, id_: str) -> str:
    message = admin.get(f"/service/{template.service_id}/notifications/{id_}")
    return EmailTemplate(message["template"]["subject"], message["template"]["content"]).body(
        message["personalisation"]
    )


def documents(admin: AdminClient) -> list[Document]:
    from sqlalchemy import select

    with admin.parts.database.session() as session:
        return list(session.scalars(select(Document).order_by(Document.id)))


def test_a_file_becomes_a_link(admin: AdminClient, factory: Factory, live: Service) -> None:
    template = factory.template(live, "email", content="Dear ((name)), see ((the map.pdf)) and ((fees.csv)).")
    attach(admin, template, "the map.pdf", validate_users_email=False, retention_period=3)
    attach(admin, template, "fees.csv", b"a,b", link_text="the fees")
    before = len(documents(admin))
    id_ = send(admin, template, name="Ann", THE_map_PDF="http://elsewhere.example")["id"]
    body = body_of(admin, template, id_)
    assert body.startswith(f"Dear Ann, see {LINK}")
    assert f"and [the fees]({LINK}" in body
    assert "elsewhere" not in body
    kept = documents(admin)[before:]
    assert sorted(round((row.available_until - utc_now()).days / 7) for row in kept) == [1, 3]
    assert sorted(row.confirmation_hash is None for row in kept) == [False, True]
    path = body.split("see http://localhost:6011")[1].split(" and")[0]
    client = admin.app.test_client()
    assert client.get(path).status_code == 200
    assert client.get(path.replace("?", "/file?")).data == PDF


def test_a_template_that_is_only_a_file(admin: AdminClient, factory: Factory, live: Service) -> None:
    template = factory.template(live, "email", content="((map.pdf))")
    attach(admin, template, "map.pdf")
    assert body_of(admin, template, send(admin, template)["id"]).startswith(LINK)


def test_nothing_is_kept_of_a_message_that_is_refused(admin: AdminClient, factory: Factory, live: Service) -> None:
    template = factory.template(live, "email", content="((map.pdf)) for ((name))")
    attach(admin, template, "map.pdf")
    before = len(documents(admin))
    assert send(admin, template, status=400)["message"] == "Missing personalisation: name"
    assert len(documents(admin)) == before


def test_pending_and_archived_files_are_no_files(admin: AdminClient, factory: Factory, live: Service) -> None:
    template = factory.template(live, "email", content="((map.pdf))")
    id_ = attach(admin, template, "map.pdf")
    place = f"/service/{template.service_id}/templates/{template.id}/template_email_files"
    admin.post(f"{place}/{id_}/archive", {"archived_by_id": str(template.created_by_id)})
    assert send(admin, template, status=400)["message"] == "Missing personalisation: map.pdf"


def test_an_infected_file_is_not_sent(admin: AdminClient, factory: Factory, live: Service) -> None:
    template = factory.template(live, "email", content="((map.txt))")
    attach(admin, template, "map.txt", b"x" + EICAR)
    assert send(admin, template, status=400)["message"] == "File did not pass the virus scan"


def test_a_file_that_is_missing_is_a_fault_of_the_server(admin: AdminClient, factory: Factory, live: Service) -> None:
    template = factory.template(live, "email", content="((map.pdf))")
    attach(admin, template, "map.pdf", None)
    send(admin, template, status=500)


def test_an_older_version_has_the_files_that_it_had(admin: AdminClient, factory: Factory, live: Service) -> None:
    from notify.templates.queries import load_template

    template = factory.template(live, "email", content="((map.pdf))")
    file_id = attach(admin, template, "map.pdf")
    place = f"/service/{template.service_id}/templates/{template.id}/template_email_files"
    admin.post(f"{place}/{file_id}", {"retention_period": 9})
    with admin.parts.database.session() as session:
        assert session.get_one(EmailFile, file_id).template_version == 2
        weeks = []
        for version in (1, 2, None):
            found = load_template(session, template.service_id, template.id, version)
            assert found is not None
            weeks.append([file.retention_weeks for file in found.email_files])
    assert weeks == [[1], [9], [9]]
