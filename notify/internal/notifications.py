"""A service's messages: lists, search, rows of CSV files, single ones, cancelling (contract: internal-services 10)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import MISSING, AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema
from sqlalchemy.orm import Session

from notify.billing.sent import count_sent
from notify.infra.container import Container
from notify.infra.database import after_commit
from notify.infra.errors import NotFoundProblemError
from notify.infra.paging import PAGE_SIZE
from notify.infra.replica import BulkSession
from notify.infra.times import local_date, midnight_days_ago, utc_now
from notify.infra.validation import complain
from notify.internal.fields import IntText, LocalMoment, Moment, Uuid
from notify.internal.letter_attachments import AttachmentAnswer
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Fields, FieldsQuery, Incoming
from notify.messages.cancel import cancel_letter
from notify.messages.csv_rows import csv_row
from notify.messages.details import read_details
from notify.messages.listing import ListFilter, MessagePage, page_of_messages, rows_of_messages
from notify.messages.search import search_messages
from notify.services.limits import RateLimiter

routes = Routes("notifications", "/service/<uuid:service_id>/notifications")

USUAL_DAYS: Final = 7
"""Default number of days whose messages are counted."""


def _positive(value: int) -> int:
    if value < 1:
        raise complain("Not a positive integer")
    return value


def _types(value: object) -> object:
    """Types of messages. Errors are nested as in the contract: `{"0": {"template_type": [...]}}`."""
    if not isinstance(value, list):
        return value
    return [{"template_type": entry} for entry in value]


class KnownType(Fields):
    """A type of message, in a list of them."""

    template_type: Literal["sms", "email", "letter"]


PositiveInt = Annotated[IntText, AfterValidator(_positive)]
Types = Annotated[
    list[KnownType],
    BeforeValidator(_types),
    WithJsonSchema({"type": "array", "items": {"enum": ["sms", "email", "letter"]}}),
]


class ListChoice(Incoming):
    """Filters and page of a list of messages. `to` searches for a recipient or a reference instead."""

    model_config = ConfigDict(extra="ignore", defer_build=True)
    words = "field"

    template_type: Types = Field(default_factory=list)
    status: list[str] = Field(default_factory=list)
    page: PositiveInt = 1
    page_size: PositiveInt = PAGE_SIZE
    limit_days: IntText | None = None
    include_jobs: bool = True
    include_one_off: bool = True
    include_from_test_key: bool = False
    older_than: Uuid | None = None
    format_for_csv: bool = False
    paginate_by_older_than: bool = False
    count_pages: bool = True
    to: str | None = None

    def filter(self, service_id: UUID) -> ListFilter:
        """The filter it describes."""
        return ListFilter(
            service_id,
            types=self.types(),
            statuses=self.status,
            since=self.since(),
            include_jobs=self.include_jobs,
            include_one_off=self.include_one_off,
            include_from_test_key=self.include_from_test_key,
        )

    def since(self) -> datetime | None:
        """The time from which on messages are listed."""
        return None if self.limit_days is None else midnight_days_ago(utc_now(), self.limit_days)

    def types(self) -> list[str]:
        """The types of messages to list."""
        return [entry.template_type for entry in self.template_type]


class ListQuery(ListChoice):
    """The filters as a query."""

    source = "query"


class ListBody(ListChoice):
    """The filters as a body: a recipient must not be in URLs, which are logged."""

    source = "json"


class CountQuery(FieldsQuery):
    """The messages to count."""

    template_type: Types = Field(default_factory=list)
    limit_days: IntText | None = None


class CountAnswer(Answer):
    """How many messages were sent."""

    notifications_sent_count: int


class JobAnswer(Answer):
    """The job of a message."""

    id: UUID
    original_file_name: str


class SenderAnswer(Answer):
    """The person who sent a message."""

    id: UUID
    name: str
    email_address: str


class UsedTemplateAnswer(Answer):
    """The version of a template that a message was made from."""

    id: UUID
    service: UUID
    version: int
    name: str
    template_type: str
    content: str
    subject: str | None
    redact_personalisation: bool
    is_precompiled_letter: bool
    letter_attachment: AttachmentAnswer | None
    reply_to_text: str | None
    letter_languages: str | None
    letter_welsh_subject: str | None
    letter_welsh_content: str | None
    has_unsubscribe_link: bool


class NotificationAnswer(Answer):
    """A message."""

    id: UUID
    to: str
    normalised_to: str | None
    service: UUID
    template: UsedTemplateAnswer
    job: JobAnswer | None
    job_row_number: int | None
    api_key: UUID | None
    key_name: str | None
    key_type: str
    notification_type: str
    status: str
    created_at: Moment
    sent_at: Moment | None
    updated_at: Moment | None
    sent_by: str | None
    reference: str | None
    client_reference: str | None
    personalisation: dict[str, Any]
    billable_units: int
    international: bool
    phone_prefix: str | None
    rate_multiplier: float | None
    created_by: SenderAnswer | None
    reply_to_text: str | None
    document_download_count: int | None
    postage: str | None
    unsubscribe_link: str | None


class LinksAnswer(Answer):
    """The pages before and after. A missing one is left out."""

    prev: Literal[True] | MISSING = MISSING
    next: Literal[True] | MISSING = MISSING


class NotificationsAnswer(Answer):
    """A page of messages. A search has no `page_size`."""

    notifications: list[NotificationAnswer]
    page_size: int | MISSING = MISSING
    links: LinksAnswer


class LegacyCsvRowAnswer(Answer):
    """A message as a row of a CSV file, as of 2020."""

    row_number: int | str
    recipient: str
    client_reference: str
    template_name: str
    template_type: str
    job_name: str
    status: str
    created_at: LocalMoment
    created_by_name: str | None
    created_by_email_address: str | None


class LegacyCsvRowsAnswer(Answer):
    """A page of rows, as of 2020."""

    notifications: list[LegacyCsvRowAnswer]
    page_size: int
    links: LinksAnswer


class CsvRowAnswer(LegacyCsvRowAnswer):
    """A message as a row of a CSV file."""

    id: UUID
    api_key_name: str | None


class CsvRowsAnswer(Answer):
    """A page of rows."""

    notifications: list[CsvRowAnswer]
    page_size: int


@routes.get("")
def list_notifications(
    session: BulkSession, container: Container, service_id: UUID, query: ListQuery
) -> NotificationsAnswer | LegacyCsvRowsAnswer:
    """List or search a service's messages, newest first."""
    if query.format_for_csv and not query.to and container.parts.settings.legacy_2020:
        return _legacy_csv_rows(session, container, service_id, query)
    return _list(session, container, service_id, query)


