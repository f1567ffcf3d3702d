"""Rows and PDFs of letters for tests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from notify.infra.ids import new_id
from notify.infra.objects import Bucket
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.letters.files import LetterFiles, LetterRow, StoredLetter, put
from notify.messages.accept.letter import new_reference
from notify.messages.models import TO
from tests.services.factory import a_service

PDF = b"%PDF-1.7 a letter"
TABLES = ("notifications", "notification_history")
ADDRESS = "Ivy Green\n1 Oak Street\nNE1 1AA"

_ADD = """
INSERT INTO {table} (id, {to} service_id, template_id, template_version, api_key_id, key_type, notification_type,
                     created_at, sent_at, reference, billable_units, client_reference, notification_status, postage,
                     created_by_id)
VALUES (%(id)s, {to_value} %(service)s, %(template)s, 1, %(key)s, %(key_type)s, 'letter', %(created)s, %(sent)s,
        %(reference)s, %(units)s, %(client_reference)s, %(status)s, %(postage)s, %(user)s)
"""


class Letters:
    """Makes letters of one service, each with its PDF where it belongs."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.files = LetterFiles(parts.settings, parts.objects)
        with parts.database.transaction() as session:
            service = a_service(session)
            self.service_id, self.user_id = service.id, service.created_by_id

    def add(
        self,
        *,
        status: str = "created",
        age: timedelta = timedelta(),
        created: datetime | None = None,
        key_type: str = "normal",
        postage: str = "second",
        to: str = ADDRESS,
        units: int = 1,
        history: bool = False,
        pdf: bytes | None = PDF,
        sent_at: datetime | None = None,
        by_api: bool = True,
        client_reference: str | None = None,
        template_id: UUID | None = None,
    ) -> UUID:
        """Add a letter; its id. `history`: its row is there."""
        id_, created = new_id(), created or utc_now() - age
        values: dict[str, Any] = {
            "id": id_,
            "to": self.parts.encryptor.encrypt(to, TO, id_),
            "service": self.service_id,
            "template": template_id or new_id(),
            "key": new_id() if by_api else None,
            "user": None if by_api else self.user_id,
            "key_type": key_type,
            "created": created,
            "sent": sent_at,
            "reference": new_reference(),
            "units": units,
            "client_reference": client_reference,
            "status": status,
            "postage": postage,
        }
        names = {"table": "notification_history", "to": "", "to_value": ""}
        if not history:
            names = {"table": "notifications", "to": '"to",', "to_value": "%(to)s,"}
        self.execute(_ADD.format(**names), values)
        if pdf is not None:
            place = self.place(id_)
            put(place.bucket, place.key, pdf)
        return id_

    def execute(self, query: str, values: Any = None) -> list[tuple[Any, ...]]:
        with self.parts.database.connection() as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def row(self, id_: UUID) -> LetterRow:
        """A letter's row, live or old."""
        columns = "reference, postage, created_at, key_type, notification_status"
        live, old = (f"SELECT {columns} FROM {table} WHERE id = %(id)s" for table in TABLES)  # noqa: S608
        return LetterRow(*self.execute(f"{live} UNION ALL {old}", {"id": id_})[0])

    def place(self, id_: UUID) -> StoredLetter:
        return self.files.place(self.row(id_))

    def has_pdf(self, id_: UUID) -> bool:
        place = self.place(id_)
        return place.bucket.first_key(place.key[:-1]) == place.key

    def status(self, id_: UUID) -> str:
        return self.row(id_).notification_status

    def set_status(self, id_: UUID, status: str) -> None:
        for table in TABLES:
            self.execute(f"UPDATE {table} SET notification_status = %s WHERE id = %s", (status, id_))  # noqa: S608

    def move_to_history(self, id_: UUID) -> None:
        """As the nightly move does, without asking the status."""
        from notify.messages.retention import _COLUMNS

        copied = f"INSERT INTO notification_history ({_COLUMNS}) SELECT {_COLUMNS} FROM notifications WHERE id = %s"  # noqa: S608
        self.execute(copied, (id_,))
        self.execute("DELETE FROM notifications WHERE id = %s", (id_,))

    def every_key(self) -> list[str]:
        """Every object in the buckets of letters."""
        buckets = (self.files.live, self.files.test, self.files.invalid, self.files.scan)
        return sorted(key for bucket in buckets for key in keys_of(bucket))


def keys_of(bucket: Bucket) -> list[str]:
    """Every key of a bucket, in order."""
    return sorted(bucket.keys())
