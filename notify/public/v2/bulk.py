"""Sends to many recipients with one request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from notify.content.spreadsheet_limits import LARGEST_FILE
from notify.content.spreadsheets import to_csv
from notify.infra.errors import ValidationProblemError
from notify.infra.times import format_datetime, format_optional, utc_now
from notify.jobs import queries
from notify.jobs.actions import cancel_job
from notify.jobs.bulk import AcceptedBulk, BulkAcceptor, BulkRequest
from notify.jobs.models import Job
from notify.jobs.statistics import StatusCount, count_of_job
from notify.public import bulk_schemas as schemas
from notify.public.endpoints import Call, Endpoints
from notify.public.fields import given
from notify.public.schemas import scheduled_time

endpoints = Endpoints()

MOST_BYTES: Final = 2 * LARGEST_FILE
"""Largest body: the largest file, as JSON."""


def _shown(accepted: AcceptedBulk, call: Call) -> dict[str, Any]:
    return _job(accepted.job, accepted.template.row.type, [], call)


def _job(job: Job, template_type: str, statistics: Sequence[StatusCount], call: Call) -> dict[str, Any]:
    return {
        "data": {
            "id": job.id,
            "original_file_name": job.original_file_name,
            "job_status": job.job_status,
            "notification_count": job.notification_count,
            "statistics": [{"status": one.status, "count": one.count} for one in statistics],
            "service": job.service_id,
            "template": job.template_id,
            "template_version": job.template_version,
            "template_type": template_type,
            "created_at": format_datetime(job.created_at),
            "scheduled_for": format_optional(job.scheduled_for),
            "processing_started": format_optional(job.processing_started),
            "processing_finished": format_optional(job.processing_finished),
            "uri": f"{call.address}v2/notifications/bulk/{job.id}",
        }
    }


@endpoints.post(
    "/notifications/bulk",
    answer=schemas.BulkAnswer,
    errors=(400, 409, 429),
    status=201,
    most_bytes=MOST_BYTES,
    show=_shown,
    is_long=True,
)
def send_bulk(call: Call, body: schemas.BulkSendRequest) -> AcceptedBulk:
    """Send to many recipients."""
    rows, csv, time = given(body.rows), given(body.csv), given(body.scheduled_for)
    if (rows is None) == (csv is None):
        raise ValidationProblemError("Give either rows or csv")
    return call.container.get(BulkAcceptor).accept(
        call.caller,
        BulkRequest(
            name=body.name,
            template_id=body.template_id,
            # check exactly what will be sent: rows are stored as CSV text
            csv=to_csv(rows).decode() if rows is not None else csv or "",
            scheduled_for=None if time is None else scheduled_time(time),
            reply_to_id=given(body.reply_to_id),
        ),
    )


@endpoints.get("/notifications/bulk/<bulk_id>", answer=schemas.BulkAnswer, errors=(400, 404))
def get_bulk(call: Call, bulk_id: UUID) -> dict[str, Any]:
    """Get the progress of messages to many recipients."""
    return _read(call, bulk_id)


@endpoints.post("/notifications/bulk/<bulk_id>/cancel", answer=schemas.BulkAnswer, errors=(400, 404))
def cancel_bulk(call: Call, bulk_id: UUID) -> dict[str, Any]:
    """Cancel scheduled messages to many recipients."""
    with call.container.parts.database.transaction() as session:
        cancel_job(session, call.caller.service.id, bulk_id, utc_now())
    return _read(call, bulk_id)


def _read(call: Call, bulk_id: UUID) -> dict[str, Any]:
    with call.container.parts.database.session() as session:
        found = queries.get_job(session, call.caller.service.id, bulk_id)
        return _job(found.job, found.template_type, count_of_job(session, bulk_id), call)
