"""Links to the files attached to email templates (contract: public-api 5.5, 5.6).

The placeholder with a file's name is filled with a link to a copy of the file, which is kept for the period set in the
template. If recipients must confirm their address, every message has its own copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from threading import Lock
from typing import Any, Final, Self
from uuid import UUID

from cachetools import TTLCache

from notify.content.placeholders import key_form
from notify.documents.antivirus import Antivirus
from notify.documents.files import LONGEST_RETENTION_WEEKS, FileToSend, to_send
from notify.documents.store import DocumentStore
from notify.infra.container import Container
from notify.infra.objects import Bucket
from notify.templates.cache import CompiledTemplate
from notify.templates.email_files import CachedFile

CACHED_BYTES: Final = 16 * 1024 * 1024
CACHED_SECONDS: Final = 60
_FILLER: Final = "file"
"""Stands for a link while a message is checked."""


def with_fillers(template: CompiledTemplate, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with a filler for each file of the template, which replaces a given value of the same name."""
    return fill(values, {file.filename: _FILLER for file in template.row.email_files})


def fill(values: Mapping[str, Any], links: Mapping[str, str]) -> dict[str, Any]:
    """The values with these links, which replace values of the same name in any spelling."""
    keys = set(map(key_form, links))
    return {name: value for name, value in values.items() if key_form(name) not in keys} | dict(links)


class TemplateFiles:
    """Reads the files of templates, and scans each for viruses at most once a minute."""

    def __init__(self, bucket: Bucket, antivirus: Antivirus, documents: DocumentStore) -> None:
        self._bucket = bucket
        self._antivirus = antivirus
        self._documents = documents
        self._contents: TTLCache[str, bytes] = TTLCache(CACHED_BYTES, CACHED_SECONDS, getsizeof=len)
        self._lock = Lock()

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        bucket = parts.objects.bucket(parts.settings.s3_bucket_template_email_files)
        return cls(bucket, container.get(Antivirus), container.get(DocumentStore))

    def open(self, template: CompiledTemplate) -> OpenFiles:
        """The files of a template, read and checked.

        Raises `ObjectMissingError`, `ScannerError`, and `ProblemError` for a file that cannot be sent.
        """
        service_id = template.row.service_id
        return OpenFiles(
            self._documents, service_id, {file: self._read(service_id, file) for file in template.row.email_files}
        )

    def _read(self, service_id: UUID, file: CachedFile) -> FileToSend:
        key = f"{service_id}/{file.id}"
        with self._lock:
            content = self._contents.get(key)
        if content is None:
            content = self._bucket.get(key)
            self._antivirus.refuse_infected(content)
            if len(content) <= CACHED_BYTES:
                with self._lock:
                    self._contents[key] = content
        return to_send(
            content,
            file.filename,
            confirm_email=file.validate_users_email,
            retention_weeks=min(max(file.retention_weeks, 1), LONGEST_RETENTION_WEEKS),
        )


class OpenFiles:
    """The files of one template, ready for links."""

    def __init__(self, documents: DocumentStore, service_id: UUID, files: Mapping[CachedFile, FileToSend]) -> None:
        self._documents = documents
        self._service_id = service_id
        self._files = files

    @property
    def are_personal(self) -> bool:
        """Whether every message needs its own copy of a file."""
        return any(file.validate_users_email for file in self._files)

    def links(self, address: str) -> dict[str, str]:
        """Store a copy of each file for this recipient, whose address is normalised. Returns the links by file name.
        Files without confirmation of the address have the same link in all messages of this object.
        """
        personal = {file: self._link(file, address) for file in self._files if file.validate_users_email}
        return {file.filename: personal.get(file) or self._shared[file] for file in self._files}

    @cached_property
    def _shared(self) -> dict[CachedFile, str]:
        return {file: self._link(file, None) for file in self._files if not file.validate_users_email}

    def _link(self, file: CachedFile, address: str | None) -> str:
        link = self._documents.keep(self._service_id, self._files[file], confirmation_email=address)
        return f"[{file.link_text}]({link})" if file.link_text else link
