import base64
import re
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from notify.documents.antivirus import EICAR
from notify.documents.store import DocumentStore
from notify.jobs.process import JobProcessor
from notify.services.models import Service
from notify.templates.email_files import change_file, create_file
from tests.api import Api, errors
from tests.internal.admin import Factory

CONTENT = b"%PDF-1.4 the appointment"


def send_file(api: Api, **options: object) -> str:
    """Send an email with a file; the path of its link."""
    file = {"file": base64.b64encode(CONTENT).decode(), **options}
    answer = api.post("email", personalisation={"name": file, "date": "d", "parking": "no"})
    assert answer.status_code == 201, answer.text
    match = re.search(r"http://localhost:6011(/d/\S+?),", answer.get_json()["content"]["body"])
    assert match is not None
    return match[1]


@pytest.fixture
def contact(api: Api) -> None:
    api.execute("UPDATE services SET contact_link = 'https://help.example' WHERE id = %s", api.service_id)
    api.forget()


def page(path: str, name: str) -> str:
    parts = urlsplit(path)
    return f"{parts.path}/{name}?{parts.query}"


def confirm(client: FlaskClient, path: str, address: str) -> int:
    return client.post(page(path, "confirm-email-address"), data={"email_address": address}).status_code


def test_files_need_a_way_to_contact_the_service(api: Api) -> None:
    api.execute("UPDATE services SET contact_link = NULL WHERE id = %s", api.service_id)
    api.forget()
    file = {"file": base64.b64encode(CONTENT).decode()}
    answer = api.post("email", personalisation={"name": file, "date": "d", "parking": "no"})
    ((kind, text),) = errors(answer)
    assert kind == "BadRequestError"
    assert text == (
        "Send files by email has not been set up - add contact details for your service at "
        f"http://localhost:6012/services/{api.service_id}/service-settings/send-files-by-email"
    )


@pytest.mark.usefixtures("contact")
def test_the_file_is_given_to_whoever_knows_the_address(api: Api) -> None:
    path = send_file(api, filename="Your letter é.pdf")
    client = api.app.test_client()
    landing = client.get(path)
    assert "Demo service" in landing.text
    assert "https://help.example" in landing.text
    assert landing.headers["Referrer-Policy"] == "no-referrer"
    assert CONTENT not in landing.data
    assert client.get(page(path, "file")).status_code == 302
    assert confirm(client, path, "somebody@example.com") == 400
    assert confirm(client, path, "nonsense") == 400
    assert confirm(client, path, " Amala@Example.com ") == 303
    download = client.get(page(path, "download"))
    assert "Your letter é.pdf" in download.text
    file = client.get(page(path, "file"))
    assert file.data == CONTENT
    assert file.headers["Content-Type"] == "application/pdf"
    assert (
        file.headers["Content-Disposition"]
        == "attachment; filename=\"Your letter e.pdf\"; filename*=UTF-8''Your%20letter%20%C3%A9.pdf"
    )
    assert api.app.test_client().get(page(path, "file")).status_code == 302


@pytest.mark.usefixtures("contact")
def test_without_confirmation_the_link_is_enough(api: Api) -> None:
    path = send_file(api, confirm_email_before_download=False)
    assert api.app.test_client().get(page(path, "file")).data == CONTENT


@pytest.mark.usefixtures("contact")
def test_guessing_ends_after_ten_tries_for_an_hour(api: Api) -> None:
    path = send_file(api)
    client = api.app.test_client()
    for number in range(10):
        assert confirm(client, path, f"guess{number}@example.com") == 400
    for _ in range(3):
        locked = client.post(page(path, "confirm-email-address"), data={"email_address": "amala@example.com"})
        assert locked.status_code == 400
        assert "Try again in an hour" in locked.text
    later(api, minutes=59)
    assert confirm(client, path, "amala@example.com") == 400
    later(api, minutes=2)
    assert confirm(client, path, "amala@example.com") == 303


@pytest.mark.usefixtures("contact")
def test_after_the_hour_the_count_starts_again(api: Api) -> None:
    path = send_file(api)
    client = api.app.test_client()
    for _ in range(2):
        for number in range(9):
            assert confirm(client, path, f"guess{number}@example.com") == 400
        later(api, minutes=61)
    for number in range(10):
        assert confirm(client, path, f"guess{number}@example.com") == 400
    assert confirm(client, path, "amala@example.com") == 400


def later(api: Api, *, minutes: int) -> None:
    api.execute(
        "UPDATE documents SET confirmation_attempted_at = confirmation_attempted_at - make_interval(mins => %s)",
        minutes,
    )


@pytest.mark.usefixtures("contact")
@pytest.mark.parametrize(
    ("given", "shown", "header"),
    [
        ("\u202efdp.csv", "fdp.csv", "attachment; filename=\"fdp.csv\"; filename*=UTF-8''fdp.csv"),
        ("..\\../a/b\r\nc.pdf", "b c.pdf", "attachment; filename=\"b c.pdf\"; filename*=UTF-8''b%20c.pdf"),
        ('a"b.pdf', "a&#34;b.pdf", "attachment; filename=\"a_b.pdf\"; filename*=UTF-8''a%22b.pdf"),
        ("山.pdf", "山.pdf", "attachment; filename=\"file.pdf\"; filename*=UTF-8''%E5%B1%B1.pdf"),
        ("/.pdf", "file.pdf", "attachment; filename=\"file.pdf\"; filename*=UTF-8''file.pdf"),
    ],
)
def test_names_of_files_are_shown_as_they_are(api: Api, given: str, shown: str, header: str) -> None:
    path = send_file(api, filename=given, confirm_email_before_download=False)
    client = api.app.test_client()
    download = client.get(page(path, "download")).text
    assert shown in download
    assert "\u202e" not in download
    assert client.get(page(path, "file")).headers["Content-Disposition"] == header


