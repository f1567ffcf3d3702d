"""Letters that people upload as PDFs, and previews of letters (contract: internal-services 11.2, letters 13.1)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import unquote
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from notify.infra.container import Container
from notify.infra.errors import FieldProblemError, NotFoundProblemError
from notify.infra.validation import complain, parse_uuid
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, FieldsQuery
from notify.letters.files import POSTAGE_CODES
from notify.letters.preview import FILE_TYPES, LetterPreviews
from notify.letters.uploaded import Upload, UploadedLetters

routes = Routes("uploaded_letters", "/service/<uuid:service_id>")


def _postage(value: str) -> str:
    if value not in POSTAGE_CODES:
        raise complain("invalid. It must be first, second, economy, europe or rest-of-world.")
    return value


def _page(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 1


Postage = Annotated[str, AfterValidator(_postage), WithJsonSchema({"enum": list(POSTAGE_CODES)})]
PageNumber = Annotated[int, BeforeValidator(_page), WithJsonSchema({"type": "integer"})]


class UploadedLetter(Body):
    """An upload to send. The recipient's address is percent-encoded, its lines are separated by line breaks."""

    postage: Postage
    filename: str
    created_by: str
    file_id: str
    recipient_address: str


class SentLetterAnswer(Answer):
    """The letter's id, which is the upload's."""

    id: UUID


class PageQuery(FieldsQuery):
    """The page of the picture; the first if it is not a number."""

    page: PageNumber = 1


class PreviewAnswer(Answer):
    """A PDF or picture in base64, and the metadata of a precompiled letter."""

    content: str
    metadata: Mapping[str, str]


@routes.post("/send-pdf-letter", status=201)
def send_uploaded_letter(container: Container, service_id: UUID, body: UploadedLetter) -> SentLetterAnswer:
    """Send a letter that was uploaded as a PDF."""
    try:
        created_by_id = parse_uuid(body.created_by)
    except ValueError:
        raise NotFoundProblemError from None
    upload = Upload(
        file_id=body.file_id,
        filename=body.filename,
        postage=body.postage,
        recipient=unquote(body.recipient_address),
        created_by_id=created_by_id,
    )
    return SentLetterAnswer(id=container.get(UploadedLetters).send(service_id, upload))


@routes.get("/template/preview/<uuid:notification_id>/<file_type>")
def preview_letter(
    container: Container, service_id: UUID, notification_id: UUID, file_type: str, query: PageQuery
) -> PreviewAnswer:
    """Get a letter as a PDF, or as the picture of a page."""
    if file_type not in FILE_TYPES:
        raise FieldProblemError("content", "file_type must be pdf or png")
    shown = container.get(LetterPreviews).preview(service_id, notification_id, FILE_TYPES[file_type], query.page)
    return PreviewAnswer(content=b64encode(shown.content).decode(), metadata=shown.metadata)
