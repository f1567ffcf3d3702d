"""Bodies and answers of jobs through the public API."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import MISSING, BaseModel, Field, PlainValidator, WithJsonSchema

from notify.infra.validation import Schema, Uuid, complain
from notify.jobs.bulk import MOST_RECIPIENTS
from notify.public.schemas import DateTime, HeededTime

LARGEST_NUMBER: Final = 10**30
_ROWS_SCHEMA: Final = {
    "type": "array",
    "items": {"type": "array", "items": {"type": ["string", "number", "null"]}},
    "maxItems": MOST_RECIPIENTS + 1,
}


def _rows(value: object) -> list[list[str]]:
    """The cells as texts. Stops at the first error, because there may be millions."""
    if not isinstance(value, list):
        raise complain("is not of type array")
    if len(value) > MOST_RECIPIENTS + 1:
        raise complain(f"has too many rows: there must not be more than {MOST_RECIPIENTS}, and the headers")
    for position, row in enumerate(value):
        if not isinstance(row, list):
            raise complain(f"must be lists: row {position} is not")
    return [[_text(cell, position) for cell in row] for position, row in enumerate(value)]


def _text(cell: object, position: int) -> str:
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) < LARGEST_NUMBER:
        return str(cell)
    raise complain(f"must have texts and numbers: row {position} has something else")


class BulkSendRequest(Schema):
    """Body of `POST /v2/notifications/bulk`: a template, and a row for each recipient."""

    name: Annotated[
        str, Field(min_length=1, max_length=255, description="Your own name for it, which the admin app shows.")
    ]
    template_id: Uuid
    rows: Annotated[
        Annotated[list[list[str]], PlainValidator(_rows), WithJsonSchema(_ROWS_SCHEMA)] | MISSING,
        Field(
            description="The headers, then a list for each recipient. A header is `phone number`, `email address` or "
            "`address line 1` and so on, or a placeholder of the template; `reference` is your own name for the "
            f"message. At most {MOST_RECIPIENTS} recipients.",
            examples=[[["phone number", "name"], ["07900900123", "Amala"]]],
        ),
    ] = MISSING
    csv: Annotated[
        str | MISSING,
        Field(
            description="The same as the text of a CSV file. Give either this or `rows`.",
            examples=["phone number,name\n07900900123,Amala"],
        ),
    ] = MISSING
    scheduled_for: HeededTime = MISSING
    reply_to_id: Annotated[
        Uuid | MISSING, Field(description="Id of the text message sender or reply-to address to send from.")
    ] = MISSING


class StatusCount(BaseModel):
    """The number of messages in a status."""

    status: str
    count: int


class Bulk(BaseModel):
    """Messages of one bulk request, and their progress."""

    id: Uuid
    original_file_name: Annotated[str, Field(description="The name that was given to it.")]
    job_status: Annotated[
        str,
        Field(
            description="`scheduled`; `pending`; `in progress`: messages are being created; `finished` and "
            "`finished all notifications created`: they are created; `sending limits exceeded`, `cancelled`, `error`: "
            "there are none, or no more."
        ),
    ]
    notification_count: Annotated[int, Field(description="Recipients.")]
    statistics: Annotated[list[StatusCount], Field(description="The messages created so far, by their status.")]
    service: Uuid
    template: Uuid
    template_version: int
    template_type: str
    created_at: DateTime
    scheduled_for: DateTime | None
    processing_started: DateTime | None
    processing_finished: DateTime | None
    uri: str


class BulkAnswer(BaseModel):
    """The answer about a bulk request."""

    data: Bulk