@pytest.mark.usefixtures("contact")
def test_links_that_lead_nowhere(api: Api) -> None:
    path = send_file(api)
    client = api.app.test_client()
    assert client.get(path[:-3] + "AAA").status_code == 404
    assert client.get("/d/x/y?key=z").status_code == 404
    assert client.get(urlsplit(path).path).status_code == 404
    api.execute("UPDATE documents SET available_until = now() - interval '1 s'")
    assert client.get(path).status_code == 410


@pytest.mark.usefixtures("contact")
def test_files_are_unreadable_where_they_are_kept_and_go_when_their_time_is_over(api: Api) -> None:
    from notify.infra.times import utc_now

    send_file(api)
    keys = list(api.parts.objects.keys(f"documents/{api.service_id}"))
    assert keys
    assert all(CONTENT not in api.parts.objects.get(key) for key in keys)
    api.execute("UPDATE documents SET available_until = now() - interval '1 s'")
    assert api.container.get(DocumentStore).delete_expired(utc_now()) == len(keys)
    assert list(api.parts.objects.keys(f"documents/{api.service_id}")) == []


@pytest.mark.usefixtures("contact")
def test_a_simulated_recipient_gets_a_link_that_leads_nowhere(api: Api) -> None:
    answer = api.post(
        "email",
        email_address="simulate-delivered@notifications.service.gov.uk",
        personalisation={"name": {"file": base64.b64encode(CONTENT).decode()}, "date": "d", "parking": "no"},
    )
    assert f"/services/{api.service_id}/documents/test-document" in answer.get_json()["content"]["body"]


@pytest.mark.usefixtures("contact")
def test_an_infected_file_is_refused(api: Api) -> None:
    file = {"file": base64.b64encode(b"x" + EICAR).decode()}
    answer = api.post("email", personalisation={"name": file, "date": "d", "parking": "no"})
    assert errors(answer) == [("BadRequestError", "File did not pass the virus scan")]


@pytest.fixture
def template_id(api: Api) -> str:
    """An email template with a file."""
    with api.parts.database.session() as session:
        service = session.get_one(Service, UUID(api.service_id))
    template = Factory(api.parts).template(service, "email", content="For ((name)): ((the map.pdf))")
    with api.parts.database.transaction() as session:
        values = {"filename": "the map.pdf", "created_by_id": template.created_by_id}
        file_id = create_file(session, service.id, template.id, values).id
        change_file(session, file_id, {"pending": False})
    bucket = api.parts.objects.bucket(api.parts.settings.s3_bucket_template_email_files)
    bucket.put(f"{api.service_id}/{file_id}", CONTENT)
    return str(template.id)


@pytest.mark.parametrize("key", ["normal", "test"])
def test_files_of_the_template_become_links(api: Api, template_id: str, key: str) -> None:
    to = "simulate-delivered@notifications.service.gov.uk"
    before = api.execute("SELECT count(*) FROM documents")[0][0]
    answer = api.post("email", key=key, email_address=to, template_id=template_id)
    match = re.search(r"http://localhost:6011(/d/\S+)", answer.get_json()["content"]["body"])
    assert match is not None
    client = api.app.test_client()
    assert confirm(client, match[1], "somebody@example.com") == 400
    assert confirm(client, match[1], to) == 303
    assert client.get(page(match[1], "file")).data == CONTENT
    assert api.execute("SELECT count(*) FROM documents")[0][0] == before + 1


def test_a_message_that_is_refused_keeps_no_copy(api: Api, template_id: str) -> None:
    before = api.execute("SELECT count(*) FROM documents")[0][0]
    answer = api.post("email", template_id=template_id, personalisation={"The Map.pdf": "x"})
    assert errors(answer) == [("BadRequestError", "Missing personalisation: name")]
    assert api.execute("SELECT count(*) FROM documents")[0][0] == before


def test_a_file_that_is_sent_takes_no_place_of_the_templates(api: Api, template_id: str) -> None:
    file = {"file": base64.b64encode(b"%PDF-1.4 another").decode()}
    id_ = api.sent("email", template_id=template_id, personalisation={"name": "Ann", "the_map.pdf": file})
    path = api.get(str(id_))["body"].split("http://localhost:6011")[1]
    client = api.app.test_client()
    assert confirm(client, path, "amala@example.com") == 303
    assert client.get(page(path, "file")).data == CONTENT


def test_files_of_the_template_become_links_in_a_request_for_many(api: Api, template_id: str) -> None:
    api.execute("UPDATE services SET restricted = false WHERE id = %s", api.service_id)
    api.forget()
    body = {"name": "Maps", "template_id": template_id, "rows": [["email address", "name"], ["a@example.com", "Ann"]]}
    answer = api.call("POST", "/v2/notifications/bulk", body)
    assert answer.status_code == 201, answer.text
    job_id = UUID(answer.get_json()["data"]["id"])
    api.container.get(JobProcessor).process(job_id)
    ((id_,),) = api.execute("SELECT id FROM notifications WHERE job_id = %s", job_id)
    assert "For Ann: http://localhost:6011/d/" in api.get(str(id_))["body"]
