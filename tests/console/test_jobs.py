"""Jobs in the console: progress, and the rows that failed."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from notify.infra.ids import new_public_id
from notify.infra.objects import Details
from notify.infra.times import utc_now
from notify.jobs.actions import create_job
from notify.jobs.files import JobFiles
from notify.jobs.process import JobProcessor
from tests.api import Api
from tests.console.test_api import ask, get

CSV = "phone number,name,date\n07700900401,Ann,Monday\nnone,Bo,Monday\n07700900402,,Monday\n07700900403,Cy,Monday\n"


def a_job(api: Api, rows: int = 4) -> UUID:
    """An uploaded file, and its job."""
    job_id, service_id = new_public_id(), UUID(api.service_id)
    metadata = {
        "original_file_name": "people.csv",
        "template_id": api.template("sms"),
        "notification_count": str(rows),
        "valid": "True",
    }
    bucket = api.parts.objects.bucket(api.parts.settings.s3_bucket_csv_upload)
    bucket.put(f"service-{service_id}-notify/{job_id}.csv", CSV.encode(), Details(metadata))
    with api.parts.database.transaction() as session:
        given = {"id": str(job_id), "created_by": api.demo["user"]["id"]}
        create_job(session, api.container.get(JobFiles), service_id, given, utc_now())
    return job_id


def shown(api: Api, job_id: UUID, query: str = "") -> dict[str, Any]:
    (found,) = [job for job in get(api, f"jobs{query}")["jobs"] if job["id"] == str(job_id)]
    return dict(found)


def test_a_job_shows_how_far_it_is(api: Api) -> None:
    job_id = a_job(api)
    waiting = shown(api, job_id)
    assert (waiting["status"], waiting["saved"], waiting["rows"], waiting["failed"]) == ("pending", 0, 4, [])
    api.container.get(JobProcessor).process(job_id)
    done = shown(api, job_id, f"?service={api.service_id}")
    assert (done["status"], done["file"], done["saved"]) == ("finished", "people.csv", 4)
    assert (done["states"], done["statuses"]) == ({"waiting": 2, "failed": 2}, {"created": 2, "validation-failed": 2})
    assert [(one["row"], one["status"]) for one in done["failed"]] == [
        (2, "validation-failed"),
        (3, "validation-failed"),
    ]
    assert ask(api, f"/data/messages/{done['failed'][0]['id']}").status_code == 200


def test_jobs_of_one_service_alone(api: Api) -> None:
    job_id = a_job(api)
    assert get(api, f"jobs?service={uuid4()}") == {"jobs": []}
    assert shown(api, job_id)["service"] == "Demo service"
    assert ask(api, "/data/jobs?service=nobody").status_code == 400
    assert ask(api, "/jobs").status_code == 200
