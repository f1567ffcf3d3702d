"""Periodic tasks for jobs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notify.infra.ids import new_public_id
from notify.infra.objects import ObjectMissingError
from notify.infra.times import utc_now
from notify.jobs import maintenance
from notify.jobs.process import JobProcessor
from notify.jobs.tasks import (
    check_for_missing_rows_in_completed_jobs,
    check_job_status,
    delete_unused_job_files,
    process_job,
    remove_letter_jobs,
    remove_sms_email_jobs,
    run_scheduled_jobs,
    update_status_of_fully_processed_jobs,
)
from notify.services.models import DataRetention
from tests.api import queued
from tests.jobs.conftest import Office
from tests.jobs.test_process import numbers_csv


def published(office: Office, task: str) -> list[str]:
    found = [args for name, args in queued(office.parts) if name == task]
    return [str(args[0]) if isinstance(args[0], str) else str(args[0][0]) for args in found]


def test_scheduled_jobs_start_when_they_are_due(office: Office) -> None:
    template = office.factory.template(office.service())
    in_an_hour = (utc_now() + timedelta(hours=1)).isoformat()
    due, later = (office.job(template, numbers_csv(1), rows=1, scheduled_for=in_an_hour) for _ in range(2))
    office.change(due, scheduled_for=utc_now() - timedelta(seconds=1))
    queued(office.parts)
    run_scheduled_jobs(office.container)
    run_scheduled_jobs(office.container)
    assert published(office, "process-job") == [str(due)]
    assert office.look(due).job_status == "pending"
    assert office.look(later).job_status == "scheduled"


def test_lost_jobs_are_published_again(office: Office) -> None:
    template = office.factory.template(office.service())
    stalled, working, waiting = (office.job(template, numbers_csv(1), rows=1) for _ in range(3))
    now = utc_now()
    office.change(stalled, job_status="in progress", processing_started=now, progressed_at=now - timedelta(minutes=3))
    office.change(working, job_status="in progress", processing_started=now - timedelta(hours=1), progressed_at=now)
    office.change(waiting, created_at=now - timedelta(minutes=6))
    queued(office.parts)
    check_job_status(office.container)
    found = queued(office.parts)
    assert ("process-incomplete-jobs", [[str(stalled)]]) in found
    assert ("process-job", [str(waiting)]) in found
    assert str(working) not in str(found)


@pytest.mark.parametrize(
    ("ago", "rows", "status"),
    [
        (timedelta(seconds=30), 2, "finished"),
        (timedelta(minutes=2), 2, "finished all notifications created"),
        (timedelta(minutes=2), 3, "finished"),
        (timedelta(hours=25), 2, "finished"),
    ],
)
def test_a_job_is_complete_when_all_messages_are_there(office: Office, ago: timedelta, rows: int, status: str) -> None:
    template = office.factory.template(office.service())
    job_id = office.job(template, numbers_csv(2), rows=rows)
    process_job(office.container, str(job_id))
    office.change(job_id, processing_finished=utc_now() - ago)
    update_status_of_fully_processed_jobs(office.container)
    assert office.look(job_id).job_status == status


def test_missing_rows_are_made(office: Office) -> None:
    template = office.factory.template(office.service())
    whole, partly = (office.job(template, numbers_csv(3), rows=3) for _ in range(2))
    for job_id in (whole, partly):
        process_job(office.container, str(job_id))
        office.change(job_id, processing_finished=utc_now() - timedelta(minutes=30))
    office.forget(partly, [1])
    queued(office.parts)
    check_for_missing_rows_in_completed_jobs(office.container)
    assert published(office, "process-missing-rows") == [str(partly)]
    assert office.look(whole).job_status == "finished all notifications created"


def test_rows_that_are_in_the_history_are_not_sent_again(office: Office) -> None:
    """A service that keeps messages for no days: they are gone the night after, within the day of the check."""
    job_id = office.job(office.factory.template(office.service(), content="Hello"), numbers_csv(3), rows=3)
    process_job(office.container, str(job_id))
    assert len(office.messages(job_id)) == 3
    office.change(job_id, processing_finished=utc_now() - timedelta(hours=3))
    with office.parts.database.connection() as connection:
        connection.execute(
            "WITH gone AS (DELETE FROM notifications WHERE job_id = %s AND job_row_number < 2 RETURNING *)"
            " INSERT INTO notification_history (id, job_id, job_row_number, service_id, template_id, template_version,"
            " key_type, notification_type, created_at) SELECT id, job_id, job_row_number, service_id, template_id,"
            " template_version, key_type, notification_type, created_at FROM gone",
            (job_id,),
        )
    office.container.get(JobProcessor).process_missing(job_id)
    assert len(office.messages(job_id)) == 1
    check_for_missing_rows_in_completed_jobs(office.container)
    assert str(job_id) not in published(office, "process-missing-rows")
    assert office.look(job_id).job_status == "finished all notifications created"


def test_files_go_after_their_retention(office: Office) -> None:
    service = office.service()
    office.factory.row(DataRetention(service_id=service.id, notification_type="email", days_of_retention=3))
    texts, emails = office.factory.template(service), office.factory.template(service, "email")
    letters = office.factory.template(service, "letter")
    jobs = {
        (template.template_type, days): office.job(template, "x\n", rows=1)
        for template in (texts, emails, letters)
        for days in (2, 4, 9)
    }
    for (_, days), job_id in jobs.items():
        office.change(job_id, created_at=utc_now() - timedelta(days=days))
    remove_sms_email_jobs(office.container)
    gone = {("sms", 9), ("email", 4), ("email", 9)}
    assert {key for key, job_id in jobs.items() if office.look(job_id).archived} == gone
    remove_letter_jobs(office.container)
    assert {key for key, job_id in jobs.items() if office.look(job_id).archived} == gone | {("letter", 9)}
    bucket = office.parts.objects.bucket(office.parts.settings.s3_bucket_csv_upload)
    for key, job_id in jobs.items():
        name = f"service-{service.id}-notify/{job_id}.csv"
        if key in gone | {("letter", 9)}:
            with pytest.raises(ObjectMissingError):
                bucket.info(name)
        else:
            assert bucket.get(name) == b"x\n"


def test_files_that_nothing_names_go(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    template = office.factory.template(office.service())
    used, archived, lost = (office.job(template, numbers_csv(1), rows=1) for _ in range(3))
    orphan = office.upload(template, numbers_csv(1), rows=1)
    office.change(archived, archived=True, job_status="finished")
    office.change(lost, archived=True, job_status="in progress")  # its file is still to be read
    lists = office.parts.objects.bucket(office.parts.settings.s3_bucket_contact_list)
    lists.put(f"service-{template.service_id}-notify/{new_public_id()}.csv", b"x")
    lists.put("other", b"x")
    bucket = office.parts.objects.bucket(office.parts.settings.s3_bucket_csv_upload)

    def left() -> set[str]:
        return {
            str(job_id)
            for job_id in (used, archived, lost, orphan)
            if any(str(job_id) in key for key in bucket.keys(f"service-{template.service_id}-notify"))
        }

    delete_unused_job_files(office.container)
    assert left() == {str(used), str(archived), str(lost), str(orphan)}  # somebody may be about to send it
    assert len(list(lists.keys())) == 2
    monkeypatch.setattr(maintenance, "UNUSED_AFTER", timedelta(seconds=-1))
    delete_unused_job_files(office.container)
    delete_unused_job_files(office.container)
    assert left() == {str(used), str(lost)}
    assert list(lists.keys()) == ["other"]
