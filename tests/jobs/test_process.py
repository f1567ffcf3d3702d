"""Processing jobs: every row becomes one message, however often and by however many workers it is processed."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from notify.accounts.models import User
from notify.documents.antivirus import EICAR
from notify.infra.times import utc_now
from notify.jobs import process, rows
from notify.jobs.models import Job
from notify.jobs.process import JobProcessor
from notify.jobs.tasks import process_incomplete_jobs, process_job, process_missing_rows
from notify.messages.store import write_messages
from notify.services.limits import LIVE_LIMITS
from notify.templates.email_files import change_file, create_file
from notify.templates.models import Template
from tests.api import queued
from tests.jobs.conftest import Office


def numbers_csv(count: int) -> str:
    return "phone number,name\r\n" + "".join(f"07700 9{n:05},Ann\r\n" for n in range(count))


def test_rows_become_messages(office: Office) -> None:
    template = office.factory.template(office.service())
    job_id = office.job(
        template,
        "Phone_Number,NAME,reference\r\n07700 900 401, Ann ,a-1\r\n+33612345678,Bo,\r\n0201234,Cy,\r\n",
        rows=3,
    )
    process_job(office.container, str(job_id))
    first, second, third = office.messages(job_id)
    assert (first.to, first.normalised_to, first.status) == ("07700 900 401", "447700900401", "created")
    assert first.personalisation == {"phonenumber": "07700 900 401", "name": "Ann"}
    assert (first.client_reference, second.client_reference) == ("a-1", None)
    assert (first.key_type, first.api_key, first.created_by) == ("normal", None, None)
    assert first.job is not None
    assert first.job.original_file_name == "people.csv"
    assert (second.status, second.phone_prefix, second.international) == ("created", "33", True)
    assert (third.status, third.to, third.billable_units) == ("validation-failed", "0201234", 0)
    job = office.look(job_id)
    assert job.job_status == "finished"
    assert job.processing_started is not None
    assert job.processing_finished is not None


def test_only_what_can_be_sent_is_published(office: Office) -> None:
    template = office.factory.template(office.service())
    queued(office.parts)
    job_id = office.job(template, "phone number,name\n07700900401,Ann\n12345,Bo\n07700900402,\n", rows=3)
    process_job(office.container, str(job_id))
    ids = {message.status: str(message.id) for message in office.messages(job_id)}
    assert set(ids) == {"created", "validation-failed"}
    deadline = threading.Event()
    found: list[Any] = []
    while not found and not deadline.wait(0.05):
        found = [args for task, args in queued(office.parts) if task == "deliver_sms"]
    assert found == [[[ids["created"]]]]


@pytest.mark.parametrize("lost", [range(0), range(3), range(5, 13)])
def test_a_worker_that_dies_is_followed_by_another(
    office: Office, monkeypatch: pytest.MonkeyPatch, lost: range
) -> None:
    monkeypatch.setattr(rows, "BATCH_ROWS", 4)
    template = office.factory.template(office.service())
    job_id = office.job(template, numbers_csv(13), rows=13)
    process_job(office.container, str(job_id))
    office.forget(job_id, lost)
    office.change(job_id, job_status="in progress", progressed_at=utc_now() - timedelta(minutes=3))
    before = office.numbers(job_id)
    process_incomplete_jobs(office.container, [str(job_id)])
    # it goes on after the last row that is there; what is missing before that is found later
    assert office.numbers(job_id) == (before if 12 in before else list(range(13)))
    assert office.look(job_id).job_status == "finished"
    process_missing_rows(office.container, str(job_id))
    assert office.numbers(job_id) == list(range(13))


def test_a_task_that_comes_again_resumes_a_lost_job_only(office: Office) -> None:
    template = office.factory.template(office.service())
    job_id = office.job(template, numbers_csv(3), rows=3)
    office.change(job_id, job_status="in progress", progressed_at=utc_now(), processing_started=utc_now())
    process_job(office.container, str(job_id))
    process_incomplete_jobs(office.container, [str(job_id)])
    assert office.numbers(job_id) == []
    office.change(job_id, progressed_at=utc_now() - timedelta(minutes=3))
    process_job(office.container, str(job_id))
    process_job(office.container, str(job_id))
    assert office.numbers(job_id) == [0, 1, 2]


def test_two_workers_at_one_job_double_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH_ROWS", 5)
    monkeypatch.setattr(process, "is_stalled", lambda job, _after: job.job_status == "in progress")
    template = office.factory.template(office.service(limits=LIVE_LIMITS))
    job_id = office.job(template, numbers_csv(200), rows=200)
    faults: list[BaseException] = []

    def work() -> None:
        try:
            office.container.get(JobProcessor).process(job_id)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert office.numbers(job_id) == list(range(200))
    assert office.look(job_id).job_status == "finished"


def test_a_cancelled_job_stops_between_batches(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH_ROWS", 2)
    template = office.factory.template(office.service())
    job_id = office.job(template, numbers_csv(6), rows=6)
    store = write_messages

    def store_and_cancel(session: Any, messages: Any) -> None:
        store(session, messages)
        session.get_one(Job, job_id).job_status = "cancelled"

    monkeypatch.setattr(process, "write_messages", store_and_cancel)
    process_job(office.container, str(job_id))
    assert office.numbers(job_id) == [0, 1]
    assert office.look(job_id).job_status == "cancelled"


def test_in_trial_mode_strangers_are_left_out(office: Office) -> None:
    service = office.factory.service()
    template = office.factory.template(service, "email")
    user = office.factory.session().get_one(User, service.created_by_id)
    job_id = office.job(
        template, f"email address,name\nstranger@example.com,Bo\n{user.email_address.upper()},Ann\n", rows=2
    )
    process_job(office.container, str(job_id))
    (only,) = office.messages(job_id)
    assert (only.job_row_number, only.status) == (1, "created")


@pytest.mark.parametrize(("sent", "status"), [(0, "finished"), (1, "sending limits exceeded")])
def test_the_limit_of_the_day(office: Office, sent: int, status: str) -> None:
    service = office.service()
    with office.parts.database.transaction() as session:
        session.merge(service).sms_message_limit = 3
    template = office.factory.template(service)
    if sent:
        process_job(office.container, str(office.job(template, numbers_csv(sent), rows=sent)))
    job_id = office.job(template, numbers_csv(3), rows=3)
    process_job(office.container, str(job_id))
    job = office.look(job_id)
    assert job.job_status == status
    assert job.processing_finished is not None
    assert len(office.numbers(job_id)) == (3 if status == "finished" else 0)


@pytest.mark.parametrize(
    "content", [b"phone number,name\n\xff\xfe,x\n", b"x," * 1200 + b"\n1\n", b'phone number,name\n"' + b"x" * 200_000]
)
def test_a_file_that_cannot_be_read_ends_the_job(office: Office, content: bytes) -> None:
    template = office.factory.template(office.service())
    job_id = office.job(template, content, rows=1)
    process_job(office.container, str(job_id))
    job = office.look(job_id)
    assert job.job_status == "error"
    assert job.processing_finished is not None


def test_a_missing_file_ends_the_job(office: Office) -> None:
    template = office.factory.template(office.service())
    job_id = office.job(template, numbers_csv(1), rows=1)
    bucket = office.parts.objects.bucket(office.parts.settings.s3_bucket_csv_upload)
    bucket.delete(f"service-{template.service_id}-notify/{job_id}.csv")
    process_job(office.container, str(job_id))
    assert office.look(job_id).job_status == "error"


@pytest.mark.parametrize(
    ("template_type", "content"),
    [
        ("sms", "name\nAnn\nBo\n"),
        ("sms", "phone number,other\n07700900401,Ann\n07700900402,Bo\n"),
        ("sms", "email address,name\nann@example.com,Ann\nbo@example.com,Bo\n"),
        ("email", "phone number,name\n07700900401,Ann\n07700900402,Bo\n"),
        ("letter", "address line 1,name\nAnn,Ann\nBo,Bo\n"),
    ],
)
def test_rows_of_a_file_without_a_needed_column_are_reported_and_not_sent(
    office: Office, template_type: str, content: str
) -> None:
    template = office.factory.template(office.service(), template_type, content="Dear ((name))")
    job_id = office.job(template, content, rows=2)
    queued(office.parts)
    process_job(office.container, str(job_id))
    assert office.look(job_id).job_status == "finished"
    assert [(message.job_row_number, message.status) for message in office.messages(job_id)] == [
        (0, "validation-failed"),
        (1, "validation-failed"),
    ]
    assert not [name for name, _ in queued(office.parts) if name.startswith(("deliver", "get-pdf"))]


def test_values_that_no_column_can_hold(office: Office) -> None:
    template = office.factory.template(office.service())
    content = "phone number,name,reference\n077009\x0000401,A\x00nn,r\x00-1\n07700900402,Bo,r-2\n"
    job_id = office.job(template, content, rows=2)
    process_job(office.container, str(job_id))
    assert [message.client_reference for message in office.messages(job_id)] == ["r-1", "r-2"]


def test_a_job_of_nothing(office: Office) -> None:
    process_job(office.container, str(uuid4()))
    process_missing_rows(office.container, str(uuid4()))
    template = office.factory.template(office.service())
    job_id = office.job(template, "phone number,name\n", rows=0)
    process_job(office.container, str(job_id))
    assert office.look(job_id).job_status == "finished"


def attached(office: Office, template: Template, filename: str, content: bytes | None, **fields: Any) -> None:
    """Attach a live file to an email template."""
    with office.parts.database.transaction() as session:
        values = {"filename": filename, "created_by_id": template.created_by_id, **fields}
        file = create_file(session, template.service_id, template.id, values)
        change_file(session, file.id, {"pending": False})
        file_id = file.id
    if content is not None:
        bucket = office.parts.objects.bucket(office.parts.settings.s3_bucket_template_email_files)
        bucket.put(f"{template.service_id}/{file_id}", content)


def test_files_of_the_template_become_links(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PERSONAL_BATCH_ROWS", 2)
    template = office.factory.template(office.service(), "email", content="((name)): ((The map.pdf)) ((fees.csv))")
    attached(office, template, "The map.pdf", b"%PDF-1.7", link_text="the map")
    attached(office, template, "fees.csv", b"a,b", validate_users_email=False)
    table = "email address,name,fees.csv\n" + "".join(f"{name}@example.com,{name},x\n" for name in "abc") + "no,d,\n"
    job_id = office.job(template, table, rows=4)
    process_job(office.container, str(job_id))
    *sent, bad = office.messages(job_id)
    assert [message.status for message in (*sent, bad)] == ["created"] * 3 + ["validation-failed"]
    maps = [str((message.personalisation or {})["themap.pdf"]) for message in sent]
    fees = {str((message.personalisation or {})["fees.csv"]) for message in sent}
    assert all(link.startswith("[the map](http://localhost:6011/d/") for link in maps)
    assert len(set(maps)) == 3  # each needs its recipient's address
    assert len(fees) == 1
    assert "themap.pdf" not in (bad.personalisation or {})
    assert office.look(job_id).job_status == "finished"


@pytest.mark.parametrize("content", [None, b"x" + EICAR])
def test_a_job_whose_template_has_a_file_that_cannot_be_sent_is_an_error(office: Office, content: bytes | None) -> None:
    template = office.factory.template(office.service(), "email", content="((map.pdf))")
    attached(office, template, "map.pdf", content)
    job_id = office.job(template, "email address\na@example.com\n", rows=1)
    process_job(office.container, str(job_id))
    assert office.numbers(job_id) == []
    assert office.look(job_id).job_status == "error"
