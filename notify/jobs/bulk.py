"""Jobs through the public API: messages to the rows of a request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

import sqlalchemy.exc

from notify.content.recipient_list import RecipientList, Row
from notify.content.recipients import format_recipient
from notify.content.spreadsheet_limits import LARGEST_FILE, UnreadableSpreadsheet
from notify.content.spreadsheets import CsvText
from notify.infra.container import Container
from notify.infra.database import Database, after_commit
from notify.infra.errors import BusyError, ProblemError, ValidationProblemError
from notify.infra.ids import new_public_id
from notify.infra.queue import Queue
from notify.infra.times import utc_now
from notify.jobs.files import JobFiles
from notify.jobs.models import Job
from notify.jobs.publish import publish_job
from notify.jobs.rows import allowed_recipients, sending_rules, values_of
from notify.messages import errors
from notify.messages.accept.base import Caller
from notify.messages.accept.checks import check_permission
from notify.messages.accept.letter import check_key
from notify.messages.accept.template_files import with_fillers
from notify.messages.accept.values import MOST_BYTES
from notify.messages.idempotency import AlreadyAcceptedError, KeptAnswer, keep_answer
from notify.services.cache import ServiceCache
from notify.services.limits import INTERNATIONAL_SMS, LimitRequest, RateLimiter, TooManyRequestsError, daily_limit
from notify.templates.cache import CompiledTemplate, TemplateCache

MOST_RECIPIENTS: Final = 50_000
MOST_SHOWN_ROWS: Final = 100
"""Most rows with errors that a refusal lists; the others are only counted."""
CHECKED_AT_A_TIME: Final = 2
"""Most requests whose rows a process checks at the same time: each needs a CPU for seconds."""
WAIT_SECONDS: Final = 5.0
ANY_NUMBER: Final = 10**9


class RowsError(ProblemError):
    """Some rows cannot be sent. The first entry has their number; each other entry has the number of its row, counted
    from 1 without the headers.
    """

    error = "ValidationError"

    def __init__(self, number: int, total: int, rows: Sequence[tuple[int, str]]) -> None:
        text = f"{number} of {total} rows " + ("has errors" if number == 1 else "have errors")
        shown = f" - the first {len(rows)} are listed" if len(rows) < number else ""
        super().__init__([text + shown, *(f"Row {row}: {what}" for row, what in rows)])
        self._rows = rows

    def entries(self) -> list[dict[str, Any]]:
        """The errors of the v2 envelope."""
        first, *others = super().entries()
        return [first, *({**entry, "row": row} for entry, (row, _) in zip(others, self._rows, strict=True))]


class BulkRequest(NamedTuple):
    """A request for a job. `csv` is text with headers in its first row."""

    name: str
    template_id: UUID
    csv: str
    scheduled_for: datetime | None = None
    reply_to_id: UUID | None = None


class AcceptedBulk(NamedTuple):
    """An accepted job."""

    job: Job
    template: CompiledTemplate


class BulkAcceptor:
    """Accepts jobs. Checks every row before anything is stored."""

    def __init__(
        self,
        database: Database,
        queue: Queue,
        services: ServiceCache,
        templates: TemplateCache,
        limits: RateLimiter,
        files: JobFiles,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._queue = queue
        self._services = services
        self._templates = templates
        self._limits = limits
        self._files = files
        self._now = now
        self._turns = threading.BoundedSemaphore(CHECKED_AT_A_TIME)

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        return cls(
            parts.database,
            parts.queue,
            container.get(ServiceCache),
            container.get(TemplateCache),
            container.get(RateLimiter),
            container.get(JobFiles),
        )

    def accept(self, caller: Caller, request: BulkRequest) -> AcceptedBulk:
        """Accept a job. Raises `ProblemError`s, among them `RowsError`; `LimitExceededError`, `BusyError`."""
        template = self._template(caller, request.template_id)
        sender_id = self._check_sender(caller, template, request.reply_to_id)
        limit = self._limits.request(caller.service, caller.key.key_type, template.row.type)
        is_today = request.scheduled_for is None or request.scheduled_for.date() == self._now().date()
        # of another day, only the minute's limit applies. Reading the rows costs much, so it comes after the limits
        self._limits.check(limit if is_today else limit._replace(daily_limit=ANY_NUMBER))
        with self._turn():
            recipients, abroad = self._check_rows(caller, template, request)
        if is_today:
            self._check_day(caller, limit, recipients, abroad)
        job = Job(
            id=new_public_id(),
            service_id=caller.service.id,
            original_file_name=request.name,
            template_id=template.row.id,
            template_version=template.row.version,
            notification_count=recipients,
            created_at=self._now(),
            job_status="pending" if request.scheduled_for is None else "scheduled",
            scheduled_for=request.scheduled_for,
            api_key_id=caller.key.id,
            key_type=caller.key.key_type,
            archived=False,
        )
        accepted = AcceptedBulk(job, template)
        self._store(job, request.csv, sender_id, caller.kept(accepted))
        return accepted

    def _template(self, caller: Caller, template_id: UUID) -> CompiledTemplate:
        template = self._templates.current(caller.service.id, template_id)
        if template is None:
            raise errors.TemplateNotFoundError
        check_permission(caller.service, template.row.type)
        if template.row.archived:
            raise errors.TemplateDeletedError
        if template.row.type == "letter":
            check_key(caller.service, caller.key.key_type)
        return template

    def _check_sender(self, caller: Caller, template: CompiledTemplate, sender_id: UUID | None) -> UUID | None:
        if sender_id is None:
            return None
        kind, service_id = template.row.type, caller.service.id
        if kind == "letter":
            raise ValidationProblemError("reply_to_id is not possible for letters")
        found = self._services.sms_sender if kind == "sms" else self._services.reply_to
        if found(service_id, sender_id) is None:
            raise errors.UnknownSenderError("reply_to_id", sender_id, service_id)
        return sender_id

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=WAIT_SECONDS):
            raise BusyError
        try:
            yield
        finally:
            self._turns.release()

    def _check_rows(self, caller: Caller, template: CompiledTemplate, request: BulkRequest) -> tuple[int, int]:
        """Check the whole list of recipients. Returns the number of rows, and of text messages abroad."""
        if len(request.csv.encode("utf-8", "replace")) > LARGEST_FILE:
            raise ValidationProblemError(str(UnreadableSpreadsheet("too_large")))
        allowed = allowed_recipients(self._database, caller.service, caller.key.key_type)
        try:
            rules = sending_rules(caller.service, allowed)
            recipients = RecipientList(CsvText(request.csv), template.text, rules, given=with_fillers(template, {}))
            _check_columns(recipients)
            abroad = self._check_each(caller, template, recipients, allowed)
        except UnreadableSpreadsheet as error:
            raise ValidationProblemError(str(error)) from None
        return recipients.row_count, abroad

    def _check_each(
        self, caller: Caller, template: CompiledTemplate, recipients: RecipientList, allowed: Sequence[str] | None
    ) -> int:
        """Check each row. Returns the number of text messages abroad."""
        may_receive = None if allowed is None else {format_recipient(entry) for entry in allowed}
        is_team = caller.key.key_type == "team"
        not_allowed = (errors.TeamOnlyRecipientError if is_team else errors.TrialModeRecipientError)().messages[0]
        abroad, number = 0, 0
        found: list[tuple[int, str]] = []
        for row in recipients.rows():
            abroad += row.is_sent_abroad
            faults = list(_faults(row, template.row.type))
            if may_receive is not None and row.compared_recipient not in may_receive and not row.has_bad_recipient:
                faults.append(not_allowed)
            if faults:
                number += 1
                if len(found) < MOST_SHOWN_ROWS:
                    found.append((row.index + 1, "; ".join(faults)))
        if number:
            raise RowsError(number, recipients.row_count, found)
        return abroad

    def _check_day(self, caller: Caller, limit: LimitRequest, number: int, abroad: int) -> None:
        """Raise `TooManyRequestsError` if this many messages exceed today's limit."""
        if caller.key.key_type == "test":
            return
        wanted = [(limit.kind, number, limit.daily_limit)]
        if abroad:
            most = daily_limit(caller.service, caller.key.key_type, INTERNATIONAL_SMS)
            wanted.append((INTERNATIONAL_SMS, abroad, most))
        for kind, more, most in wanted:
            sent = self._limits.sent_today(caller.service.id, kind)
            if sent is not None and sent + more > most:
                left = max(most - sent, 0)
                raise TooManyRequestsError(
                    f"Exceeded send limits ({kind}: {most}) for today - {more} messages are too many, {left} are left"
                )

    def _store(self, job: Job, csv: str, sender_id: UUID | None, kept: KeptAnswer | None) -> None:
        """Store the file, then the job, and publish it. Raises `AlreadyAcceptedError`."""
        known = {
            "template_id": str(job.template_id),
            "notification_count": str(job.notification_count),
            "valid": "True",
            **({"sender_id": str(sender_id)} if sender_id else {}),
        }
        job_id, service_id, is_pending = job.id, job.service_id, job.scheduled_for is None
        self._files.put(service_id, job_id, csv.encode("utf-8", "replace"), known)
        try:
            with self._database.transaction() as session:
                if kept is not None:
                    keep_answer(session, kept)
                session.add(job)
                if is_pending:
                    after_commit(session, lambda: publish_job(self._queue, job_id, service_id))
        except (AlreadyAcceptedError, sqlalchemy.exc.DataError, sqlalchemy.exc.IntegrityError):
            self._files.delete(service_id, job_id)  # surely unused; after other errors the job may have been stored
            raise


def _check_columns(recipients: RecipientList) -> None:
    """Raise `ValidationProblemError` for errors of the list as a whole."""
    if recipients.row_count > MOST_RECIPIENTS:
        raise ValidationProblemError(
            f"There are too many rows: {recipients.row_count}. There must not be more than {MOST_RECIPIENTS}"
        )
    if not recipients.row_count:
        raise ValidationProblemError("There are no rows. The first row has the headers, each other one a recipient")
    if recipients.missing_columns:
        raise ValidationProblemError("Missing columns: " + ", ".join(recipients.missing_columns))
    if recipients.duplicate_recipient_columns:
        raise ValidationProblemError(
            "There is more than one column with recipients: " + ", ".join(recipients.duplicate_recipient_columns)
        )


def _faults(row: Row, notification_type: str) -> Iterator[str]:
    """The errors of a row, in words."""
    for header, what in row.cell_errors.items():
        yield f"{header}: {what}"
    if row.address_error:
        yield row.address_error
    if row.message_too_long:
        yield "the message is too long"
    if row.message_empty:
        yield "the message is empty"
    if row.qr_code_too_long:
        yield "the link of the QR code is too long"
    if len(values_of(row)) > MOST_BYTES[notification_type]:
        yield "the personalisation is too large"
