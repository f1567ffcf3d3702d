"""The files of jobs and contact lists in the object store (contract: internal-jobs 1.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple, Self
from uuid import UUID

from notify.content.spreadsheet_limits import LARGEST_FILE, UnreadableSpreadsheet
from notify.infra.container import Container
from notify.infra.objects import Bucket, Details, Objects
from notify.settings import Settings

_KEY: Final = re.compile(r"service-([0-9a-f-]{36})-notify/([0-9a-f-]{36})\.csv")


class UploadKey(NamedTuple):
    """The service and the id of an upload."""

    service_id: UUID
    id: UUID


class JobFiles:
    """Reads uploads of the admin app. Every method except `delete...` may raise `ObjectMissingError`."""

    def __init__(self, objects: Objects, settings: Settings) -> None:
        self._objects = objects
        self._settings = settings

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.objects, container.parts.settings)

    @property
    def _uploads(self) -> Bucket:
        return self._objects.bucket(self._settings.s3_bucket_csv_upload)

    @property
    def _contact_lists(self) -> Bucket:
        return self._objects.bucket(self._settings.s3_bucket_contact_list)

    def metadata(self, service_id: UUID, job_id: UUID) -> Mapping[str, str]:
        """The metadata that the admin app stored with a job's file: the source of truth about the upload."""
        return self._uploads.info(_key(service_id, job_id)).details.metadata

    def text(self, service_id: UUID, job_id: UUID) -> str:
        """The CSV of a job. Raises `UnreadableSpreadsheet` if it is too large or not UTF-8."""
        key = _key(service_id, job_id)
        if self._uploads.info(key).size > LARGEST_FILE:
            raise UnreadableSpreadsheet("too_large")
        try:
            return self._uploads.get(key).decode()
        except UnicodeDecodeError:
            raise UnreadableSpreadsheet from None

    def put(self, service_id: UUID, job_id: UUID, content: bytes, metadata: Mapping[str, str]) -> None:
        """Store the file of a job through the public API, in the same way as the admin app does."""
        self._uploads.put(_key(service_id, job_id), content, Details(metadata))

    def delete(self, service_id: UUID, job_id: UUID) -> None:
        """Delete a job's file, if there is one."""
        self._uploads.delete(_key(service_id, job_id))

    def written_before(self, moment: datetime) -> Iterator[UploadKey]:
        """The files of jobs that were last written before a moment."""
        return _uploads(self._uploads, moment)

    def contact_lists_written_before(self, moment: datetime) -> Iterator[UploadKey]:
        """The files of contact lists that were last written before a moment."""
        return _uploads(self._contact_lists, moment)

    def delete_contact_list(self, service_id: UUID, contact_list_id: UUID) -> None:
        """Delete a contact list's file, if there is one."""
        self._contact_lists.delete(_key(service_id, contact_list_id))


def _key(service_id: UUID, upload_id: UUID) -> str:
    return f"service-{service_id}-notify/{upload_id}.csv"


def _uploads(bucket: Bucket, moment: datetime) -> Iterator[UploadKey]:
    """The uploads of the admin app and the public API in a bucket; other objects are ignored."""
    for key in bucket.keys_before(moment):
        if match := _KEY.fullmatch(key):
            try:
                yield UploadKey(UUID(match[1]), UUID(match[2]))
            except ValueError:
                continue