@routes.post("", writes=False)
def search_notifications(
    session: BulkSession, container: Container, service_id: UUID, body: ListBody
) -> NotificationsAnswer:
    """Search or list a service's messages, with the filters in a body."""
    return _list(session, container, service_id, body)


def _list(session: Session, container: Container, service_id: UUID, asked: ListChoice) -> NotificationsAnswer:
    encryptor = container.parts.encryptor
    if asked.to:
        found = search_messages(session, encryptor, service_id, asked.to, types=asked.types(), statuses=asked.status)
        links = LinksAnswer(next=True) if found.has_next else LinksAnswer()
        return NotificationsAnswer(notifications=NotificationAnswer.of_each(found.messages), links=links)
    page = page_of_messages(session, encryptor, asked.filter(service_id), number=asked.page, size=asked.page_size)
    links = _links(page) if asked.count_pages else LinksAnswer()
    return NotificationsAnswer(
        notifications=NotificationAnswer.of_each(page.messages), page_size=asked.page_size, links=links
    )


def _links(page: MessagePage) -> LinksAnswer:
    return LinksAnswer(prev=True if page.number > 1 else MISSING, next=True if page.has_next else MISSING)


def _legacy_csv_rows(
    session: Session, container: Container, service_id: UUID, asked: ListChoice
) -> LegacyCsvRowsAnswer:
    """Rows of CSV files, which had the path of the list in 2020 (internal-services 18)."""
    encryptor = container.parts.encryptor
    page = page_of_messages(session, encryptor, asked.filter(service_id), number=asked.page, size=asked.page_size)
    rows = LegacyCsvRowAnswer.of_each(map(csv_row, page.messages))
    return LegacyCsvRowsAnswer(notifications=rows, page_size=asked.page_size, links=_links(page))


@routes.get("/csv")
def list_csv_rows(session: BulkSession, container: Container, service_id: UUID, query: ListQuery) -> CsvRowsAnswer:
    """List a service's messages as rows of a CSV file."""
    return _csv_rows(session, container, service_id, query)


@routes.post("/csv", writes=False)
def list_csv_rows_by_post(
    session: BulkSession, container: Container, service_id: UUID, query: ListQuery
) -> CsvRowsAnswer:
    """List a service's messages as rows of a CSV file; the body is not read."""
    return _csv_rows(session, container, service_id, query)


def _csv_rows(session: Session, container: Container, service_id: UUID, asked: ListChoice) -> CsvRowsAnswer:
    wanted = ListFilter(service_id, types=asked.types(), statuses=asked.status, since=asked.since())
    messages = rows_of_messages(
        session,
        container.parts.encryptor,
        wanted,
        number=asked.page,
        size=asked.page_size,
        older_than=asked.older_than,
    )
    return CsvRowsAnswer(notifications=CsvRowAnswer.of_each(map(csv_row, messages)), page_size=asked.page_size)


@routes.get("/count")
def count_notifications(session: BulkSession, service_id: UUID, query: CountQuery) -> CountAnswer:
    """Count the messages that a service sent in the last days, from the billing facts."""
    since = local_date(midnight_days_ago(utc_now(), query.limit_days or USUAL_DAYS))
    types = [entry.template_type for entry in query.template_type]
    return CountAnswer(notifications_sent_count=count_sent(session, service_id, types, since))


@routes.get("/<uuid:notification_id>")
def get_notification(
    session: Session, container: Container, service_id: UUID, notification_id: UUID
) -> NotificationAnswer:
    """Get a message."""
    return _answer(session, container, service_id, notification_id)


@routes.post("/<uuid:notification_id>/cancel")
def cancel_notification(
    session: Session, container: Container, service_id: UUID, notification_id: UUID
) -> NotificationAnswer:
    """Cancel a letter that is not printed yet."""
    uncounted = cancel_letter(session, service_id, notification_id, utc_now())
    if uncounted is not None:
        limits = container.get(RateLimiter)
        after_commit(session, lambda: limits.give_back([uncounted]))
    return _answer(session, container, service_id, notification_id)


def _answer(session: Session, container: Container, service_id: UUID, notification_id: UUID) -> NotificationAnswer:
    found = read_details(session, container.parts.encryptor, [notification_id])
    if not found or found[0].service != service_id:
        raise NotFoundProblemError
    return NotificationAnswer.of(found[0])
