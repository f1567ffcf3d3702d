"""Services with details and statistics (contract: internal-services 1.1 and 2.1)."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from notify.infra.cache import Cache
from notify.infra.times import utc_now
from notify.internal.fields import HttpDate, Moment, http_date
from notify.internal.schemas import Answer
from notify.internal.service_answers import CallbackNameAnswer
from notify.internal.statistics import CountsAnswer
from notify.reporting.counts import USUAL_DAYS, count_for_service
from notify.reporting.service_overview import belongings, list_counted
from notify.services.details import get_detailed
from notify.webhooks.queries import callback_names


class DetailedServiceAnswer(Answer):
    """A service with details. `data_retention` is a list of nulls, as in the contract."""

    id: UUID
    name: str
    active: bool
    restricted: bool
    count_as_live: bool
    created_at: Moment
    updated_at: Moment | None
    go_live_at: Moment | None
    go_live_user: UUID | None
    has_active_go_live_request: bool
    confirmed_unique: bool
    confirmed_email_sender_name: bool | None
    consent_to_research: bool | None
    contact_link: str | None
    organisation: UUID | None
    organisation_type: str | None
    letter_branding: UUID | None
    international_sms_message_limit: int
    prefix_sms: bool
    custom_email_sender_name: str | None
    email_sender_local_part: str
    service_callback_api: list[CallbackNameAnswer]
    volume_email: int | None
    volume_sms: int | None
    volume_letter: int | None
    notes: str | None
    purchase_order_number: str | None
    billing_contact_names: str | None
    billing_contact_email_addresses: str | None
    billing_reference: str | None
    complaints: list[UUID]
    letter_contacts: list[UUID]
    unsubscribe_requests: list[UUID]
    unsubscribe_request_reports: list[UUID]
    data_retention: list[None]
    statistics: CountsAnswer


class CountedServiceAnswer(Answer):
    """A service in the list, with its statistics."""

    id: UUID
    name: str
    restricted: bool
    active: bool
    created_at: HttpDate
    notification_type: str | None
    statistics: CountsAnswer


def detailed_service_answer(
    session: Session, cache: Cache, service_id: UUID, *, today_only: bool
) -> DetailedServiceAnswer:
    """A service with its statistics of today, or of the last days. Raises `NotFoundProblemError`."""
    service = get_detailed(session, service_id)
    owned = belongings(session, service_id)
    days = 0 if today_only else USUAL_DAYS
    fields: dict[str, Any] = service._asdict() | owned._asdict()
    return DetailedServiceAnswer(
        **fields
        | {
            "service_callback_api": CallbackNameAnswer.of_each(
                callback_names(session, [service_id]).get(service_id, ())
            ),
            "data_retention": [None] * owned.retentions,
            "statistics": count_for_service(session, cache, service_id, days=days, now=utc_now()),
        }
    )


def counted_services(
    session: Session, start: date | None, end: date | None, *, only_active: bool, with_test_keys: bool
) -> dict[str, list[dict[str, Any]]]:
    """Services with their statistics of a period; by default of today (UTC). Each has the form of a
    `CountedServiceAnswer`, but is a plain dictionary for speed: there may be tens of thousands.
    """
    now = utc_now()
    rows = list_counted(
        session,
        start or now.date(),
        end or now.date(),
        now=now,
        only_active=only_active,
        with_test_keys=with_test_keys,
    )
    return {
        "data": [
            row._asdict()
            | {
                "created_at": http_date(row.created_at),
                "statistics": {kind: counts._asdict() for kind, counts in row.statistics.items()},
            }
            for row in rows
        ]
    }
