"""Collates letters into zip files for the printer that takes them over SFTP, as in 2020 (contract: letters 11.1)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final, NamedTuple, Self
from uuid import UUID

import structlog
from psycopg.rows import args_row

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.times import local_date
from notify.letters.files import LetterFiles, LetterMissingError
from notify.letters.printing.zip_notes import ZipNotes
from notify.letters.settings import PrinterSettings

logger = structlog.get_logger(__name__)

POSTAGE_CODES: Final[Mapping[str, str]] = {"first": "1", "second": "2", "europe": "E", "rest-of-world": "N"}
"""Classes of post in the order of sending, with their codes in names. Economy is sent as second class."""
READ_AT_A_TIME: Final = 5_000
THREADS: Final = 8
HASH_LENGTH: Final = 20

_WAITING: Final = """
SELECT id, service_id, reference, postage, created_at, key_type, notification_status FROM notifications
WHERE notification_status = 'created' AND notification_type = 'letter' AND key_type = 'normal'
  AND postage = ANY(%(postages)s) AND created_at < %(before)s
  AND (service_id, created_at, id) > (%(after_service)s, %(after)s, %(after_id)s)
ORDER BY service_id, created_at, id LIMIT %(limit)s
"""


class SizedLetter(NamedTuple):
    """The PDF of a letter, and its size in bytes."""

    key: str
    size: int
    service_id: UUID


class ZipFile(NamedTuple):
    """A zip file to send: its name, and the keys of its PDFs."""

    name: str
    keys: list[str]


class _Row(NamedTuple):
    """A waiting letter: a `Letter` of `notify.letters.files`."""

    id: UUID
    service_id: UUID
    reference: str | None
    postage: str | None
    created_at: datetime
    key_type: str
    notification_status: str


def group(letters: Iterable[SizedLetter], *, most_bytes: int, most_files: int) -> Iterator[list[SizedLetter]]:
    """Groups of letters of one service, in the given order, with at most so many files and bytes. A larger file is in a
    group of its own. Anything that is not a PDF is left out.
    """
    pile: list[SizedLetter] = []
    size = 0
    for letter in letters:
        if not letter.key.lower().endswith(".pdf"):
            continue
        is_full = len(pile) >= most_files or size + letter.size > most_bytes
        if pile and (is_full or letter.service_id != pile[0].service_id):
            yield pile
            pile, size = [], 0
        pile.append(letter)
        size += letter.size
    if pile:
        yield pile


def zip_name(letters: Sequence[SizedLetter], postage: str, number: int, deadline: datetime) -> str:
    """The name of a zip file. The same letters of the same run give the same name."""
    digest = hashlib.sha512("".join(letter.key for letter in letters).encode()).digest()
    short = base64.urlsafe_b64encode(digest)[:HASH_LENGTH].decode()
    code = POSTAGE_CODES[postage]
    day = local_date(deadline).isoformat()
    return f"NOTIFY.{day}.{code}.{number:03}.{short}.{letters[0].service_id}.ZIP"


class ZipCollation:
    """Collates the letters of a run into zip files."""

    def __init__(
        self, database: Database, files: LetterFiles, notes: ZipNotes, *, most_bytes: int, most_files: int
    ) -> None:
        self._database = database
        self._files = files
        self._notes = notes
        self._most_bytes = most_bytes
        self._most_files = most_files

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        settings = container.parts.settings.part(PrinterSettings)
        return cls(
            container.parts.database,
            container.get(LetterFiles),
            container.get(ZipNotes),
            most_bytes=settings.max_letter_pdf_zip_filesize,
            most_files=settings.max_letter_pdf_count_per_zip,
        )

    def zip_files(self, deadline: datetime) -> Iterator[ZipFile]:
        """The zip files of the run with this deadline, by postage, service and age of the letters. Unfinished files of
        earlier runs come first, unchanged; their letters go into no other file.
        """
        self._notes.forget_old()
        noted = self._notes.under_way()
        yield from (ZipFile(*note) for note in noted)
        elsewhere = {key for note in noted for key in note.keys}
        for postage in POSTAGE_CODES:
            letters = (letter for letter in self._letters(postage, deadline) if letter.key not in elsewhere)
            piles = group(letters, most_bytes=self._most_bytes, most_files=self._most_files)
            for number, pile in enumerate(piles, start=1):
                yield ZipFile(zip_name(pile, postage, number, deadline), [letter.key for letter in pile])

    def _letters(self, postage: str, deadline: datetime) -> Iterator[SizedLetter]:
        postages = ["second", "economy"] if postage == "second" else [postage]
        after_service, after, after_id = UUID(int=0), datetime.min.replace(tzinfo=UTC), UUID(int=0)
        while True:
            values = {
                "postages": postages,
                "before": deadline,
                "after_service": after_service,
                "after": after,
                "after_id": after_id,
                "limit": READ_AT_A_TIME,
            }
            with self._database.connection() as connection:
                rows = connection.cursor(row_factory=args_row(_Row)).execute(_WAITING, values).fetchall()
            with ThreadPoolExecutor(THREADS, thread_name_prefix="letters") as threads:
                yield from (letter for letter in threads.map(self._measure, rows) if letter is not None)
            if len(rows) < READ_AT_A_TIME:
                return
            after_service, after, after_id = rows[-1].service_id, rows[-1].created_at, rows[-1].id

    def _measure(self, row: _Row) -> SizedLetter | None:
        try:
            place = self._files.find(row)
            return SizedLetter(place.key, place.bucket.info(place.key).size, row.service_id)
        except LetterMissingError:
            logger.error("letter not printed: its PDF is missing", id=row.id)
            return None
