"""Processes jobs: turns the rows of a file into messages, batch by batch (contract: workers 12.2 to 12.4).

A batch is one transaction, which locks the job's row and skips rows that already have a message. So if a worker is
killed, another can continue from the last batch on, and two workers on the same job are harmless.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from itertools import islice
from typing import Final, NamedTuple, Self
from uuid import UUID

import psycopg
import structlog
from sqlalchemy import func, select, union_all, update
from sqlalchemy.orm import Session

from notify.content.recipient_list import RecipientList, Row
from notify.content.sms_senders import resolve_sender
from notify.content.spreadsheet_limits import UnreadableSpreadsheet
from notify.content.spreadsheets import CsvText
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.errors import NotFoundProblemError, ProblemError
from notify.infra.objects import ObjectMissingError
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.infra.validation import parse_uuid
from notify.jobs.files import JobFiles
from notify.jobs.models import Job
from notify.jobs.rows import INVALID, RowWriter, allowed_recipients, sending_rules
from notify.jobs.settings import JobSettings
from notify.messages.accept.letter import status_of_tests
from notify.messages.accept.template_files import TemplateFiles, with_fillers
from notify.messages.models import Notification, NotificationHistory
from notify.messages.store import MessageStore, NewMessage, write_messages
from notify.providers.settings import TextProviderSettings
from notify.services.cache import ServiceCache
from notify.services.limits import RateLimiter
from notify.services.queries import CachedService
from notify.settings import Settings
from notify.templates.cache import CompiledTemplate, TemplateCache

logger = structlog.get_logger(__name__)

MOST_LOGGED: Final = 20


class _Work(NamedTuple):
    """A job to process."""

    id: UUID
    service_id: UUID
    template_id: UUID
    template_version: int
    notification_count: int
    api_key_id: UUID | None
    key_type: str


class JobProcessor:
    """Processes jobs."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        encryptor: Encryptor,
        services_: ServiceCache,
        templates: TemplateCache,
        limits: RateLimiter,
        store: MessageStore,
        files: JobFiles,
        template_files: TemplateFiles,
    ) -> None:
        self._default_sender = settings.part(TextProviderSettings).from_number
        self._test_letter_status = status_of_tests(settings)
        self._stalled_after = settings.part(JobSettings).job_stalled_after
        self._database = database
        self._encryptor = encryptor
        self._services = services_
        self._templates = templates
        self._limits = limits
        self._store = store
        self._files = files
        self._template_files = template_files

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        return cls(
            parts.settings,
            parts.database,
            parts.encryptor,
            container.get(ServiceCache),
            container.get(TemplateCache),
            container.get(RateLimiter),
            container.get(MessageStore),
            container.get(JobFiles),
            container.get(TemplateFiles),
        )

    def process(self, job_id: UUID) -> None:
        """Process a job that is pending, or in progress without a worker. Does nothing in any other status."""
        now = utc_now()
        with self._database.transaction() as session:
            job = session.get(Job, job_id, with_for_update=True)
            if job is None:
                return
            is_new = job.job_status == "pending"
            if not is_new and not is_stalled(job, self._stalled_after):
                return
            if is_new:
                job.job_status, job.processing_started, job.updated_at = "in progress", now, now
            job.progressed_at = now
            work = _work(job)
        if is_new and (refused := self._refusal(work)):
            self._end(work.id, refused, is_finished=refused != "cancelled")
            return
        self._run(work)

    def resume(self, job_id: UUID) -> None:
        """Continue a job whose worker is gone. Limits are not checked again."""
        now = utc_now()
        with self._database.transaction() as session:
            job = session.get(Job, job_id, with_for_update=True)
            if job is None or not is_stalled(job, self._stalled_after):
                return
            job.processing_started = job.progressed_at = job.updated_at = now
            work = _work(job)
        self._run(work)

    def process_missing(self, job_id: UUID) -> None:
        """Create the missing messages of a finished job."""
        with self._database.session() as session:
            job = session.get(Job, job_id)
            if job is None or job.job_status != "finished":
                return
            work = _work(job)
            present = set(session.scalars(select(Notification.job_row_number).where(Notification.job_id == job_id)))
        rows = self._open(work)
        if rows is not None:
            writer, recipients = rows
            missing = (row for row in recipients.rows() if row.index not in present)
            self._save_all(work, writer, missing, status="finished")

    def process_row(self, job_id: UUID, number: int) -> bool:
        """Create the message of one row of a job, unless it has one. Returns whether it was created. Raises
        `NotFoundProblemError`: there is no such job, no such row, or the file cannot be read.
        """
        with self._database.session() as session:
            job = session.get(Job, job_id)
            if job is None:
                raise NotFoundProblemError
            work, status, present = _work(job), job.job_status, bool(_present(session, job_id, [number]))
        rows = self._open(work)
        if rows is None:
            raise NotFoundProblemError
        writer, recipients = rows
        wanted = [row for row in recipients.rows() if row.index == number]
        if not wanted:
            raise NotFoundProblemError
        self._save_all(work, writer, wanted, status=status)
        with self._database.session() as session:
            return not present and bool(_present(session, job_id, [number]))

    def _refusal(self, work: _Work) -> str | None:
        """The status of a job that must not be processed; None if it may be."""
        service = self._services.get(work.service_id)
        template = self._template(work)
        if service is None or not service.active or template is None:
            return "cancelled"
        if work.key_type == "test":  # not subject to limits
            return None
        sent = self._limits.sent_today(service.id, template.row.type)
        limit = self._limits.request(service, "normal", template.row.type).daily_limit
        if sent is not None and sent + work.notification_count > limit:
            return "sending limits exceeded"
        return None

    def _template(self, work: _Work) -> CompiledTemplate | None:
        return self._templates.version(work.service_id, work.template_id, work.template_version)

    def _run(self, work: _Work) -> None:
        with self._database.session() as session:
            last = session.scalar(select(func.max(Notification.job_row_number)).where(Notification.job_id == work.id))
        rows = self._open(work)
        if rows is None:
            self._end(work.id, "error", is_finished=True)
            return
        writer, recipients = rows
        if self._save_all(work, writer, recipients.rows(0 if last is None else last + 1), status="in progress"):
            self._end(work.id, "finished", is_finished=True)

    def _open(self, work: _Work) -> tuple[RowWriter, RecipientList] | None:
        """The rows of a job's file; None (and a log line) if it cannot be read."""
        service, template = self._services.get(work.service_id), self._template(work)
        if service is None or template is None:
            return None
        try:
            text = self._files.text(work.service_id, work.id)
            sender_id = self._files.metadata(work.service_id, work.id).get("sender_id")
            allowed = allowed_recipients(self._database, service, work.key_type)
            recipients = RecipientList(
                CsvText(text), template.text, sending_rules(service, allowed), given=with_fillers(template, {})
            )
            files = self._template_files.open(template) if template.row.email_files else None
        except (ObjectMissingError, UnreadableSpreadsheet, ProblemError) as error:
            logger.error("file of job cannot be read", job_id=work.id, error=type(error).__name__)
            return None
        lacks_columns = bool(recipients.missing_columns) or not recipients.has_recipient_columns
        if lacks_columns and recipients.row_count:
            logger.warning("file of job lacks columns", job_id=work.id, number=len(recipients.missing_columns))
        writer = RowWriter(
            self._encryptor,
            template,
            job_id=work.id,
            sender=self._sender(service, template, sender_id),
            allowed=allowed,
            api_key_id=work.api_key_id,
            key_type=work.key_type,
            test_letter_status=self._test_letter_status,
            files=files,
            lacks_columns=lacks_columns,
        )
        return writer, recipients

    def _sender(self, service: CachedService, template: CompiledTemplate, sender_id: str | None) -> str | None:
        """The sender of the messages: the chosen one unless it is archived, else the default."""
        row, chosen = template.row, None
        if sender_id and row.type != "letter":
            find = self._services.sms_sender if row.type == "sms" else self._services.reply_to
            try:
                chosen = find(service.id, parse_uuid(sender_id))
            except ValueError:
                chosen = None
        if row.type == "sms":
            return resolve_sender(chosen or row.default_sender_text or self._default_sender)
        return row.contact_block if row.type == "letter" else chosen or row.default_sender_text

    def _save_all(self, work: _Work, writer: RowWriter, rows: Iterable[Row], *, status: str) -> bool:
        """Save the messages of rows as long as the job has this status. Returns whether it had it to the end."""
        dropped: list[int] = []
        invalid = 0
        waiting = iter(rows)
        while batch := list(islice(waiting, writer.batch_rows)):
            now = utc_now()
            made = [(row.index, writer.message(row, now)) for row in batch]
            dropped += [index for index, message in made if message is None]
            messages = [message for _, message in made if message is not None]
            saved = self._save(work.id, messages, status)
            if saved is None:
                return False
            invalid += sum(message.notification_status == INVALID for message in saved)
            self._store.written(saved)
        if dropped or invalid:
            logger.warning(
                "rows of job not sent",
                job_id=work.id,
                service_id=work.service_id,
                invalid=invalid,
                not_allowed=len(dropped),
                rows=dropped[:MOST_LOGGED],
            )
        return True

    def _save(self, job_id: UUID, messages: Sequence[NewMessage], status: str) -> list[NewMessage] | None:
        """Save the messages that do not exist yet, and return them; None if the job no longer has this status."""
        try:
            with self._database.transaction() as session:
                if not _hold(session, job_id, status):
                    return None
                present = _present(session, job_id, [message.job_row_number for message in messages])
                new = [message for message in messages if message.job_row_number not in present]
                if new:
                    write_messages(session, new)
            return new
        except psycopg.DataError as error:
            if len(messages) == 1:
                logger.error(
                    "row of job cannot be stored",
                    job_id=job_id,
                    row=messages[0].job_row_number,
                    error=type(error).__name__,
                )
                return []
        half = len(messages) // 2  # bisect: one bad row must not fail the others
        parts = [self._save(job_id, part, status) for part in (messages[:half], messages[half:])]
        return None if None in parts else [message for part in parts for message in part or ()]

    def _end(self, job_id: UUID, status: str, *, is_finished: bool) -> None:
        now = utc_now()
        values = {"job_status": status, "updated_at": now} | ({"processing_finished": now} if is_finished else {})
        with self._database.transaction() as session:
            session.execute(update(Job).where(Job.id == job_id, Job.job_status == "in progress").values(values))


def is_stalled(job: Job, after: timedelta) -> bool:
    """Whether a job in progress has lost its worker, because it has saved no rows for this time."""
    moved = job.progressed_at or job.processing_started
    return job.job_status == "in progress" and moved is not None and utc_now() - moved > after


def _work(job: Job) -> _Work:
    return _Work(
        job.id,
        job.service_id,
        job.template_id,
        job.template_version,
        job.notification_count,
        job.api_key_id,
        job.key_type,
    )


def _hold(session: Session, job_id: UUID, status: str) -> bool:
    """Lock the job for this transaction, and record its progress. Returns whether it has this status."""
    held = session.scalar(
        update(Job).where(Job.id == job_id, Job.job_status == status).values(progressed_at=utc_now()).returning(Job.id)
    )
    return held is not None


def _present(session: Session, job_id: UUID, numbers: Collection[int | None]) -> set[int | None]:
    """Those of these rows of a job that have a message, also in the history, so that it is not sent again."""
    known = [number for number in numbers if number is not None]
    if not known:
        return set()
    found = [
        select(table.job_row_number).where(table.job_id == job_id, table.job_row_number.between(min(known), max(known)))
        for table in (Notification, NotificationHistory)
    ]
    return set(session.scalars(union_all(*found)))
