"""Turns rows of a spreadsheet into messages (contract: workers 12.3, internal-jobs 1.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from notify.content.email_addresses import InvalidEmailAddress, validate
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.content.placeholders import key_form
from notify.content.postal_addresses import PostalAddress
from notify.content.recipient_list import Row, SendingRules
from notify.content.recipients import format_recipient
from notify.infra.database import Database
from notify.infra.ids import new_id
from notify.infra.json_values import dump_json
from notify.infra.secrets import Encryptor
from notify.messages.accept.letter import new_reference
from notify.messages.accept.template_files import OpenFiles
from notify.messages.accept.values import MOST_BYTES
from notify.messages.models import PERSONALISATION, TO
from notify.messages.store import NewMessage
from notify.services import queries as services
from notify.services.queries import CachedService
from notify.templates.cache import CompiledTemplate

BATCH_ROWS: Final = 500
PERSONAL_BATCH_ROWS: Final = 50
"""Smaller batches if each message has its own copy of a file, which takes time to create."""
INVALID: Final = "validation-failed"
"""The status of a message whose row has an error: it is listed but not sent."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """The recipient of a row's message: columns of `notifications`."""

    to: str
    normalised: str
    international: bool = False
    phone_prefix: str | None = None
    rate_multiplier: int | None = None
    postage: str | None = None
    reference: str | None = None


def sending_rules(service: CachedService, allowed: Sequence[str] | None) -> SendingRules:
    """The rules to check the rows against. `allowed` are the recipients of a service in trial mode."""
    return SendingRules(
        allow_international_sms="international_sms" in service.permissions,
        allow_landlines="sms_to_uk_landlines" in service.permissions,
        allow_international_letters=True,  # a letter's postage follows from its address
        guest_list=allowed,
    )


def allowed_recipients(database: Database, service: CachedService, key_type: str) -> list[str] | None:
    """The recipients that a service may send to with a type of key; `None`: everyone (contract: public-api 5.2)."""
    if key_type == "test" or (key_type == "normal" and not service.restricted):
        return None
    with database.session() as session:
        return services.allowed_recipients(session, service.id)


def values_of(row: Row, links: Mapping[str, str] | None = None) -> bytes:
    """The values of a row to store, as JSON. `links` are those to files of the template, by file name."""
    kept = {key: row.values.by_key(key) for key in row.columns.used.values()}
    return dump_json(kept | {key_form(name): link for name, link in (links or {}).items()})


class RowWriter:
    """Creates the messages of one job. `allowed` are the permitted recipients (None: everyone); `sender` is the text
    message sender, reply-to address or contact block; `files` are those of an email template. `lacks_columns`: the
    recipient's column, or one that the template needs, is missing, and no row of the file can be sent.
    """

    def __init__(
        self,
        encryptor: Encryptor,
        template: CompiledTemplate,
        *,
        job_id: UUID,
        sender: str | None,
        allowed: Sequence[str] | None,
        api_key_id: UUID | None = None,
        key_type: str = "normal",
        test_letter_status: str = "delivered",
        files: OpenFiles | None = None,
        lacks_columns: bool = False,
    ) -> None:
        self._encryptor = encryptor
        self._lacks_columns = lacks_columns
        self._template = template.row
        self._job_id = job_id
        self._sender = sender
        self._api_key_id = api_key_id
        self._key_type = key_type
        is_test_letter = template.row.type == "letter" and key_type == "test"
        self._status = test_letter_status if is_test_letter else "created"
        self._files = files
        is_letter = template.row.type == "letter"
        self._allowed = None if allowed is None or is_letter else {format_recipient(entry) for entry in allowed}
        self._recipient = {"sms": _phone, "email": _address, "letter": self._letter}[template.row.type]

    @property
    def batch_rows(self) -> int:
        """The number of rows in a batch."""
        return PERSONAL_BATCH_ROWS if self._files is not None and self._files.are_personal else BATCH_ROWS

    def message(self, row: Row, now: datetime) -> NewMessage | None:
        """The message of a checked row; None if a service in trial mode may not send to its recipient."""
        if self._allowed is not None and row.compared_recipient not in self._allowed and not row.has_bad_recipient:
            return None
        id_ = new_id()
        recipient = self._recipient(row)
        links: dict[str, str] = {}
        is_bad = row.has_error or self._lacks_columns
        if self._files is not None and not is_bad:
            links = self._files.links(recipient.normalised)
        values = values_of(row, links)
        is_too_large = len(values) > MOST_BYTES[self._template.type]
        status = INVALID if is_bad or is_too_large else self._status
        return NewMessage(
            id=id_,
            to=self._encryptor.encrypt(recipient.to, TO, id_),
            service_id=self._template.service_id,
            template_id=self._template.id,
            template_version=self._template.version,
            personalisation=None if is_too_large else self._encryptor.encrypt(values.decode(), PERSONALISATION, id_),
            api_key_id=self._api_key_id,
            key_type=self._key_type,
            notification_type=self._template.type,
            created_at=now,
            notification_status=status,
            updated_at=now if status in (INVALID, "delivered") else None,
            client_reference=_reference(row.reference),
            international=recipient.international,
            phone_prefix=recipient.phone_prefix,
            rate_multiplier=recipient.rate_multiplier,
            normalised_to=recipient.normalised.replace("\0", ""),
            reply_to_text=self._sender,
            postage=recipient.postage,
            reference=recipient.reference,
            job_id=self._job_id,
            job_row_number=row.index,
        )

    def _letter(self, row: Row) -> Recipient:
        address = PostalAddress.from_personalisation(row.values, allow_international=True)
        to = "\n".join(address.normalised_lines)
        return Recipient(
            to,
            "".join(to.split()).lower(),
            international=address.international,
            postage=address.postage_zone if address.international else self._template.postage,
            reference=new_reference(),
        )


def _phone(row: Row) -> Recipient:
    to = _cell(row.recipient)
    try:
        number = PhoneNumber.parse(to)
    except InvalidPhoneNumber:
        return Recipient(to, to)
    return Recipient(
        to,
        number.normalised,
        international=number.international,
        phone_prefix=number.country_prefix,
        rate_multiplier=number.rate_multiplier,
    )


def _address(row: Row) -> Recipient:
    to = _cell(row.recipient)
    try:
        return Recipient(to, validate(to).lower())
    except InvalidEmailAddress:
        return Recipient(to, to.lower())


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _reference(value: Any) -> str | None:
    """The reference of a message: the first non-blank value of the columns with that name."""
    if isinstance(value, list):
        value = next((item for item in value if item), None)
    return value.replace("\0", "") if isinstance(value, str) else None
