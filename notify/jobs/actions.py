"""Creating and cancelling jobs (contract: internal-jobs 1.5). Functions flush; the caller's transaction commits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PlainValidator
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from notify.content.letter_timings import is_too_late_to_cancel
from notify.infra.errors import BareProblemError, FieldProblemError, NotFoundProblemError, ProblemError
from notify.infra.objects import ObjectMissingError
from notify.infra.times import utc_now
from notify.infra.validation import Uuid, complain, parse_uuid, validate_fields
from notify.jobs.files import JobFiles
from notify.jobs.models import Job
from notify.messages.models import Notification
from notify.services.limits import LimitRequest
from notify.services.models import Service
from notify.templates.models import Template

LATEST: Final = timedelta(days=7)
_REQUIRED: Final = "Missing data for required field."
_FORMATS: Final = ("%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S")
CANCELLABLE: Final = frozenset(
    {
        "created",
        "cancelled",
        "virus-scan-failed",
        "validation-failed",
        "technical-failure",
        "pending-virus-check",
    }
)
"""Statuses of letters with which a job can still be cancelled."""


class LetterJobError(BareProblemError):
    """The letter job cannot be cancelled."""


def _moment(value: object) -> datetime:
    """A time in any common form; UTC if it has no offset."""
    if not isinstance(value, str) or len(value) > 100:
        raise complain("Not a valid datetime.")
    parsed = _parsed(value.strip())
    if parsed is None:
        raise complain("Not a valid datetime.")
    moment, now = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)), utc_now()
    if moment < now:
        raise complain("Date cannot be in the past")
    if moment > now + LATEST:
        raise complain("Date cannot be more than 7 days in the future")
    return moment.astimezone(UTC)


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None


class JobFields(BaseModel):
    """The fields of a job, from the request and the metadata of its file."""

    model_config = ConfigDict(extra="ignore")

    original_file_name: str
    notification_count: int
    created_by: Uuid
    scheduled_for: Annotated[datetime, PlainValidator(_moment)] | None = None
    contact_list_id: Uuid | None = None


def create_job(session: Session, files: JobFiles, service_id: UUID, given: Mapping[str, Any], now: datetime) -> Job:
    """Create a job from an uploaded file, or change one that has not begun. The file's metadata takes precedence over
    `given`. If the job is pending, publish it after the commit.

    Raises `NotFoundProblemError` and `ProblemError`s, in the contract's order.
    """
    service = session.get(Service, service_id)
    if service is None:
        raise NotFoundProblemError
    if not service.active:
        raise ProblemError("Create job is not allowed: service is inactive ", status=403)
    job_id = _job_id(given)
    values = dict(given) | _metadata(files, service_id, job_id)
    template = _template(session, service, values)
    if values.get("valid") != "True":
        raise ProblemError("File is not valid, can't create job")
    if template.archived:
        raise FieldProblemError("template", "Template has been deleted")
    fields = validate_fields(JobFields, values)
    columns = {
        "original_file_name": fields.original_file_name,
        "template_id": template.id,
        "template_version": template.version,
        "notification_count": fields.notification_count,
        "created_by_id": fields.created_by,
    }
    if "contact_list_id" in values:
        columns["contact_list_id"] = fields.contact_list_id
    if fields.scheduled_for is not None:
        columns |= {"scheduled_for": fields.scheduled_for, "job_status": "scheduled"}
    return _write(session, job_id, service_id, columns, now)


def _write(session: Session, job_id: UUID, service_id: UUID, columns: dict[str, Any], now: datetime) -> Job:
    new = {"id": job_id, "service_id": service_id, "created_at": now, **columns}
    made = session.scalar(insert(Job).values(new).on_conflict_do_nothing(index_elements=["id"]).returning(Job.id))
    job = session.get_one(Job, job_id, with_for_update=True)
    if job.service_id != service_id:
        raise NotFoundProblemError
    if made is None and job.job_status in ("pending", "scheduled"):
        for name, value in columns.items():
            setattr(job, name, value)
        job.updated_at = now
        session.flush()
    return job


def _job_id(given: Mapping[str, Any]) -> UUID:
    if "id" not in given:
        raise FieldProblemError("id", _REQUIRED)
    try:
        return parse_uuid(given["id"])
    except ValueError:
        raise FieldProblemError("id", "Not a valid UUID.") from None


def _metadata(files: JobFiles, service_id: UUID, job_id: UUID) -> dict[str, Any]:
    try:
        return dict(files.metadata(service_id, job_id))
    except ObjectMissingError:
        raise FieldProblemError("id", "No file was uploaded for this job") from None


def _template(session: Session, service: Service, values: Mapping[str, Any]) -> Template:
    """The template of a job, which must be of the same service."""
    if "template_id" not in values:
        raise FieldProblemError("template_id", _REQUIRED)
    try:
        template = session.get(Template, parse_uuid(values["template_id"]))
    except ValueError:
        raise NotFoundProblemError from None
    if template is None or template.service_id != service.id:
        raise NotFoundProblemError
    if template.template_type == "letter" and service.restricted:
        raise ProblemError("Create letter job is not allowed for service in trial mode ", status=403)
    return template


def cancel_job(session: Session, service_id: UUID, job_id: UUID, now: datetime) -> None:
    """Cancel a scheduled job, even after its time. Raises `NotFoundProblemError` for any other."""
    job = session.get(Job, job_id, with_for_update=True)
    if job is None or job.service_id != service_id or job.job_status != "scheduled":
        raise NotFoundProblemError
    job.job_status, job.updated_at = "cancelled", now
    session.flush()


def cancel_letter_job(
    session: Session, service_id: UUID, job_id: UUID, now: datetime
) -> tuple[int, list[LimitRequest]]:
    """Cancel every letter of a job. Returns their number, and the daily limits to decrease after the commit.

    Raises `NotFoundProblemError` and `LetterJobError`.
    """
    job = session.get(Job, job_id, with_for_update=True)
    if job is None or job.service_id != service_id:
        raise NotFoundProblemError
    template = session.get_one(Template, job.template_id)
    if template.template_type != "letter":
        raise LetterJobError("Only letter jobs can be cancelled through this endpoint. This is not a letter job.")
    if job.job_status != "finished all notifications created":
        raise LetterJobError("We are still processing these letters, please try again in 5 minutes.")
    of_job = Notification.job_id == job_id
    begun = select(func.count()).where(of_job, Notification.notification_status.not_in(CANCELLABLE))
    if is_too_late_to_cancel(job.created_at, now) or session.scalar(begun):
        raise LetterJobError("It’s too late to cancel sending, these letters have already been sent.")
    cancelled = session.execute(
        update(Notification)
        .where(of_job, Notification.notification_status.in_(CANCELLABLE))
        .values(notification_status="cancelled", billable_units=0, updated_at=now)
        .returning(Notification.id)
    ).all()
    job.job_status, job.updated_at = "cancelled", now
    session.flush()
    number = len(cancelled)
    counts = job.created_at.astimezone(UTC).date() == now.date()
    uncounted = LimitRequest(service_id, "normal", "letter", 0, 0)
    return number, [uncounted] * number if counts else []
