"""Deletes archived files of email templates (contract: workers 14.3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, Self
from uuid import UUID

import structlog
from sqlalchemy import select, tuple_

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.objects import Bucket
from notify.infra.times import local_midnight
from notify.templates.models import EmailFile, Template

logger = structlog.get_logger(__name__)

KEPT: Final = timedelta(days=14)
"""How long an archived file stays in the object store: messages that link to it may not be sent yet."""
LOOKED_BACK: Final = timedelta(days=17)
"""Files archived longer ago were deleted by an earlier run."""
PAGE: Final = 250


class ArchivedFile(NamedTuple):
    """A file to delete."""

    id: UUID
    service_id: UUID
    archived_at: datetime | None


class FileRemover:
    """Deletes archived files of email templates from the object store."""

    def __init__(self, database: Database, bucket: Bucket) -> None:
        self._database = database
        self._bucket = bucket

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        return cls(parts.database, parts.objects.bucket(parts.settings.s3_bucket_template_email_files))

    def remove(self, *, now: datetime, archived_after: date | None = None) -> int:
        """Delete the files archived between 17 and 14 days ago, or between the local day `archived_after` and 14 days
        ago; returns how many. A file that cannot be deleted is logged and kept.

        Raises `ValueError` if `archived_after` is less than 14 days ago.
        """
        last = now - KEPT
        first = now - LOOKED_BACK if archived_after is None else local_midnight(archived_after)
        if first > last:
            raise ValueError(f"archived_after must be before {last:%Y-%m-%d}")
        return sum(self._delete(file) for page in self._pages(first, last) for file in page)

    def _delete(self, file: ArchivedFile) -> bool:
        try:
            self._bucket.delete(f"{file.service_id}/{file.id}")
        except Exception:  # the errors of the store's client have no common base class
            logger.exception("file of an email template not deleted", file_id=str(file.id))
            return False
        return True

    def _pages(self, first: datetime, last: datetime) -> Iterator[list[ArchivedFile]]:
        place: tuple[datetime | None, UUID] = (first, UUID(int=0))
        order = tuple_(EmailFile.archived_at, EmailFile.id)
        files = (
            select(EmailFile.id, Template.service_id, EmailFile.archived_at)
            .join(Template, Template.id == EmailFile.template_id)
            .where(EmailFile.archived_at.is_not(None), EmailFile.archived_at < last)
            .order_by(EmailFile.archived_at, EmailFile.id)
            .limit(PAGE)
        )
        while True:
            with self._database.session() as session:
                page = [ArchivedFile(*row) for row in session.execute(files.where(order > place))]
            if not page:
                return
            yield page
            place = (page[-1].archived_at, page[-1].id)
