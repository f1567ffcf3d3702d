"""Writes reports: CSV files of a service's messages, as a stream (contract: internal-jobs 4)."""

from __future__ import annotations

import csv
import io
import string
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Self
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from notify.content.text import OBSCURE
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.objects import Bucket, Details
from notify.infra.replica import Replica
from notify.infra.secrets import Encryptor
from notify.infra.times import LONDON, utc_now
from notify.jobs.models import ReportRequest
from notify.messages.csv_rows import status_label
from notify.messages.models import TO
from notify.messages.statuses import filter_statuses
from notify.services.queries import retention_days
from notify.services.retention import kept_since

ROWS_AT_A_TIME: Final = 2500
HEADER: Final = (
    "Recipient",
    "Reference",
    "Template",
    "Type",
    "Sent by",
    "Sent by email",
    "Job",
    "Status",
    "Time",
    "API key name",
)
_SENDING: Final = ("created", "pending", "pending-virus-check", "sending")
_DELIVERED: Final = ("delivered", "returned-letter", "sent")
_FAILED: Final = ("failed", *sorted(filter_statuses(["failed"]) or ()))
STATUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "sending": _SENDING,
    "delivered": _DELIVERED,
    "failed": _FAILED,
    "all": tuple(dict.fromkeys((*_SENDING, *_DELIVERED, *_FAILED))),
}
_BLANKS: Final = string.whitespace + OBSCURE

_MESSAGES: Final = text(
    """
    SELECT n.id, n."to", n.client_reference, t.name AS template_name, n.notification_type,
           u.name AS user_name, u.email_address, j.original_file_name, n.notification_status, n.created_at,
           k.name AS key_name
    FROM notifications n
    LEFT JOIN templates_history t ON t.id = n.template_id AND t.version = n.template_version
    LEFT JOIN users u ON u.id = n.created_by_id
    LEFT JOIN jobs j ON j.id = n.job_id
    LEFT JOIN api_keys k ON k.id = n.api_key_id
    WHERE n.service_id = :service_id AND n.notification_type = CAST(:type AS notification_type)
          AND n.key_type IN ('normal', 'team') AND n.notification_status = ANY(CAST(:statuses AS text[]))
          AND n.created_at >= :since
    ORDER BY n.created_at DESC, n.id DESC
    """
)


class ReportWriter:
    """Writes reports into the object store. A report is never in memory as a whole."""

    def __init__(self, database: Database, replica: Replica, encryptor: Encryptor, bucket: Bucket) -> None:
        self._database = database
        self._replica = replica
        self._encryptor = encryptor
        self._bucket = bucket

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        bucket = parts.objects.bucket(parts.settings.s3_bucket_report_requests_download)
        return cls(parts.database, container.get(Replica), parts.encryptor, bucket)

    def process(self, service_id: UUID, request_id: UUID) -> None:
        """Create the file of a pending request. On an error there is no file, and the request becomes failed."""
        parameter = self._begin(service_id, request_id)
        if parameter is None:
            return
        try:
            self._replica.read(lambda session: self._write(session, service_id, request_id, parameter))
        except BaseException:
            self._end(request_id, "failed")
            raise
        self._end(request_id, "stored")

    def delete(self, request_id: UUID) -> None:
        """Delete the file of a request, if there is one."""
        self._bucket.delete(_key(request_id))

    def _begin(self, service_id: UUID, request_id: UUID) -> Mapping[str, str] | None:
        with self._database.transaction() as session:
            request = session.get(ReportRequest, request_id, with_for_update=True)
            if request is None or request.service_id != service_id or request.status != "pending":
                return None
            request.status, request.updated_at = "in progress", utc_now()
            return dict(request.parameter)

    def _end(self, request_id: UUID, status: str) -> None:
        with self._database.transaction() as session:
            request = session.get(ReportRequest, request_id, with_for_update=True)
            if request is not None and request.status == "in progress":
                request.status, request.updated_at = status, utc_now()

    def _write(self, session: Session, service_id: UUID, request_id: UUID, parameter: Mapping[str, str]) -> None:
        kind = parameter["notification_type"]
        values = {
            "service_id": service_id,
            "type": kind,
            "statuses": list(STATUSES[parameter["notification_status"]]),
            "since": kept_since(utc_now(), retention_days(session, service_id, kind)),
        }
        found = session.execute(_MESSAGES, values, execution_options={"yield_per": ROWS_AT_A_TIME})
        pages = found.partitions(ROWS_AT_A_TIME)  # without a size, one page would hold all rows
        self._bucket.put(_key(request_id), self._pieces(pages), Details(content_type="text/csv"))

    def _pieces(self, pages: Iterable[Iterable[Row[Any]]]) -> Iterator[bytes]:
        yield _lines([HEADER])
        for page in pages:
            yield _lines(map(self._row, page))

    def _row(self, row: Row[Any]) -> tuple[str, ...]:
        recipient = self._encryptor.decrypt(row.to, TO, row.id)
        return (
            _first_line(recipient),
            row.client_reference or "",
            row.template_name or "",
            row.notification_type,
            row.user_name or "",
            row.email_address or "",
            row.original_file_name or "",
            status_label(row.notification_type, row.notification_status),
            row.created_at.astimezone(LONDON).strftime("%Y-%m-%d %H:%M:%S"),
            row.key_name or "",
        )


def _first_line(recipient: str) -> str:
    """The first line, without blanks around it and commas after it."""
    return (recipient.lstrip(_BLANKS).splitlines() or [""])[0].rstrip(_BLANKS + ",")


def _lines(rows: Iterable[tuple[str, ...]]) -> bytes:
    """Rows of CSV, with CRLF."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode("utf-8", "replace")


def _key(request_id: UUID) -> str:
    return f"notifications_report/{request_id}.csv"
