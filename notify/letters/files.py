"""The PDFs of letters: names, buckets, folders and look-up (contract: letters 2).

The bucket and the folder of a letter follow from its row. The full name may not, because it has the postage at the time
of writing; so a letter is found by the start of its name, which is its reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple, Protocol, Self

from notify.content.letter_timings import pdf_folder
from notify.infra.container import Container
from notify.infra.objects import Bucket, Details, ObjectMissingError, Objects
from notify.letters.settings import LetterSettings
from notify.settings import Settings

CONTENT_TYPE: Final = "binary/octet-stream"
INFECTED_FOLDER: Final = "FAILURE/"
UNSCANNED_FOLDER: Final = "ERROR/"
"""Folders of the scan bucket: for letters with a virus, and for letters that could not be scanned."""

POSTAGE_CODES: Final[Mapping[str, str]] = {
    "first": "1",
    "second": "2",
    "economy": "ECONOMY",
    "europe": "E",
    "rest-of-world": "N",
}
"""Codes of the postage in the name of a PDF."""


class Letter(Protocol):
    """The fields needed to find a letter's PDF, which the row of a message has. `created_at` is aware."""

    @property
    def reference(self) -> str | None:
        """The reference for print providers."""

    @property
    def postage(self) -> str | None:
        """A key of `POSTAGE_CODES`."""

    @property
    def created_at(self) -> datetime:
        """When it was accepted."""

    @property
    def key_type(self) -> str:
        """`normal`, `team` or `test`."""

    @property
    def notification_status(self) -> str:
        """Its status as it is stored."""


class LetterRow(NamedTuple):
    """A `Letter` from values."""

    reference: str | None
    postage: str | None
    created_at: datetime
    key_type: str
    notification_status: str


class StoredLetter(NamedTuple):
    """The location of a letter's PDF."""

    bucket: Bucket
    key: str


class LetterMissingError(Exception):
    """There is no PDF of this letter."""


def file_name(reference: str, postage: str | None, created_at: datetime) -> str:
    """The name of a letter's PDF (2.2). No postage counts as second class."""
    stamp = f"{created_at.astimezone(UTC):%Y%m%d%H%M%S}"
    return f"NOTIFY.{reference}.D.{POSTAGE_CODES[postage or 'second']}.C.{stamp}.PDF".upper()


def name_start(reference: str) -> str:
    """The start of the name of a letter's PDF."""
    return f"NOTIFY.{reference}".upper()


def reference_of(key: str) -> str:
    """The reference of a letter, from the key of its PDF. Raises `ValueError` for any other key."""
    parts = key.rpartition("/")[2].split(".")
    if len(parts) < 2 or not parts[1]:
        raise ValueError("not the key of a letter")
    return parts[1]


def print_folder(created_at: datetime) -> str:
    """The folder of a letter in the live bucket, with `/` at the end: one for each day's print run."""
    return pdf_folder(created_at)


def upload_key(service_id: object, upload_id: object) -> str:
    """The key of a letter that a person uploaded, or of an attachment (2.1)."""
    return f"service-{service_id}/{upload_id}.pdf"


def original_key(id_: object) -> str:
    """The key of an unaltered original, by the id of a notification, an upload or an attachment (2.1)."""
    return f"{id_}.pdf"


class LetterFiles:
    """The buckets of letters."""

    def __init__(self, settings: Settings, objects: Objects) -> None:
        names = settings.part(LetterSettings)
        self.live: Final = objects.bucket(names.s3_bucket_letters_pdf)
        self.test: Final = objects.bucket(names.s3_bucket_test_letters)
        self.scan: Final = objects.bucket(names.s3_bucket_letters_scan)
        self.invalid: Final = objects.bucket(names.s3_bucket_invalid_pdf)
        self.originals: Final = objects.bucket(settings.s3_bucket_precompiled_originals_backup_letters)
        self.uploads: Final = objects.bucket(settings.s3_bucket_transient_uploaded_letters)
        self.attachments: Final = objects.bucket(settings.s3_bucket_letter_attachments)

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.settings, container.parts.objects)

    def place(self, letter: Letter) -> StoredLetter:
        """Where to store the PDF of a checked letter, by its row and under its full name."""
        bucket, folder = self._home(letter)
        return StoredLetter(bucket, folder + file_name(letter.reference or "", letter.postage, letter.created_at))

    def find(self, letter: Letter) -> StoredLetter:
        """Find the PDF of a letter, whatever postage its name has (2.2). Raises `LetterMissingError`, and the errors of
        the store.
        """
        if not letter.reference:
            raise LetterMissingError
        place = self.place(letter)
        if exists(place.bucket, place.key):
            return place
        bucket, folder = self._home(letter)
        key = bucket.first_key(folder + name_start(letter.reference))
        if key is None:
            raise LetterMissingError(letter.reference)
        return StoredLetter(bucket, key)

    def find_unchecked(self, reference: str, folder: str = "") -> str | None:
        """The key of a precompiled letter in the scan bucket, or in one of its folders."""
        return self.scan.first_key(folder + name_start(reference))

    def read(self, letter: Letter) -> bytes:
        """The PDF of a letter. Raises `LetterMissingError`, and the errors of the store."""
        found = self.find(letter)
        try:
            return found.bucket.get(found.key)
        except ObjectMissingError:
            raise LetterMissingError(letter.reference) from None

    def metadata(self, letter: Letter) -> Mapping[str, str]:
        """The metadata of a letter's PDF (2.3). Raises what `read` raises."""
        found = self.find(letter)
        try:
            return found.bucket.info(found.key).details.metadata
        except ObjectMissingError:
            raise LetterMissingError(letter.reference) from None

    def _home(self, letter: Letter) -> StoredLetter:
        if letter.notification_status == "validation-failed":
            return StoredLetter(self.invalid, "")
        if letter.key_type == "test":
            return StoredLetter(self.test, "")
        return StoredLetter(self.live, print_folder(letter.created_at))


def exists(bucket: Bucket, key: str) -> bool:
    """Whether the bucket has this object."""
    try:
        bucket.info(key)
    except ObjectMissingError:
        return False
    return True


def put(bucket: Bucket, key: str, pdf: bytes, metadata: Mapping[str, str] | None = None) -> None:
    """Store a PDF, in place of an older one."""
    bucket.put(key, pdf, Details(metadata or {}, CONTENT_TYPE))


def move(source: StoredLetter, target: StoredLetter, metadata: Mapping[str, str] | None = None) -> None:
    """Move a PDF. It keeps its metadata unless new ones are given. Safe to repeat after a failure at any point. Raises
    `ObjectMissingError` if neither place has it.
    """
    try:
        details = source.bucket.info(source.key).details
        pdf = source.bucket.get(source.key)  # read it all first: it cannot be read while it is written
    except ObjectMissingError:
        target.bucket.info(target.key)
        return
    kept = details.metadata if metadata is None else metadata
    target.bucket.put(target.key, pdf, Details(kept, CONTENT_TYPE, details.tags))
    source.bucket.delete(source.key)
